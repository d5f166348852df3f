"""`tool_search` that the client runs: its arguments are shown as they are.

Source: sheet §5; `clients.md` §1 (Codex wants the arguments as an object).
"""

from typing import Any

import msgspec
from msgspec import Raw

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.decoding import decode_at, is_too_deep
from adapter.types.events import Event
from adapter.types.items import ItemStatus, ToolSearchCall

_SEARCH_PARAMETERS = Raw(
    b'{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer"}},'
    b'"required":["query"]}'
)


class SearchTool(msgspec.Struct, frozen=True):
    execution: str | None = None
    description: str | None = None
    parameters: dict[str, Raw] | None = None


_tool = msgspec.json.Decoder(SearchTool)
_json = msgspec.json.Decoder()


class SearchCallWriter:
    """Says nothing but the item, which shows the arguments as an object."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> ToolSearchCall:
        return ToolSearchCall(self._place.id, self._place.call_id, {}, "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> ToolSearchCall:
        value = _decode(arguments)
        shown = value if isinstance(value, dict) else {"query": arguments.strip().strip('"')}
        return ToolSearchCall(self._place.id, self._place.call_id, shown, status)


TOOL_SEARCH_CALL = CallKind(id_prefix="tsc", writer=SearchCallWriter)


def read_search(raw: Raw, at: str) -> SearchTool:
    """Decode a `tool_search` tool.

    Raises:
        InvalidRequestError: a field of the wrong type.
    """
    tool: SearchTool = decode_at(_tool, raw, at)
    return tool


def offer_search(tool: SearchTool) -> OfferedTool:
    """Return the function that stands for the `tool_search` tool."""
    definition = ChatFunctionDefinition(
        name="tool_search",
        parameters=tool.parameters or _SEARCH_PARAMETERS,
        description=tool.description or "Search for tools that are not listed yet.",
    )
    return OfferedTool(definition, TOOL_SEARCH_CALL, definition.name)


def _decode(arguments: str) -> Any:
    """Return what the model wrote, or None if it cannot be shown as JSON."""
    try:
        value = _json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return None
    return None if is_too_deep(value) else value
