"""An ASGI app in this process as the model server: the app that the middleware wraps.

There is no HTTP between. The app sees an ordinary POST, which `asgi_scope` makes up, and its answer
is read as it sends it, so the client's backpressure reaches the app (`asgi_call`).
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from adapter.upstream.asgi_call import AsgiCall
from adapter.upstream.asgi_scope import DEFAULT_SCOPE, chat_scope
from adapter.upstream.base import path_under
from adapter.upstream.faults import Timeouts


class AsgiUpstream:
    """Calls an ASGI app.

    `for_scope` gives the upstream for one client's request; without it, the app sees a request as
    if it had come over loopback.

    Args:
        app: an ASGI 3 application.
        scope: of the client's request (`http` or `websocket`), to make the app's from.
        path_prefix: of the app's API; its route is this and `/chat/completions`.
        first_byte_timeout: seconds until the body begins; None is for ever, here and below.
        idle_timeout: seconds between two chunks after that.
        read_ahead_bytes: how much an app may be ahead of the reader that sends in a burst, or waits
            for something else between its sends. Chunks of a burst then come joined, at a sixth of
            the cost. 0 makes every send wait for the reader.
        close_grace: seconds that apps with work behind their finished answers get at `aclose`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        scope: Mapping[str, Any] = DEFAULT_SCOPE,
        path_prefix: str = "/v1",
        first_byte_timeout: float | None = 600.0,
        idle_timeout: float | None = 600.0,
        read_ahead_bytes: int = 0,
        close_grace: float = 5.0,
    ) -> None:
        self._scope = scope
        self._path_prefix = path_prefix
        self._close_grace = close_grace
        self._running: set[asyncio.Task[None]] = set()
        self._call = partial(
            AsgiCall,
            app,
            timeouts=Timeouts(first_byte=first_byte_timeout, idle=idle_timeout),
            read_ahead_bytes=read_ahead_bytes,
            running=self._running,
        )

    def for_scope(self, scope: Mapping[str, Any]) -> "AsgiUpstream":
        """Return the upstream for the request of this client; it needs no `aclose` of its own."""
        bound = object.__new__(type(self))  # as `copy.copy` does, which takes 3 µs
        vars(bound).update(vars(self), _scope=scope)
        return bound

    def open(self, body: bytes, headers: Mapping[str, str]) -> "AsgiCall":
        """See `Upstream.open`."""
        return self._call(chat_scope(self._scope, self._path_prefix, body, headers), body)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "AsgiCall":
        """See `Poster.post`."""
        path = path_under(self._path_prefix, path)
        return self._call(chat_scope(self._scope, path, body, headers, route=""), body)

    async def aclose(self) -> None:
        """Let what still runs end, such as background tasks behind finished answers; then cancel it."""
        if not self._running:
            return
        _, pending = await asyncio.wait(self._running, timeout=self._close_grace)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=self._close_grace)
