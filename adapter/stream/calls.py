"""A call while it is written: whichever kind it is, once its name says so."""

from collections.abc import Callable
from typing import Any

import msgspec

from adapter.stream.deltas import CallDelta, Delta
from adapter.tools.kinds import CallPlace, CallWriter, NextNumber, OfferedTool
from adapter.types.events import Event, OutputItemAdded, OutputItemDone
from adapter.types.items import FunctionCall, ItemStatus, OutputItem
from adapter.types.raw import ABSENT


class CallItem:
    """A call of a tool: arguments in pieces.

    The kind follows from the name, which may come late: until then pieces are kept, and the item
    is not announced.

    Args:
        slot: the upstream's call that this is.
        output_index: its place in the output.
        number: the response's counter.
        find_tool: the tool for a name that the chat model used.
        new_id: (prefix) to a new id.
        unique_call_id: (the upstream's id or empty) to a call id that the response does not have.
    """

    def __init__(
        self,
        slot: int,
        output_index: int,
        number: NextNumber,
        *,
        find_tool: Callable[[str], OfferedTool],
        new_id: Callable[[str], str],
        unique_call_id: Callable[[str], str],
    ) -> None:
        self._slot = slot
        self._output_index = output_index
        self._number = number
        self._find_tool = find_tool
        self._new_id = new_id
        self._unique_call_id = unique_call_id
        self._writer: CallWriter | None = None
        self._call_id = ""
        self._pieces: list[str] = []
        self._extra_content = ABSENT

    @property
    def is_announced(self) -> bool:
        return self._writer is not None

    @property
    def arguments(self) -> str:
        return "".join(self._pieces)

    def accepts(self, delta: Delta) -> bool:
        return type(delta) is CallDelta and delta.slot == self._slot

    def append(self, delta: Any, events: list[Event]) -> None:
        """Add a piece of the arguments; id and name count when they first come."""
        if delta.arguments:
            self._pieces.append(delta.arguments)
        if delta.extra_content:
            self._extra_content = delta.extra_content
        if self._writer is not None:
            if delta.arguments:
                self._writer.feed(delta.arguments, events)
            return
        self._call_id = self._call_id or delta.id
        if delta.name:
            self._announce(self._find_tool(delta.name), events)

    def close(self, status: ItemStatus, events: list[Event]) -> OutputItem:
        """End the item and return it whole."""
        assert self._writer is not None, "a call that was never announced is not closed"
        item = self._writer.close(self.arguments, status, events)
        if self._extra_content and isinstance(item, FunctionCall):
            item = msgspec.structs.replace(item, extra_content=self._extra_content)
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def _announce(self, tool: OfferedTool, events: list[Event]) -> None:
        id = self._new_id(tool.kind.id_prefix)
        call_id = self._unique_call_id(self._call_id)
        writer = tool.kind.writer(CallPlace(id, call_id, tool, self._output_index, self._number))
        self._writer = writer
        events.append(OutputItemAdded(self._number(), self._output_index, writer.added()))
        if self._pieces:
            writer.feed(self.arguments, events)
