"""`POST /responses`: decode, translate, run, and answer as a stream or as one document."""

from collections.abc import Mapping
from contextlib import nullcontext

from starlette.types import Receive, Scope, Send

from adapter.asgi.background import Asked, Background
from adapter.asgi.bodies import read_body
from adapter.asgi.closing import Closing
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
        background: makes those that outlive their requests; None makes none.
    """

    def __init__(self, service: Service, background: Background | None = None) -> None:
        self._service = service
        self._background = background
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
        body = await read_body(scope, receive, headers, self._service.settings.max_body_bytes)
        if found := self._service.passed_on(body, headers):
            await pass_on(found, self._service.settings, scope, receive, send, body)
            return
        request, route, model = self._service.decode(body, headers)
        gate = self._service.gate
        if request.background and self._background is not None:
            asked = Asked(request, route, model, headers, upstream)
            with gate.stream(headers) if request.stream else nullcontext():
                await self._background.create(asked, body, receive, send, more_headers)
            return
        with gate.stream(headers) if request.stream else nullcontext(), route.occupy():
            async with self._service.prior(request, headers) as prior:
                run = self._service.runs.new_run(
                    prior.request,
                    route,
                    model,
                    headers,
                    upstream,
                    history=prior.history(),
                    keep=prior.keep,
                )
                is_streamed = request.stream
                # What is long need not stay for as long as the answer takes.
                del body, request, prior
                if is_streamed:
                    stream = SSEResponse(run, self._times, self._service.closing, more_headers)
                    await stream(receive, send)
                elif response := await collect(run, receive, self._service.closing):
                    report = report_headers(run.translation)
                    await send_json(send, 200, response, [*more_headers, *report])


async def collect(run: ResponseRun, receive: Receive, closing: Closing) -> Response | None:
    """Return the whole response, or None if the client has gone.

    Raises:
        AdapterError: it failed, or the server ends.
    """
    async with StopOnDisconnect(receive):
        with closing.cancelled():
            return await run.collect()
    return None
