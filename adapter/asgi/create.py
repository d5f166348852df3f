"""`POST /responses`: decode, translate, run, and answer as a stream or as one document."""

from collections.abc import Mapping

import msgspec
from starlette.types import Message, Receive, Scope, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers, read_body, send_json
from adapter.asgi.report import report_headers
from adapter.asgi.route import Route
from adapter.asgi.service import Service
from adapter.asgi.sse_response import SSEResponse, StreamTimes
from adapter.asgi.upstreams import make_proxy
from adapter.loop import ResponseRun
from adapter.types.response import Response
from adapter.upstream.base import Upstream

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class CreateResponse:
    """Serves `POST /responses`.

    Args:
        service: makes the runs.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        settings = service.settings
        self._times = StreamTimes(
            settings.start_grace, settings.keepalive, settings.keepalive_interval
        )

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
        body = await read_body(receive, self._service.settings.max_body_bytes)
        request, route, model = self._service.decode(body)
        with route.occupy():
            if upstream is None and route.passes_through():
                await self._pass_through(scope, receive, send, route, _renamed(body, model))
                return
            run = self._service.run(request, route, model, headers, upstream)
            if request.stream:
                await SSEResponse(run, self._times, more_headers)(receive, send)
            elif response := await _collect(run, receive):
                report = report_headers(run.translation)
                await send_json(send, 200, response, [*more_headers, *report])

    async def _pass_through(
        self, scope: Scope, receive: Receive, send: Send, route: Route, body: bytes
    ) -> None:
        """Hand the request to the upstream's own Responses API, as it is."""
        proxy = route.proxy or make_proxy(route.settings, self._service.settings)
        route.proxy = proxy
        sent = False

        async def receive_again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [
            (name, value) for name, value in scope["headers"] if name.lower() != b"content-length"
        ]
        headers.append((b"content-length", str(len(body)).encode()))
        path = "/v1/responses"
        target = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        await proxy({**target, "headers": headers}, receive_again, send)


def _renamed(body: bytes, model: str) -> bytes:
    """Return the body with the model's name upstream, and otherwise as it is."""
    fields = _fields.decode(body)
    name = _encode(model)
    if bytes(fields["model"]) == name:
        return body
    return _encode({**fields, "model": msgspec.Raw(name)})


async def _collect(run: ResponseRun, receive: Receive) -> Response | None:
    """Return the whole response, or None if the client has gone."""
    async with StopOnDisconnect(receive):
        return await run.collect()
    return None
