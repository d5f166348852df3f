"""Opens a session with an MCP server, over what it speaks: streamable HTTP, SSE, or its pipes.

The SDK's scopes must be left in the task that entered them, so whoever opens a session stays with it
(`connection`).

What a server asks of us (sampling, elicitation, roots) is declined: nobody is there to answer.
"""

import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

import httpx2

from adapter._version import __version__
from adapter.runners.base import McpServer
from adapter.runners.mcp.exchange import current
from adapter.runners.mcp.failures import broken_off
from adapter.runners.mcp.sdk import (
    ClientSession,
    Implementation,
    StdioServerParameters,
    ToolListChangedNotification,
    sse_client,
    stdio_client,
    streamable_http_client,
)
from adapter.runners.mcp.session import SDK_ERRORS, Session, shake_hands
from adapter.runners.mcp.wire import Http, OnFailure

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

OnChange = Callable[[], None]

# MCP 2025-11-25, "Backwards compatibility": the statuses by which a server says that it does not
# speak streamable HTTP; 501 is what some gateways say of methods.
_NOT_STREAMABLE: Final = frozenset({400, 404, 405, 501})

# Seconds that an SSE stream may rest: sessions end before (`idle_seconds` of the limits).
_SSE_READ_SECONDS: Final = 24 * 3600.0

_CLIENT: Final = Implementation(name="responses-adapter", version=__version__)


@asynccontextmanager
async def open_session(
    server: McpServer, http: Http, *, on_change: OnChange, on_end: OnFailure
) -> AsyncGenerator[Session]:
    """Open a session; it ends with the context, which must be left in the same task.

    Args:
        server: to speak to.
        http: makes clients, for servers with a URL.
        on_change: the server's tools have changed.
        on_end: the session has ended by itself, or will not open.

    Raises:
        SDK_ERRORS, or a group of them: `explain` says what is wrong.
    """
    async with AsyncExitStack() as stack:
        if server.url is None:
            streams = _start(server)
            session = _talk(streams, on_change, on_end, over_http=False)
            yield await stack.enter_async_context(session)
            return
        try:
            session = _talk(_streamable(server, http), on_change, on_end)
            opened = await stack.enter_async_context(session)
        except (*SDK_ERRORS, ExceptionGroup):
            failure = exchange.failure if (exchange := current()) else None
            if failure is None or failure.code not in _NOT_STREAMABLE:
                raise
            session = _talk(_sse(server, http, on_end), on_change, on_end)
            opened = await stack.enter_async_context(session)
        yield opened


@asynccontextmanager
async def _talk(
    transport: "AbstractAsyncContextManager[TransportStreams]",
    on_change: OnChange,
    on_end: OnFailure,
    *,
    over_http: bool = True,
) -> AsyncGenerator[Session]:
    is_open = False

    def ended() -> None:
        if is_open:
            on_end(broken_off())

    async def listen(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            on_change()

    async with (
        transport as (read, write),
        ClientSession(
            _Watched(read, ended), write, message_handler=listen, client_info=_CLIENT
        ) as client,
    ):
        await shake_hands(client)
        is_open = True
        yield Session(client, over_http=over_http)
        is_open = False


@asynccontextmanager
async def _streamable(server: McpServer, http: Http) -> "AsyncGenerator[TransportStreams]":
    assert server.url is not None
    async with (
        http.client(server) as client,
        streamable_http_client(
            server.url, http_client=client, max_sse_event_size=http.max_bytes
        ) as streams,
    ):
        yield streams


@asynccontextmanager
async def _sse(
    server: McpServer, http: Http, on_failure: OnFailure
) -> "AsyncGenerator[TransportStreams]":
    assert server.url is not None

    def client(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        return http.client(server, on_failure)

    async with sse_client(
        server.url, sse_read_timeout=_SSE_READ_SECONDS, httpx_client_factory=client
    ) as streams:
        yield streams


@asynccontextmanager
async def _start(server: McpServer) -> "AsyncGenerator[TransportStreams]":
    program, *arguments = server.command
    parameters = StdioServerParameters(command=program, args=arguments, env=dict(server.env))
    with _standard_error() as log:
        async with stdio_client(parameters, log) as streams:
            yield streams


def _standard_error() -> TextIO:
    """Return where the programs may complain: where we do. A copy, to be closed."""
    return os.fdopen(os.dup(2), "w") if sys.__stderr__ else open(os.devnull, "w")  # noqa: PTH123


class _Watched:
    """A stream of messages whose end is told."""

    def __init__(
        self, stream: "ReadStream[SessionMessage | Exception]", on_end: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._on_end = on_end

    @property
    def last_context(self) -> Any:
        """The context of the sender, which the SDK looks for."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> "SessionMessage | Exception":
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> "SessionMessage | Exception":
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._on_end()
            raise

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(exc_type, exc_val, exc_tb)
