"""What stands for a tool on both sides: the function that a chat model is offered, and the writer
that shows its calls.

A kind of call is a row: the prefix of its ids and its writer. A writer gets the arguments in pieces,
as the model writes them, and says them as the events and the item of its kind; numbers come from the
response's own counter, so that every event is numbered when it is made.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.items import ItemStatus, OutputItem

NextNumber = Callable[[], int]


class CallWriter(Protocol):
    """Shows one call."""

    def added(self) -> OutputItem:
        """Return the item as it is announced: without arguments."""
        ...

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say a piece of the arguments, as far as it can be said now."""
        ...

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> OutputItem:
        """Say the rest and return the whole item."""
        ...


class CallPlace(msgspec.Struct, frozen=True):
    """A call that is being made, and where it stands.

    Attributes:
        id: of the item.
        call_id: of the call.
        tool: the tool that is called.
        output_index: of the item.
        number: the response's counter.
    """

    id: str
    call_id: str
    tool: "OfferedTool"
    output_index: int
    number: NextNumber


class CallKind(msgspec.Struct, frozen=True):
    """How calls of one kind are shown.

    Attributes:
        id_prefix: prefix of the item's id.
        writer: makes the writer of a call.
    """

    id_prefix: str
    writer: Callable[[CallPlace], CallWriter]


class OfferedTool(msgspec.Struct, frozen=True):
    """A tool as the chat model knows it, and the way back.

    Attributes:
        definition: the function that the chat model is offered.
        kind: how its calls are shown.
        name: its name on our side.
        namespace: the namespace that it came from.
    """

    definition: ChatFunctionDefinition
    kind: CallKind
    name: str
    namespace: str | UnsetType = UNSET
