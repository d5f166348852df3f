"""Speaks to MCP servers: lists their tools and calls them. What `adapter.loop` is given.

The SDK is imported when the first server is spoken to. Whatever goes wrong in a call is its result;
texts of failures never hold URLs, headers or arguments.
"""

import asyncio
import re
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeVar

import msgspec
from msgspec import Meta

from adapter.errors import ToolError
from adapter.fetch.guard import RefusedAddressError, RefusedUrlError, UrlPolicy, check_url
from adapter.runners.base import ListFailedError, McpRunner, McpServer
from adapter.runners.mcp.connection import Ask, Connection
from adapter.runners.mcp.exchange import hush_libraries
from adapter.runners.mcp.failures import (
    INVALID_REQUEST,
    Failure,
    McpFailedError,
    timed_out,
    unreachable,
)
from adapter.runners.mcp.listing import MAX_LIST_BYTES, Lists, list_all
from adapter.runners.mcp.pool import Identities, Identity, OnConnection, Pool
from adapter.runners.mcp.results import to_failure, to_result
from adapter.types.hosted import ListedTool, ToolResult

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from adapter.runners.mcp.session import Session
    from adapter.runners.mcp.wire import Http

OnFailure = Callable[[Failure], None]
_Result = TypeVar("_Result")

MISSING_SDK: Final = "MCP servers need the official SDK: pip install 'responses-adapter[mcp]'."

# RFC 9110 §5.1 and §5.5. The library below quotes what it refuses, so it never sees it.
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class OnProgress(Protocol):
    """Told of the progress of a call."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


class McpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a server is waited for, and kept.

    Attributes:
        list_seconds: for a list of tools, connecting included.
        call_seconds: for a call, connecting included.
        list_ttl_seconds: how long a list is kept; 0 keeps none.
        max_tools: of one server.
        max_output_bytes: of the result of one call.
        max_sessions: open at one time, with all servers.
        calls_at_once: with one server and credentials; more wait.
        idle_seconds: after which an unused session is closed.
    """

    list_seconds: float = 30.0
    call_seconds: float = 60.0
    list_ttl_seconds: float = 300.0
    max_tools: int = 512
    max_output_bytes: int = 2 * 1024 * 1024
    max_sessions: Annotated[int, Meta(ge=1)] = 256
    calls_at_once: Annotated[int, Meta(ge=1)] = 16
    idle_seconds: float = 60.0


class McpClient(McpRunner):
    """The `McpRunner` of the official SDK.

    Args:
        limits: of time, number and size.
        policy: which URLs a client may name; configured servers are the operator's word.
        resolver: of host names that clients name; None asks the system.
        tls: for https; None trusts what the system trusts.
        clock: seconds, from any start; for how long lists are kept.
    """

    def __init__(
        self,
        limits: McpLimits | None = None,
        policy: UrlPolicy | None = None,
        *,
        resolver: "AbstractResolver | None" = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or McpLimits()
        self._policy = policy or UrlPolicy()
        self._resolver = resolver
        self._tls = tls
        self._identities = Identities()
        self._lists = Lists(self.limits.list_ttl_seconds, clock)
        self._pool = Pool(self._connect, self.limits.max_sessions)
        self._http: Http | None = None
        self._making = threading.Lock()

    @property
    def open_sessions(self) -> int:
        """How many sessions there are, those that are ending included."""
        return len(self._pool)

    async def list_tools(self, server: McpServer) -> tuple[ListedTool, ...]:
        """See `McpRunner.list_tools`."""
        try:
            server = self._checked(server)
            identity = self._identities.of(server)
            if (kept := self._lists.get(identity)) is not None:
                return kept
            max_tools = self.limits.max_tools
            listing = await self._ask(
                identity,
                server,
                lambda session: list_all(session, max_tools),
                self.limits.list_seconds,
            )
        except McpFailedError as exc:
            raise _list_failed(server, exc.failure) from None
        self._lists.keep(identity, listing)
        return listing.tools

    async def call(
        self,
        server: McpServer,
        name: str,
        arguments: dict[str, Any],
        on_progress: OnProgress | None = None,
    ) -> ToolResult:
        """See `McpRunner.call`.

        Args:
            server: that has the tool.
            name: of the tool.
            arguments: for it.
            on_progress: told of progress, its end and a message; time limits stay as they are.
        """
        try:
            server = self._checked(server)
            identity = self._identities.of(server)
            arguments = _sendable(arguments)
            lists_first = self._has_headers(identity, name)
            result = await self._ask(
                identity,
                server,
                lambda session: session.call_tool(
                    name, arguments, on_progress, lists_first=lists_first
                ),
                self.limits.call_seconds,
            )
        except McpFailedError as exc:
            return to_failure(exc.failure)
        return to_result(result, self.limits.max_output_bytes)

    async def aclose(self) -> None:
        """Close all sessions."""
        await self._pool.aclose()
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _ask(
        self,
        identity: Identity,
        server: McpServer,
        ask: "Ask[_Result]",
        seconds: float,
    ) -> _Result:
        if self._http is None:
            await self._prepare()
        try:
            async with asyncio.timeout(seconds):
                connection = self._pool.get(identity, server)
                was_proven = connection.is_proven
                try:
                    return await connection.ask(ask)
                except McpFailedError as exc:
                    # A server that has forgotten the session has not begun anything: MCP
                    # 2025-11-25, "Session management".
                    if not (was_proven and exc.failure.code == 404):
                        raise
                return await self._pool.get(identity, server).ask(ask)
        except TimeoutError:
            raise McpFailedError(timed_out(seconds)) from None

    def _has_headers(self, identity: Identity, name: str) -> bool:
        """Return whether a tool may want its arguments in headers, as far as is known."""
        for tool in self._lists.get(identity) or ():
            if tool.name == name:
                return b'"x-mcp-header"' in msgspec.json.encode(tool.input_schema)
        return True

    def _checked(self, server: McpServer) -> McpServer:
        for name, text in server.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
                raise McpFailedError(Failure("http_error", 400, "A header cannot be sent."))
        if server.is_configured:
            return server
        try:
            url = check_url(server.url or "", self._policy)
        except RefusedAddressError:
            raise McpFailedError(unreachable()) from None
        except RefusedUrlError as exc:
            raise McpFailedError(Failure("http_error", 400, f"The server's URL {exc}.")) from None
        return msgspec.structs.replace(server, url=str(url), command=(), env={})

    def _connect(
        self, server: McpServer, on_retire: OnConnection, on_end: OnConnection
    ) -> Connection:
        from adapter.runners.mcp.session import explain, verdict
        from adapter.runners.mcp.transports import open_session

        http = self._http
        assert http is not None  # `_ask` has prepared it
        identity = self._identities.of(server)

        def opened(on_end: OnFailure) -> AbstractAsyncContextManager["Session"]:
            forget = partial(self._lists.forget, identity)
            return open_session(server, http, on_change=forget, on_end=on_end)

        return Connection(
            opened,
            explain,
            verdict,
            calls_at_once=self.limits.calls_at_once,
            connect_seconds=self.limits.list_seconds,
            idle_seconds=self.limits.idle_seconds,
            on_retire=on_retire,
            on_end=on_end,
        )

    async def _prepare(self) -> None:
        """Import the SDK, in a thread: it takes most of a second, in which others go on."""
        try:
            await asyncio.to_thread(self._make_http)
        except ModuleNotFoundError as exc:
            raise ToolError(MISSING_SDK, status=500, code="server_error") from exc

    def _make_http(self) -> None:
        with self._making:
            if self._http is not None:  # another made it while this one waited
                return
            from adapter.fetch.lookups import Lookups
            from adapter.runners.mcp.wire import Http

            import_module("adapter.runners.mcp.transports")
            hush_libraries()
            self._http = Http(
                self._policy,
                self._resolver or Lookups(),
                # JSON may take two bytes for one.
                max_bytes=max(2 * self.limits.max_output_bytes, MAX_LIST_BYTES),
                tls=self._tls or ssl.create_default_context(),
            )


def _sendable(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as JSON has them: the SDK's session would end of what it has not."""
    try:
        sendable: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(arguments))
    except (ValueError, TypeError, RecursionError, OverflowError):
        reason = "The arguments cannot be sent as JSON."
        raise McpFailedError(Failure("mcp_protocol_error", INVALID_REQUEST, reason)) from None
    return sendable


def _list_failed(server: McpServer, failure: Failure) -> ListFailedError:
    message = f"Error retrieving tool list from MCP server: '{server.label}'. {failure.message}"
    return ListFailedError(message, failure.error())
