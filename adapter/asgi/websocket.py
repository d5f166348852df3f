"""WebSocket handshakes: accepted, or refused with a status that clients act on.

Codex tries a WebSocket first; only 426 makes it fall back to HTTP at once (`clients.md` §0.8). A
plain close would be a 403, so the denial extension of ASGI is used where the server has it.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.http import Headers, send_error
from adapter.asgi.service import Service
from adapter.asgi.socket_connection import SocketConnection
from adapter.asgi.socket_origin import is_foreign
from adapter.errors import AdapterError, InvalidRequestError
from adapter.upstream.base import Upstream

_MESSAGES = {
    403: "A web page of another site may not use this WebSocket without authorization.",
    404: "There is no WebSocket at this address.",
    426: "WebSocket is switched off here. Use HTTP with server-sent events.",
}


class WebSocketResponses:
    """Serves `GET /responses` with an upgrade to WebSocket.

    Args:
        service: makes the runs.
        limits: of each connection; what it may hold in bytes is otherwise what a body may.
    """

    def __init__(self, service: Service, limits: ConnectionLimits | None = None) -> None:
        self._service = service
        size = service.settings.max_body_bytes
        self._limits = limits or ConnectionLimits(waiting_bytes=size, remembered_bytes=size)

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        more_headers: Headers = (),
    ) -> None:
        """Serve one WebSocket, from its handshake to its end.

        Args:
            scope: of the WebSocket.
            receive: of the WebSocket.
            send: of the WebSocket.
            headers: of the handshake, by lower-case name.
            upstream: where to send chat requests, if not to the routes of the models.
            more_headers: of the answer to the handshake.
        """
        if self._is_off(upstream):
            await deny_upgrade(scope, receive, send, status=426)
        elif not self._service.gate.has_keys and self._is_foreign(headers):
            await deny_upgrade(scope, receive, send, status=403)
        else:
            await receive()  # websocket.connect
            await send({"type": "websocket.accept", "headers": [*more_headers]})
            await SocketConnection(self._service, self._limits, receive, send, headers, upstream)()

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        allowed = self._service.settings.cors_origins
        is_allowed = "*" in allowed or headers.get("origin") in allowed
        return not is_allowed and is_foreign(headers)

    def _is_off(self, upstream: Upstream | None) -> bool:
        if not self._service.settings.websocket:
            return True
        return upstream is None and self._service.routes.all_pass_through()


async def deny_upgrade(scope: Scope, receive: Receive, send: Send, *, status: int) -> None:
    """Refuse a handshake.

    Args:
        scope: of the WebSocket.
        receive: of the WebSocket.
        send: of the WebSocket.
        status: 403, 404 or 426.
    """
    await refuse(scope, receive, send, InvalidRequestError(_MESSAGES[status], status=status))


async def refuse(
    scope: Scope, receive: Receive, send: Send, error: AdapterError, headers: Headers = ()
) -> None:
    """Refuse a request, or a handshake; of that the reason is lost where servers cannot say it.

    Args:
        scope: of the request or WebSocket.
        receive: of the same.
        send: of the same.
        error: why.
        headers: more headers of the answer.
    """
    if scope["type"] != "websocket":
        await send_error(send, error, headers)
        return
    await receive()  # websocket.connect
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return

    async def send_denial(message: dict[str, object]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await send_error(send_denial, error, headers)  # type: ignore[arg-type]  # ASGI messages
    # uvicorn 0.54 logs an error if the app returns before the connection is closed.
    await asyncio.sleep(0)
