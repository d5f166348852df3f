"""The tools of a server: all pages of them, within limits, and kept for a while."""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from adapter.runners.mcp.failures import Failure, McpFailedError, not_understood, too_large
from adapter.types.hosted import ListedTool

# More than any server has; one that goes on for ever is cut off here.
MAX_PAGES: Final = 64

# Bytes of one server's tools, and of all that are kept. 200 tools of GitHub's are 150 KB.
MAX_LIST_BYTES: Final = 2 * 1024 * 1024
_MAX_KEPT_BYTES: Final = 32 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class Page(msgspec.Struct, frozen=True):
    """Some tools of a server, as JSON, and where the others are.

    Attributes:
        tools: with the keys of the protocol.
        cursor: of the next page, or None.
        ttl_seconds: how long the server says that they are good for, if it does.
    """

    tools: list[dict[str, Any]]
    cursor: str | None
    ttl_seconds: float | None


class Pages(Protocol):
    """Asks a server for its tools, page by page."""

    async def list_tools(self, cursor: str | None) -> Page:
        """Return one page; see `Session.list_tools`."""
        ...


class Listing(msgspec.Struct, frozen=True):
    """The tools of a server.

    Attributes:
        tools: in the server's order, each name once.
        ttl_seconds: how long the server says that they are good for, if it does.
        size: bytes, about.
    """

    tools: tuple[ListedTool, ...]
    ttl_seconds: float | None
    size: int


async def list_all(session: Pages, max_tools: int) -> Listing:
    """Return the tools of all pages.

    Raises:
        McpFailedError: a page failed, or they are too many.
    """
    found: dict[str, ListedTool] = {}
    cursors: set[str | None] = set()
    cursor: str | None = None
    ttls: list[float] = []
    size = 0
    for _ in range(MAX_PAGES):
        page = await session.list_tools(cursor)
        size += len(_encode(page.tools))
        if size > MAX_LIST_BYTES:
            raise McpFailedError(too_large(MAX_LIST_BYTES))
        for tool in map(_listed, page.tools):
            found.setdefault(tool.name, tool)
        if len(found) > max_tools:
            raise McpFailedError(_too_many(f"{max_tools} tools"))
        if page.ttl_seconds is not None:
            ttls.append(page.ttl_seconds)
        cursors.add(cursor)
        cursor = page.cursor
        if cursor is None:
            return Listing(tuple(found.values()), min(ttls, default=None), size)
        if cursor in cursors:
            raise McpFailedError(not_understood("a list of tools"))
    raise McpFailedError(_too_many(f"{MAX_PAGES} pages of tools"))


class Lists:
    """Lists that are kept, by server and credentials.

    Args:
        ttl_seconds: for how long at most; 0 keeps none.
        clock: seconds, from any start.
    """

    def __init__(self, ttl_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._kept: dict[bytes, tuple[float, Listing]] = {}
        self._size = 0

    def get(self, identity: bytes) -> tuple[ListedTool, ...] | None:
        """Return the tools, if they are still good."""
        until, listing = self._kept.get(identity, (0.0, None))
        if listing is None:
            return None
        if until <= self._clock():
            self.forget(identity)
            return None
        return listing.tools

    def keep(self, identity: bytes, listing: Listing) -> None:
        """Keep the tools, for as long as both the server and the settings allow."""
        self.forget(identity)
        seconds = self._ttl_seconds
        if listing.ttl_seconds is not None:
            seconds = min(seconds, listing.ttl_seconds)
        if seconds <= 0:
            return
        self._kept[identity] = (self._clock() + seconds, listing)
        self._size += listing.size
        while self._size > _MAX_KEPT_BYTES:
            self.forget(next(iter(self._kept)))

    def forget(self, identity: bytes) -> None:
        """Drop the tools of this server."""
        _, listing = self._kept.pop(identity, (0.0, None))
        if listing is not None:
            self._size -= listing.size


def _listed(tool: dict[str, Any]) -> ListedTool:
    return ListedTool(
        name=tool["name"],
        input_schema=tool["inputSchema"],
        description=tool.get("description"),
        annotations=tool.get("annotations"),
    )


def _too_many(limit: str) -> Failure:
    return Failure("mcp_protocol_error", -32603, f"The MCP server lists more than {limit}.")
