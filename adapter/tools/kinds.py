"""What a call of each kind looks like on our side: its item and its events.

A row is data for `adapter.stream.items.CallItem`; a new kind of call is a new row.
"""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import (
    Event,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
)
from adapter.types.items import FunctionCall, ItemStatus, OutputItem


class CallKind(msgspec.Struct, frozen=True):
    """How calls of one kind are shown.

    Attributes:
        id_prefix: prefix of the item's id.
        item: (id, call_id, tool, arguments, status) to the item.
        delta: (sequence_number, item_id, output_index, delta) to the event for a piece.
        done: (sequence_number, item_id, output_index, arguments) to the event for the whole.
    """

    id_prefix: str
    item: Callable[[str, str, "OfferedTool", str, ItemStatus], OutputItem]
    delta: Callable[[int, str, int, str], Event]
    done: Callable[[int, str, int, str], Event]


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


def _function_call(
    id: str, call_id: str, tool: OfferedTool, arguments: str, status: ItemStatus
) -> FunctionCall:
    return FunctionCall(id, call_id, tool.name, arguments, status, tool.namespace)


FUNCTION_CALL = CallKind(
    id_prefix="fc",
    item=_function_call,
    delta=FunctionCallArgumentsDelta,
    done=FunctionCallArgumentsDone,
)


def unknown_tool(name: str) -> OfferedTool:
    """Return what stands for a tool that was not offered: the model made its name up.

    The client is told by a plain function call, as it would be by a chat server.
    """
    return OfferedTool(
        ChatFunctionDefinition(name=name, parameters={}), kind=FUNCTION_CALL, name=name
    )
