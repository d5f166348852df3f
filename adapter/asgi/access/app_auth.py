"""What the wrapped app says to a request that would not reach it: its authorization holds for ours.

Some of what a middleware serves never gets to the app that it wraps: stored responses, conversations,
a WebSocket, and whatever is done before the model is asked. An app that checks keys by itself, or in a
middleware within ours, would not be asked. vLLM 0.32 is such a one: its `--api-key` is checked by a
middleware that stands before those of `--middleware`, so theirs are the outer ones
(`vllm/entrypoints/serve/middleware/register.py`).

So it is asked for a path of its own, with the client's headers. A 401 or 403 is the answer to the
client too; whatever else it says lets the request in, and others that show the same for some seconds:
to ask costs a fifth of a short request. A key that the app takes back is good here for as long.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Final

from starlette.types import ASGIApp, Scope

from adapter.errors import AdapterError
from adapter.translate.errors import http_error
from adapter.upstream.asgi_call import AsgiCall
from adapter.upstream.asgi_scope import chat_scope, mount_point
from adapter.upstream.faults import Timeouts

NO_PATH: Final = "none"  # asks nothing
_REFUSALS: Final = frozenset({401, 403})
_SECONDS: Final = 10.0
_MAX_BYTES: Final = 64 * 1024
REMEMBER_SECONDS: Final = 5.0  # a yes; a no is asked for again at once
MAX_REMEMBERED: Final = 1_000
# Other in each request, and nobody's ground for letting it in.
_OF_ONE_REQUEST: Final = frozenset(
    {b"idempotency-key", b"traceparent", b"tracestate", b"x-request-id", b"x-stainless-retry-count"}
)
# Somebody before us has looked at more than the headers, so what the app says may hang on more.
_FOUND_BEFORE: Final = ("auth", "user")
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
        clock: seconds of any kind.
    """

    def __init__(
        self, app: ASGIApp, path: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._path = path
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._let_in: OrderedDict[bytes, float] = OrderedDict()  # what was shown, to until when
        self._hash_key = secrets.token_bytes(32)

    async def check(self, scope: Scope) -> None:
        """Refuse what the app would refuse.

        Args:
            scope: of the client's request or WebSocket.

        Raises:
            AdapterError: it would, or gave no answer.
        """
        own = [pair for pair in scope["headers"] if not _is_left_out(pair[0].lower())]
        shown = self._shown(scope, own)
        if shown is not None and self._let_in.get(shown, 0.0) > self._clock():
            return
        await self._ask(scope, own)
        if shown is not None:
            self._let_in[shown] = self._clock() + REMEMBER_SECONDS
            self._let_in.move_to_end(shown)
            if len(self._let_in) > MAX_REMEMBERED:
                self._let_in.popitem(last=False)

    def _shown(self, scope: Scope, headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
        """Return a hash of all that the app can go by; None if that is more than can be told."""
        if "tls" in (scope.get("extensions") or ()) or any(name in scope for name in _FOUND_BEFORE):
            return None
        client = scope.get("client")
        place = f"{client[0] if client else ''} {mount_point(scope)}\n"
        lines = [b"%b:%b\n" % pair for pair in headers if pair[0] not in _OF_ONE_REQUEST]
        digest = hashlib.blake2b(b"".join([place.encode(), *lines]), key=self._hash_key)
        return digest.digest()

    async def _ask(self, scope: Scope, headers: Sequence[tuple[bytes, bytes]]) -> None:
        asked = chat_scope(scope, "", b"", {}, route=self._path)
        asked |= {"method": "GET", "headers": [*headers, (b"accept-encoding", b"identity")]}
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
