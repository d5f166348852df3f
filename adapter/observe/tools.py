"""Hosted tools whose calls are observed."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from adapter.observe.exchange import Call, Operation
from adapter.runners.base import ListedTool, McpRunner, McpServer, ToolResult, ToolRunner

MCP = "mcp"


class ObservesCalls(Protocol):
    """Observes calls of tools."""

    def call(self, operation: Operation, name: str, kind: str) -> AbstractContextManager[Call]: ...


class ObservedMcp(McpRunner):
    """Speaks to MCP servers; see `McpRunner`.

    Args:
        runner: that speaks to them.
        observer: observes the calls.
    """

    def __init__(self, runner: McpRunner, observer: ObservesCalls) -> None:
        self._runner = runner
        self._observer = observer

    async def list_tools(self, server: McpServer) -> tuple[ListedTool, ...]:
        """See `McpRunner.list_tools`."""
        with self._observer.call("list_tools", "", MCP):
            return await self._runner.list_tools(server)

    async def call(self, server: McpServer, name: str, arguments: dict[str, Any]) -> ToolResult:
        """See `McpRunner.call`."""
        with self._observer.call("execute_tool", name, MCP) as call:
            return _noted(call, await self._runner.call(server, name, arguments))

    async def aclose(self) -> None:
        """See `McpRunner.aclose`."""
        await self._runner.aclose()


class ObservedTool(ToolRunner):
    """Runs tools of one type; see `ToolRunner`.

    Args:
        runner: that runs them.
        observer: observes the calls.
    """

    def __init__(self, runner: ToolRunner, observer: ObservesCalls) -> None:
        self.type = runner.type
        self._runner = runner
        self._observer = observer

    async def describe(self) -> ListedTool:
        """See `ToolRunner.describe`."""
        return await self._runner.describe()

    async def call(self, arguments: dict[str, Any]) -> ToolResult:
        """See `ToolRunner.call`."""
        with self._observer.call("execute_tool", self.type, self.type) as call:
            return _noted(call, await self._runner.call(arguments))


def _noted(call: Call, result: ToolResult) -> ToolResult:
    if result.error is not None:
        call.outcome = "failed"
        call.error = str(result.error.get("type", "")) or None
    return result
