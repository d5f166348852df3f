"""`POST /responses/input_tokens`: how many tokens the input of a request has."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.bodies import read_body
from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers, send_json
from adapter.asgi.passing_on import pass_on
from adapter.asgi.paths import INPUT_TOKENS
from adapter.asgi.report import report_headers
from adapter.asgi.service import Service
from adapter.upstream.base import Upstream


class CountInputTokens:
    """Serves `POST /responses/input_tokens`.

    Args:
        service: counts.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        more_headers: Headers = (),
    ) -> None:
        """Serve one request; see `CreateResponse`."""
        settings = self._service.settings
        body = await read_body(scope, receive, headers, settings.max_body_bytes)
        if found := self._service.passed_on(body, headers):
            await pass_on(found, settings, scope, receive, send, body, INPUT_TOKENS)
            return
        request, route, model = self._service.decode(body, headers)
        with route.occupy():
            request = await self._service.joined(request, headers)
            counting = self._service.runs.new_count(request, route, model, headers, upstream)
            count = None
            async with StopOnDisconnect(receive):
                count = await counting.count()
            if count is not None:
                answer = {"object": "response.input_tokens", "input_tokens": count}
                report = report_headers(counting.translation)
                await send_json(send, 200, answer, [*more_headers, *report])
