"""Refuses requests and WebSocket handshakes.

Codex tries a WebSocket first; only 426 makes it fall back to HTTP at once (`clients.md` §0.8). A
plain close would be a 403, so the denial extension of ASGI is used where the server has it.
"""

import asyncio

from starlette.types import Receive, Scope, Send

from adapter.asgi.http import Headers, send_error
from adapter.errors import AdapterError, InvalidRequestError

_MESSAGES = {
    403: "A web page of another site may not use this WebSocket without authorization.",
    404: "There is no WebSocket at this address.",
    426: "WebSocket is switched off here. Use HTTP with server-sent events.",
}


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
