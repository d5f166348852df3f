"""A hosted type that a tool of a configured MCP server runs: `[tools.web_search] mcp = "label"`."""

from typing import Any

from adapter.errors import ToolError
from adapter.runners.base import McpRunner, McpServer
from adapter.tools.sources import with_sources
from adapter.types.hosted import ListedTool, ToolResult


class MappedTool:
    """The `ToolRunner` of one type.

    Args:
        type: of the tool, as a request names it.
        mcp: speaks to the server.
        server: has the tool.
        name: of the server's tool.
    """

    def __init__(self, type: str, mcp: McpRunner, server: McpServer, name: str) -> None:
        self.type = type
        self._mcp = mcp
        self._server = server
        self._name = name

    async def describe(self) -> ListedTool:
        """Return the tool as the server lists it.

        Raises:
            ToolError: the server cannot be asked, or has no such tool.
        """
        for tool in await self._mcp.list_tools(self._server):
            if tool.name == self._name:
                return tool
        raise ToolError(f"The MCP server {self._server.label!r} has no tool {self._name!r}.")

    async def call(self, arguments: dict[str, Any]) -> ToolResult:
        """Make a call; what it found can be cited."""
        return with_sources(await self._mcp.call(self._server, self._name, arguments))
