"""Function tools: flat in Responses, nested in chat completions.

Source: sheet §5; a chat-style nested definition is accepted too, as look-alike clients send it.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.tools.names import chat_name
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.decoding import UNREADABLE, decode_at
from adapter.types.events import Event, FunctionCallArgumentsDelta, FunctionCallArgumentsDone
from adapter.types.items import FunctionCall, ItemStatus
from adapter.types.tools import FunctionTool

Name = Annotated[str, Meta(min_length=1, max_length=128)]
NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


class _Nested(msgspec.Struct, frozen=True):
    name: Name
    description: str | None = None
    parameters: dict[str, Raw] | None = None
    strict: bool | None = None


class _Given(msgspec.Struct, frozen=True):
    function: _Nested | None = None


class _Either(_Nested, frozen=True):
    function: _Nested | None = None


_either = msgspec.json.Decoder(_Either)
_given = msgspec.json.Decoder(_Given)
_flat = msgspec.json.Decoder(_Nested)


class FunctionCallWriter:
    """Says the arguments as they come."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> FunctionCall:
        return self._item("", "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        place = self._place
        events.append(
            FunctionCallArgumentsDelta(place.number(), place.id, place.output_index, piece)
        )

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> FunctionCall:
        """Say the whole; a finished call without arguments has `{}`."""
        place = self._place
        if status == "completed" and not arguments.strip():
            self.feed("{}", events)
            arguments += "{}"
        events.append(
            FunctionCallArgumentsDone(place.number(), place.id, place.output_index, arguments)
        )
        return self._item(arguments, status)

    def _item(self, arguments: str, status: ItemStatus) -> FunctionCall:
        place = self._place
        return FunctionCall(
            place.id, place.call_id, place.tool.name, arguments, status, place.tool.namespace
        )


FUNCTION_CALL = CallKind(id_prefix="fc", writer=FunctionCallWriter)


def read_function(raw: Raw, at: str) -> FunctionTool:
    """Decode a function tool, flat or nested.

    Raises:
        InvalidRequestError: no name, or a field of the wrong type.
    """
    try:
        given = _either.decode(raw)
        tool = given.function or given
    except UNREADABLE:  # nested alone, or wrong; what is beside a nested one does not matter
        tool = decode_at(_given, raw, at).function or decode_at(_flat, raw, at)
    return FunctionTool(tool.name, tool.description, tool.parameters, tool.strict)


def offer_function(
    tool: FunctionTool, namespace: str | UnsetType = UNSET, about: str = ""
) -> OfferedTool:
    """Return the tool as a chat function; `strict` is sent only if the client gave it.

    Args:
        tool: the tool.
        namespace: that it stands in.
        about: the namespace's description.
    """
    description = tool.description
    if about:
        description = f"{about}\n\n{description}" if description else about
    definition = ChatFunctionDefinition(
        name=chat_name(tool.name, namespace),
        parameters=tool.parameters or NO_PARAMETERS,
        description=UNSET if description is None else description,
        strict=UNSET if tool.strict is None else tool.strict,
    )
    return OfferedTool(definition, FUNCTION_CALL, tool.name, namespace)


def unknown_tool(name: str) -> OfferedTool:
    """Return what stands for a tool that was not offered: the model made its name up.

    The client is told by a plain function call, as it would be by a chat server.
    """
    definition = ChatFunctionDefinition(name=name, parameters=NO_PARAMETERS)
    return OfferedTool(definition, FUNCTION_CALL, name)
