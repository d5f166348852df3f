"""What the wrapped app says to a request that would not reach it: its authorization holds for ours.

Some of what a middleware serves never gets to the app that it wraps: stored responses, conversations,
a WebSocket, and whatever is done before the model is asked. An app that checks keys by itself, or in a
middleware within ours, would not be asked. vLLM 0.32 is such a one: its `--api-key` is checked by a
middleware that stands before those of `--middleware`, so theirs are the outer ones
(`vllm/entrypoints/serve/middleware/register.py`).

So it is asked for a path of its own, with the client's headers. A 401 or 403 is the answer to the
client too; whatever else it says lets the request in.
"""

import asyncio
from contextlib import aclosing
from typing import Final

from starlette.types import ASGIApp, Scope

from adapter.errors import AdapterError
from adapter.translate.errors import http_error
from adapter.upstream.asgi_call import AsgiCall
from adapter.upstream.asgi_scope import chat_scope
from adapter.upstream.faults import Timeouts

NO_PATH: Final = "none"  # asks nothing
_REFUSALS: Final = frozenset({401, 403})
_SECONDS: Final = 10.0
_MAX_BYTES: Final = 64 * 1024
# What speaks of a body that is not sent, or of the connection.
_LEFT_OUT: Final = frozenset(
    {b"connection", b"content-encoding", b"content-length", b"content-type", b"expect", b"upgrade"}
    | {b"transfer-encoding", b"accept-encoding", b"accept"}
)


class AppAuth:
    """Asks an app whether it would let a request in.

    Args:
        app: the app.
        path: that it is asked for; under its mount point.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self._running: set[asyncio.Task[None]] = set()

    async def check(self, scope: Scope) -> None:
        """Refuse what the app would refuse.

        Args:
            scope: of the client's request or WebSocket.

        Raises:
            AdapterError: it would, or gave no answer.
        """
        asked = chat_scope(scope, "", b"", {}, route=self._path)
        own = [pair for pair in scope["headers"] if not _is_left_out(pair[0].lower())]
        asked |= {"method": "GET", "headers": [*own, (b"accept-encoding", b"identity")]}
        call = AsgiCall(
            self._app,
            asked,
            b"",
            timeouts=Timeouts(first_byte=_SECONDS, idle=_SECONDS),
            read_ahead_bytes=_MAX_BYTES,
            running=self._running,
        )
        async with call:
            if call.status in _REFUSALS:
                raise await _refusal(call)


def _is_left_out(name: bytes) -> bool:
    return name in _LEFT_OUT or name.startswith(b"sec-websocket-")


async def _refusal(call: AsgiCall) -> AdapterError:
    body = bytearray()
    async with aclosing(call.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > _MAX_BYTES:
                break
    error = http_error(call.status, call.headers, bytes(body[:_MAX_BYTES]))
    if asks := call.headers.get("www-authenticate"):
        error.headers = {**error.headers, "www-authenticate": asks}
    return error
