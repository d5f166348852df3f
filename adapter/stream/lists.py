"""A list of the tools of an MCP server, while it is asked for.

Source: sheet §7.2 (MCPLIST); OpenAI's recorded streams.
"""

from collections.abc import Sequence

from adapter.stream.deltas import Delta
from adapter.tools.kinds import NextNumber
from adapter.types.events import Event, OutputItemAdded, OutputItemDone
from adapter.types.hosted import ListedTool
from adapter.types.hosted_events import (
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
)
from adapter.types.items import ItemStatus, McpListTools


class ListItem:
    """One list: announced, and then said whole or failed."""

    def __init__(self, id: str, server_label: str, output_index: int, number: NextNumber) -> None:
        self._id = id
        self._server_label = server_label
        self._output_index = output_index
        self._number = number

    def begin(self, events: list[Event]) -> None:
        item = McpListTools(self._id, self._server_label)
        events.append(OutputItemAdded(self._number(), self._output_index, item))
        events.append(McpListToolsInProgress(self._number(), self._id, self._output_index))

    def take(self, delta: Delta, events: list[Event]) -> bool:
        return False

    def end(self, tools: Sequence[ListedTool], events: list[Event]) -> McpListTools:
        """Say the tools and return the whole item."""
        item = McpListTools(self._id, self._server_label, tuple(tools))
        events.append(McpListToolsCompleted(self._number(), self._id, self._output_index))
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def fail(self, error: str, events: list[Event]) -> McpListTools:
        """Say why there is no list and return the whole item."""
        item = McpListTools(self._id, self._server_label, error=error)
        events.append(McpListToolsFailed(self._number(), self._id, self._output_index))
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def close(self, status: ItemStatus, events: list[Event]) -> McpListTools:
        """End a list that will not come any more."""
        return self.fail("The response ended before the tools were listed.", events)
