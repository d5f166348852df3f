"""What a runner of hosted tools can do: list the tools of an MCP server, and make a call."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from adapter.errors import ToolError
from adapter.types.parts import Part


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


class ListedTool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool as an MCP server lists it, and as `mcp_list_tools` items show it.

    Attributes:
        name: of the tool.
        input_schema: JSON schema of its arguments.
        description: what it is for.
        annotations: hints, such as `readOnlyHint`.
    """

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    annotations: dict[str, Any] | None = None


class Source(msgspec.Struct, frozen=True):
    """Where something of a result comes from, to be cited."""

    url: str
    title: str = ""


class ToolResult(msgspec.Struct, frozen=True):
    """What came of a call.

    Attributes:
        output: the text of it, as the item shows it.
        content: what the model is told, if that is more than `output` (images).
        error: structured error in the form of `mcp_call.error`, or None if the call went well.
        sources: what can be cited.
        structured: the structured content, if there is any.
    """

    output: str = ""
    content: tuple[Part, ...] = ()
    error: dict[str, Any] | None = None
    sources: tuple[Source, ...] = ()
    structured: Any = None


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
