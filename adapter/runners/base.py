"""What a runner of hosted tools can do: list the tools of an MCP server, and make a call."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from adapter.errors import ToolError
from adapter.types.hosted import ListedTool, Source, ToolResult

__all__ = [
    "ListFailedError",
    "ListedTool",
    "McpRunner",
    "McpServer",
    "Source",
    "ToolResult",
    "ToolRunner",
    "authorization_header",
]


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """An MCP server, and as whom to speak to it. It holds secrets, so it has no repr of them.

    Attributes:
        label: what the request calls it.
        url: where it is; None for one that is started as a process.
        headers: of every request to it, `authorization` among them.
        command: program and arguments of a server that is started; only from settings.
        env: more environment of that program; only from settings.
        is_configured: it comes from the settings, so its address is not a client's word.
    """

    label: str
    url: str | None = None
    headers: Mapping[str, str] = {}
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    is_configured: bool = False

    def __repr__(self) -> str:
        return f"McpServer(label={self.label!r})"


def authorization_header(token: str) -> str:
    """Return the header for a token as `authorization` of a request holds it.

    It is an OAuth access token there (RFC 6750); a value with a scheme is left as it is.
    """
    return token if " " in token.strip() else f"Bearer {token.strip()}"


class ListFailedError(ToolError):
    """The tools of a server could not be listed.

    Attributes:
        error: structured, in the form of `mcp_list_tools.error`: `{"type", "code", "message"}`.
    """

    def __init__(self, message: str, error: dict[str, Any]) -> None:
        super().__init__(message, status=424, code="http_error")
        self.error = error


class McpRunner(Protocol):
    """Speaks to MCP servers."""

    async def list_tools(self, server: McpServer) -> tuple[ListedTool, ...]:
        """Return all tools of a server, from memory if they were listed a short while ago.

        Raises:
            ListFailedError: it could not be reached, refused, or sent what cannot be understood.
        """
        ...

    async def call(self, server: McpServer, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool; whatever goes wrong is a result with an `error`."""
        ...

    async def aclose(self) -> None:
        """Close all sessions."""
        ...


class ToolRunner(Protocol):
    """Runs the hosted tool of one type, such as `web_search` or `acme:lookup`.

    Attributes:
        type: of the tool, as a request names it.
    """

    type: str

    async def describe(self) -> ListedTool:
        """Return what the chat model is told of the tool: what it is for, and its parameters.

        Raises:
            ToolError: it is out of order; the model is not offered it then.
        """
        ...

    async def call(self, arguments: dict[str, Any]) -> ToolResult:
        """Make a call; whatever goes wrong is a result with an `error`, or a ToolError."""
        ...
