"""`POST /responses/compact`: a shorter conversation in place of a long one, as one document."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.bodies import read_body
from adapter.asgi.create import collect
from adapter.asgi.http import Headers, send_json
from adapter.asgi.ids import new_id
from adapter.asgi.passing_on import pass_on
from adapter.asgi.paths import COMPACT
from adapter.asgi.report import report_headers
from adapter.asgi.service import Service
from adapter.translate.compaction import to_compacted_response, without_trigger
from adapter.upstream.base import Upstream


class CompactConversation:
    """Serves `POST /responses/compact`.

    Args:
        service: makes the runs.
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
            await pass_on(found, settings, scope, receive, send, body, COMPACT)
            return
        request, route, model = self._service.decode(body, headers)
        with route.occupy():
            request = await self._service.joined(request, headers)
            request = without_trigger(request) or request
            run = self._service.runs.new_compaction(request, route, model, headers, upstream)
            if response := await collect(run, receive, self._service.closing):
                compacted = to_compacted_response(request, response, new_id)
                report = report_headers(run.translation)
                await send_json(send, 200, compacted, [*more_headers, *report])
