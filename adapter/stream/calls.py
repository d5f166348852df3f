"""A call while it is written: whichever kind it is, once its name says so."""

from collections.abc import Callable
from typing import cast

import msgspec

from adapter.stream.deltas import CallDelta, Delta
from adapter.tools.kinds import CallPlace, CallWriter, HostedWriter, NextNumber, OfferedTool
from adapter.types.events import Event, OutputItemAdded, OutputItemDone
from adapter.types.hosted import ToolResult
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
        approval_request_id: of the request that the client has approved.

    Attributes:
        tool: the tool that is called, once its name is known.
        id: of the item, once its name is known.
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
        approval_request_id: str | None = None,
    ) -> None:
        self.tool: OfferedTool | None = None
        self.id = ""
        self._approval_request_id = approval_request_id
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
    def is_hosted(self) -> bool:
        """Whether it is made here, as far as its name tells."""
        return self.tool is not None and self.tool.kind.is_hosted

    @property
    def arguments(self) -> str:
        return "".join(self._pieces)

    def take(self, delta: Delta, events: list[Event]) -> bool:
        """Add a piece of the arguments, if it is this call's; id and name count when they first
        come.
        """
        if type(delta) is not CallDelta or delta.slot != self._slot:
            return False
        arguments = delta.arguments
        if arguments:
            self._pieces.append(arguments)
        if delta.extra_content:
            self._extra_content = delta.extra_content
        if self._writer is not None:
            if arguments:
                self._writer.feed(arguments, events)
            return True
        self._call_id = self._call_id or delta.id
        if delta.name:
            self._announce(self._find_tool(delta.name), events)
        return True

    def run(self, events: list[Event]) -> None:
        """Say that the arguments are whole: the call is being made."""
        self._hosted_writer.written(self.arguments, events)

    def resolve(self, result: ToolResult, events: list[Event]) -> OutputItem:
        """Say what came of a call that was made here, and return the whole item."""
        item = self._hosted_writer.resolve(result, events)
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def close(self, status: ItemStatus, events: list[Event]) -> OutputItem | None:
        """End the item and return it whole; None if there is nothing to show of it."""
        if self.tool is None or self._writer is None:
            return None  # it was never named
        if self.tool.kind.is_whole and status != "completed":
            return None
        item = self._writer.close(self.arguments, status, events)
        if self.tool.kind.is_whole:
            events.append(OutputItemAdded(self._number(), self._output_index, item))
        if self._extra_content and isinstance(item, FunctionCall):
            item = msgspec.structs.replace(item, extra_content=self._extra_content)
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    @property
    def _hosted_writer(self) -> HostedWriter:
        assert self.is_hosted, "only hosted calls are made here"
        return cast("HostedWriter", self._writer)  # `is_hosted` says so

    def _announce(self, tool: OfferedTool, events: list[Event]) -> None:
        self.tool = tool
        self.id = self._new_id(tool.kind.id_prefix)
        place = CallPlace(
            self.id,
            self._unique_call_id(self._call_id),
            tool,
            self._output_index,
            self._number,
            self._approval_request_id,
        )
        self._writer = writer = tool.kind.writer(place)
        if not tool.kind.is_whole:
            events.append(OutputItemAdded(self._number(), self._output_index, writer.added()))
        if self._pieces:
            writer.feed(self.arguments, events)
