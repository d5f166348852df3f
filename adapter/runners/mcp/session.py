"""What is asked of an MCP server, and what its answers are to us.

Results are plain JSON, and everything else is a `McpFailedError`. Opening a session is `transports`'
work; asking may be done from any task.
"""

import asyncio
from typing import Any, Final

import httpx2

from adapter.runners.mcp.exchange import Exchange, current
from adapter.runners.mcp.failures import (
    INVALID_REQUEST,
    Failure,
    McpFailedError,
    broken_off,
    not_understood,
    refused_by_server,
    unreachable,
)
from adapter.runners.mcp.listing import MAX_PAGES, Page
from adapter.runners.mcp.sdk import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    MODERN_PROTOCOL_VERSIONS,
    PARSE_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ClientSession,
    InputRequiredResult,
    MCPError,
    PaginatedRequestParams,
    ProgressFnT,
    TypeAdapter,
    ValidationError,
)

# By what a server may say an error of JSON-RPC in its body.
_WITH_REASON: Final = frozenset({400, 404})

# What the SDK makes of an HTTP error that has no reason in its body.
_STAND_INS: Final = frozenset(
    {
        (METHOD_NOT_FOUND, "Not Found"),
        (INVALID_REQUEST, "Session terminated"),
        (INTERNAL_ERROR, "Server returned an error response"),
    }
)

_BREAKS: Final = ("Connection closed", "SSE stream ")
_NO_JSON: Final = "Failed to parse "  # and then what it was

_call_result: Final[TypeAdapter[CallToolResult | InputRequiredResult]] = TypeAdapter(
    CallToolResult | InputRequiredResult
)

# What the SDK raises, for whatever reason: `explain` tells them apart.
SDK_ERRORS: Final = (MCPError, ValidationError, RuntimeError, ValueError, OSError, httpx2.HTTPError)


class Session:
    """An open session.

    Args:
        client: of the SDK, after its handshake.

    Attributes:
        posts_cancellations: a cancelled call is told in a request of its own.
    """

    def __init__(self, client: ClientSession, *, over_http: bool) -> None:
        self._client = client
        self._is_modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
        self._listing = asyncio.Lock()
        self._has_listed = False
        self.posts_cancellations = over_http and not self._is_modern

    async def list_tools(self, cursor: str | None) -> Page:
        """Return one page of tools.

        Raises:
            McpFailedError: the server refused, or sent what cannot be understood.
        """
        params = None if cursor is None else PaginatedRequestParams(cursor=cursor)
        try:
            result = await self._client.list_tools(params=params)
        except SDK_ERRORS as exc:
            raise _failed(exc, "a list of tools") from None
        self._has_listed = self._has_listed or result.next_cursor is None
        tools = [
            tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in result.tools
        ]
        given = "ttl_ms" in result.model_fields_set
        return Page(tools, result.next_cursor, result.ttl_ms / 1000 if given else None)

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        on_progress: ProgressFnT | None = None,
        *,
        lists_first: bool = False,
    ) -> dict[str, Any]:
        """Return the result as JSON, with the keys of the protocol.

        Args:
            name: of the tool.
            arguments: for it.
            on_progress: told of progress.
            lists_first: the tool may want arguments in headers (MCP 2026-07-28, "Custom headers
                from tool parameters"): the SDK sends them if it has seen the tool in a list.

        The SDK's own `call_tool` would list the tools before the first call, without a limit, to
        check structured results against schemas; that is the server's own promise to itself.

        Raises:
            McpFailedError: the server refused, or sent what cannot be understood.
        """
        if lists_first and self._is_modern:
            await self._list_once()
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=arguments))
        try:
            result = await self._client.send_request(
                request, _call_result, progress_callback=on_progress
            )
        except SDK_ERRORS as exc:
            raise _failed(exc, "a result") from None
        if isinstance(result, InputRequiredResult):
            reason = "The tool asks for input, which nobody is there to give."
            raise McpFailedError(refused_by_server(INVALID_REQUEST, reason))
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def _list_once(self) -> None:
        async with self._listing:
            cursor: str | None = None
            for _ in range(0 if self._has_listed else MAX_PAGES):
                try:
                    page = await self.list_tools(cursor)
                except McpFailedError:
                    break  # the call will tell
                cursor = page.cursor
                if cursor is None:
                    break
            self._has_listed = True


def explain(error: BaseException) -> Failure:
    """Return what is wrong with a session that did not open."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, McpFailedError):
        return error.failure
    if isinstance(error, SDK_ERRORS) and not isinstance(error, OSError | httpx2.HTTPError):
        return _failed(error, "an answer").failure
    return unreachable()


async def shake_hands(client: ClientSession) -> None:
    """Find out which protocol the server speaks: that of 2026, or the one before.

    What cannot be reached, wants a login or is broken is not asked twice.
    """
    try:
        await client.discover()
    except (MCPError, ValidationError, RuntimeError):
        failure = exchange.failure if (exchange := current()) else None
        if failure is not None and (failure.code in {401, 403, 424} or failure.code >= 500):
            raise
        await client.initialize()


def _failed(error: Exception, what: str) -> McpFailedError:
    if not isinstance(error, MCPError):
        return McpFailedError(not_understood(what))
    code, message = error.code, error.message
    # Servers use the codes of these, too; the texts are the SDK's.
    if code == CONNECTION_CLOSED and message.startswith(_BREAKS):
        return McpFailedError(broken_off(), stands_in=True)
    if code == PARSE_ERROR and message.startswith(_NO_JSON):
        return McpFailedError(not_understood(what), stands_in=True)
    return McpFailedError(refused_by_server(code, message), stands_in=(code, message) in _STAND_INS)


def verdict(failed: McpFailedError, exchange: Exchange) -> Failure:
    """Return what to say of a failure: what HTTP said, unless the server gave a better reason."""
    seen = exchange.failure
    if seen is None or (not failed.stands_in and seen.code in _WITH_REASON):
        return failed.failure
    return seen
