"""Custom (freeform) tools: a function with one string, whose text is the tool's input.

A grammar goes into the description; where an upstream can be held to it, `adapter.translate.fit`
sees to that.

Source: sheet §5; `clients.md` §0.5.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from adapter.tools.kinds import CallKind, CallPlace, GrammarInput, OfferedTool
from adapter.tools.names import chat_name
from adapter.tools.unwrap import FIELD, InputReader
from adapter.types.chat import ChatFunctionDefinition, ChatTool
from adapter.types.decoding import decode_at
from adapter.types.events import CustomToolCallInputDelta, CustomToolCallInputDone, Event
from adapter.types.items import CustomToolCall, ItemStatus

_PARAMETERS = Raw(
    b'{"type":"object","properties":{"input":{"type":"string",'
    b'"description":"The whole input of the tool, as plain text."}},"required":["input"],'
    b'"additionalProperties":false}'
)


_WITH_PATTERN = bytes(_PARAMETERS).partition(b"}")[0] + b',"pattern":'


class TextInput(msgspec.Struct, frozen=True, tag="text"):
    pass


class CustomTool(msgspec.Struct, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    description: str | None = None
    format: TextInput | GrammarInput | None = None


_tool = msgspec.json.Decoder(CustomTool)
_json = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class CustomCallWriter:
    """Says the input as it comes out of the arguments."""

    def __init__(self, place: CallPlace, reader: InputReader | None = None) -> None:
        self._place = place
        self._reader = reader or InputReader()

    def added(self) -> CustomToolCall:
        return self._item("", "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        self._say(self._reader.feed(piece), events)

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> CustomToolCall:
        place = self._place
        self._say(self._reader.rest(arguments), events)
        text = self._reader.text
        events.append(CustomToolCallInputDone(place.number(), place.id, place.output_index, text))
        return self._item(text, status)

    def _say(self, text: str, events: list[Event]) -> None:
        place = self._place
        if text:
            events.append(
                CustomToolCallInputDelta(place.number(), place.id, place.output_index, text)
            )

    def _item(self, text: str, status: ItemStatus) -> CustomToolCall:
        place = self._place
        return CustomToolCall(
            place.id, place.call_id, place.tool.name, text, status, place.tool.namespace
        )


CUSTOM_CALL = CallKind(id_prefix="ctc", writer=CustomCallWriter)
GRAMMAR_CALL = CallKind(
    id_prefix="ctc",
    writer=lambda place: CustomCallWriter(place, InputReader(place.tool.name)),
)


def read_custom(raw: Raw, at: str) -> CustomTool:
    """Decode a custom tool.

    Raises:
        InvalidRequestError: no name, or a field of the wrong type.
    """
    tool: CustomTool = decode_at(_tool, raw, at)
    return tool


def offer_custom(
    tool: CustomTool, namespace: str | UnsetType = UNSET, about: str = ""
) -> OfferedTool:
    """Return the tool as a chat function; a grammar goes into its description.

    Args:
        tool: the tool.
        namespace: that it stands in.
        about: the namespace's description.
    """
    texts = [about, tool.description or ""]
    grammar = tool.format if isinstance(tool.format, GrammarInput) else None
    if grammar is not None:
        texts.append(f"The input must match this {grammar.syntax} grammar:\n{grammar.definition}")
    definition = ChatFunctionDefinition(
        name=chat_name(tool.name, namespace),
        parameters=_PARAMETERS,
        description="\n\n".join(filter(None, texts)) or UNSET,
    )
    kind = CUSTOM_CALL if grammar is None else GRAMMAR_CALL
    return OfferedTool(definition, kind, tool.name, namespace, grammar=grammar)


def with_pattern(definition: ChatFunctionDefinition, pattern: str) -> ChatFunctionDefinition:
    """Return the function of a custom tool with a regular expression for its input."""
    parameters = _json.decode(bytes(definition.parameters))  # type: ignore[arg-type]  # it is raw
    parameters["properties"][FIELD]["pattern"] = pattern
    return msgspec.structs.replace(definition, parameters=Raw(_encode(parameters)))


def has_pattern(tool: ChatTool) -> bool:
    """Tell whether a function is that of a custom tool with a regular expression for its input."""
    parameters = tool.function.parameters
    return isinstance(parameters, Raw) and bytes(parameters).startswith(_WITH_PATTERN)


def as_given(tool: OfferedTool) -> OfferedTool:
    """Return a custom tool whose input comes as it is meant, with nothing around it."""
    return msgspec.structs.replace(tool, kind=CUSTOM_CALL)


def wrap_input(text: str) -> dict[str, Any]:
    """Return the arguments of the function for an input in history."""
    return {FIELD: text}
