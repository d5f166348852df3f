"""WebSocket handshakes: refused with a status that clients act on.

Codex tries a WebSocket first; only 426 makes it fall back to HTTP at once (`clients.md` §0.8). A
plain close would be a 403, so the denial extension of ASGI is used where the server has it.
"""

from starlette.types import Receive, Scope, Send

from adapter.asgi.http import send_json
from adapter.errors import InvalidRequestError

_MESSAGES = {
    404: "There is no WebSocket at this address.",
    426: "WebSocket is switched off here. Use HTTP with server-sent events.",
}


async def deny_upgrade(scope: Scope, receive: Receive, send: Send, *, status: int) -> None:
    """Refuse a handshake.

    Args:
        scope: of the WebSocket.
        receive: of the WebSocket.
        send: of the WebSocket.
        status: 404 or 426.
    """
    await receive()  # websocket.connect
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return

    async def send_denial(message: dict[str, object]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    error = InvalidRequestError(_MESSAGES[status], status=status)
    await send_json(send_denial, status, error.body())  # type: ignore[arg-type]  # ASGI messages
