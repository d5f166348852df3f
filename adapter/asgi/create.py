"""`POST /responses`: decode, translate, run, and answer as a stream or as one document."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.bodies import read_body
from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers, send_json
from adapter.asgi.passing_on import pass_on
from adapter.asgi.pump import stream_times
from adapter.asgi.report import report_headers
from adapter.asgi.service import Service
from adapter.asgi.sse_response import SSEResponse
from adapter.loop import ResponseRun
from adapter.types.response import Response
from adapter.upstream.base import Upstream


class CreateResponse:
    """Serves `POST /responses`.

    Args:
        service: makes the runs.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._times = stream_times(service.settings)

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        more_headers: Headers = (),
    ) -> None:
        """Serve one request.

        Args:
            scope: of the request.
            receive: of the request.
            send: of the request.
            headers: of the request, by lower-case name.
            upstream: where to send the chat request, if not to the route of the model.
            more_headers: of the answer.

        Raises:
            AdapterError: it failed before anything was sent.
            ClientDisconnectedError: the client went before its request was complete.
        """
        body = await read_body(scope, receive, self._service.settings.max_body_bytes)
        if found := self._service.passed_on(body):
            await pass_on(found, self._service.settings, scope, receive, send, body)
            return
        request, route, model = self._service.decode(body)
        with route.occupy():
            run = self._service.run(request, route, model, headers, upstream)
            if request.stream:
                await SSEResponse(run, self._times, more_headers)(receive, send)
            elif response := await collect(run, receive):
                report = report_headers(run.translation)
                await send_json(send, 200, response, [*more_headers, *report])


async def collect(run: ResponseRun, receive: Receive) -> Response | None:
    """Return the whole response, or None if the client has gone."""
    async with StopOnDisconnect(receive):
        return await run.collect()
    return None
