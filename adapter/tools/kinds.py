"""What stands for a tool on both sides: the function that a chat model is offered, and the writer
that shows its calls.

A kind of call is a row: the prefix of its ids and its writer. A writer gets the arguments in pieces,
as the model writes them, and says them as the events and the item of its kind; numbers come from the
response's own counter, so that every event is numbered when it is made.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.hosted import ToolResult
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


class HostedWriter(CallWriter, Protocol):
    """Shows one call that is made here, between its arguments and its end.

    `close` is only for a call that is not made: one that was cut off.
    """

    def written(self, arguments: str, events: list[Event]) -> None:
        """Say the rest of the arguments: the call is being made."""
        ...

    def resolve(self, result: ToolResult, events: list[Event]) -> OutputItem:
        """Say what came of it and return the whole item."""
        ...


class CallPlace(msgspec.Struct, frozen=True):
    """A call that is being made, and where it stands.

    Attributes:
        id: of the item.
        call_id: of the call.
        tool: the tool that is called.
        output_index: of the item.
        number: the response's counter.
        approval_request_id: of the request that the client has approved.
    """

    id: str
    call_id: str
    tool: "OfferedTool"
    output_index: int
    number: NextNumber
    approval_request_id: str | None = None


class CallKind(msgspec.Struct, frozen=True):
    """How calls of one kind are shown.

    Attributes:
        id_prefix: prefix of the item's id.
        writer: makes the writer of a call.
        is_hosted: calls are made here, and the writer is a `HostedWriter`.
        is_whole: calls are announced when they are whole, and one that was cut off is not.
    """

    id_prefix: str
    writer: Callable[[CallPlace], CallWriter]
    is_hosted: bool = False
    is_whole: bool = False


class GrammarInput(msgspec.Struct, frozen=True, tag="grammar"):
    """The `format` of a custom tool whose input has to fit a grammar."""

    syntax: Literal["lark", "regex"]
    definition: str


class OfferedTool(msgspec.Struct, frozen=True):
    """A tool as the chat model knows it, and the way back.

    Attributes:
        definition: the function that the chat model is offered.
        kind: how its calls are shown.
        name: its name on our side.
        namespace: the namespace that it came from.
        server_label: the MCP server that has it.
        hosted_type: the type of tool that it stands for, if it is hosted otherwise.
        grammar: that its input has to fit, if it is a custom tool.
    """

    definition: ChatFunctionDefinition
    kind: CallKind
    name: str
    namespace: str | UnsetType = UNSET
    server_label: str = ""
    hosted_type: str = ""
    grammar: GrammarInput | None = None

    @property
    def runs_here(self) -> bool:
        """Whether its calls are made here, perhaps once the client has approved them."""
        return bool(self.server_label or self.hosted_type)
