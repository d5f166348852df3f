"""WebSocket handshakes: accepted, or refused with a status that clients act on."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.denial import deny_upgrade
from adapter.asgi.http import Headers
from adapter.asgi.service import Service
from adapter.asgi.socket_connection import SocketConnection
from adapter.asgi.socket_origin import is_foreign
from adapter.upstream.base import Upstream


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
            await SocketConnection(
                self._service, self._limits, scope, receive, send, headers, upstream
            )()

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        allowed = self._service.settings.cors_origins
        is_allowed = "*" in allowed or headers.get("origin") in allowed
        return not is_allowed and is_foreign(headers)

    def _is_off(self, upstream: Upstream | None) -> bool:
        if not self._service.settings.websocket:
            return True
        return upstream is None and self._service.routes.all_pass_through()
