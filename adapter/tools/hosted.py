"""Hosted tools of other types than `mcp`: how the calls of each are shown, a row per type.

What runs one is configured: a tool of an MCP server, or a Python function. The chat model is
offered that tool's own parameters, under the name of the type (or its own, if the type is another
vendor's, which no model was trained on); what of its arguments and its result
belongs into the item, the writer of the type finds.

Source: sheet §7.2 (HOSTED); OpenAI's recorded streams of `web_search`, `file_search` and
`code_interpreter`; Open Responses 2026-04-24 for types of other vendors (`slug:name`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.tools.names import chat_name
from adapter.types import hosted_events as wire
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.hosted import ListedTool, ToolResult
from adapter.types.items import (
    CallStatus,
    CodeInterpreterCall,
    ExtensionCall,
    FileSearchCall,
    ItemStatus,
    OutputItem,
    WebSearchCall,
)

_arguments = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode

# What tools call the one thing that they look for, the most usual name first.
_QUERY_NAMES = ("query", "queries", "q", "search_query", "question", "input", "text", "url")
_CODE_NAMES = ("code", "source", "script", "program", "input", "python")


class _Writer:
    """What the writers of all types share."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place
        self._arguments: str | None = None  # until they are whole

    def added(self) -> OutputItem:
        return self._item("in_progress", None)

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing yet: the events of the type tell where the call is, not its arguments."""

    def resolve(self, result: ToolResult, events: list[Event]) -> OutputItem:
        if result.error is not None:
            return self._item("failed", result)
        self._say_completed(events)
        return self._item("completed", result)

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> OutputItem:
        """End a call that is not made."""
        self._arguments = arguments
        return self._item("incomplete", None)

    def _where(self) -> tuple[int, str, int]:
        place = self._place
        return place.number(), place.id, place.output_index

    def _say_completed(self, events: list[Event]) -> None:
        raise NotImplementedError

    def _item(self, status: CallStatus, result: ToolResult | None) -> OutputItem:
        raise NotImplementedError


class WebSearchWriter(_Writer):
    def written(self, arguments: str, events: list[Event]) -> None:
        self._arguments = arguments
        events.append(wire.WebSearchCallInProgress(*self._where()))
        events.append(wire.WebSearchCallSearching(*self._where()))

    def _say_completed(self, events: list[Event]) -> None:
        events.append(wire.WebSearchCallCompleted(*self._where()))

    def _item(self, status: CallStatus, result: ToolResult | None) -> WebSearchCall:
        queries = _texts(self._arguments or "", _QUERY_NAMES)
        action: dict[str, Any] = {"type": "search", "query": queries[0] if queries else ""}
        if len(queries) > 1:
            action["queries"] = queries
        if result is not None and result.sources:
            action["sources"] = [{"type": "url", "url": source.url} for source in result.sources]
        return WebSearchCall(self._place.id, status, action)


class FileSearchWriter(_Writer):
    def written(self, arguments: str, events: list[Event]) -> None:
        self._arguments = arguments
        events.append(wire.FileSearchCallInProgress(*self._where()))
        events.append(wire.FileSearchCallSearching(*self._where()))

    def _say_completed(self, events: list[Event]) -> None:
        events.append(wire.FileSearchCallCompleted(*self._where()))

    def _item(self, status: CallStatus, result: ToolResult | None) -> FileSearchCall:
        queries = (
            tuple(_texts(self._arguments or "", _QUERY_NAMES)) if status != "in_progress" else ()
        )
        return FileSearchCall(self._place.id, status, queries, _found(result))


class CodeInterpreterWriter(_Writer):
    def written(self, arguments: str, events: list[Event]) -> None:
        self._arguments = arguments
        code = self._code()
        events.append(wire.CodeInterpreterCallInProgress(*self._where()))
        if code:
            events.append(wire.CodeInterpreterCallCodeDelta(*self._where(), code))
        events.append(wire.CodeInterpreterCallCodeDone(*self._where(), code))
        events.append(wire.CodeInterpreterCallInterpreting(*self._where()))

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> OutputItem:
        if self._arguments is None:
            self._arguments = arguments
            events.append(wire.CodeInterpreterCallInProgress(*self._where()))
            code = self._code()
            if code:
                events.append(wire.CodeInterpreterCallCodeDelta(*self._where(), code))
            events.append(wire.CodeInterpreterCallCodeDone(*self._where(), code))
        return self._item("incomplete", None)

    def _say_completed(self, events: list[Event]) -> None:
        events.append(wire.CodeInterpreterCallCompleted(*self._where()))

    def _code(self) -> str:
        return next(iter(_texts(self._arguments or "", _CODE_NAMES)), "")

    def _item(self, status: CallStatus, result: ToolResult | None) -> CodeInterpreterCall:
        place = self._place
        outputs = None if result is None else ({"type": "logs", "logs": result.output},)
        container_id = f"cntr_{place.id.partition('_')[2]}"
        return CodeInterpreterCall(place.id, status, self._code(), container_id, outputs)


class ExtensionWriter(_Writer):
    """Calls of other vendors' types: no events but those of every item."""

    def written(self, arguments: str, events: list[Event]) -> None:
        self._arguments = arguments if arguments.strip() else "{}"

    def _say_completed(self, events: list[Event]) -> None:
        """Say nothing: the item does."""

    def _item(self, status: CallStatus, result: ToolResult | None) -> ExtensionCall:
        error = result.error if result else None
        return ExtensionCall(
            f"{self._place.tool.hosted_type}_call",
            self._place.id,
            status,
            self._arguments or "",
            output=None if result is None or error else result.output,
            error=error,
        )


# type → how its calls are shown. Types with a date in their name are the same tool.
HOSTED_KINDS: Mapping[str, CallKind] = {
    "code_interpreter": CallKind("ci", CodeInterpreterWriter, is_hosted=True),
    "file_search": CallKind("fs", FileSearchWriter, is_hosted=True),
    "web_search": CallKind("ws", WebSearchWriter, is_hosted=True),
}
_EXTENSION = CallKind("ext", ExtensionWriter, is_hosted=True)
_ALIASES = {
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
}


def hosted_type(type: str) -> str:
    """Return the type that a hosted tool is configured under."""
    return _ALIASES.get(type, type)


def can_be_hosted(type: str) -> bool:
    """Tell whether there is a way to show calls of a type: a known one, or another vendor's."""
    return type in HOSTED_KINDS or ":" in type


def offer_hosted(type: str, tool: ListedTool) -> OfferedTool:
    """Return a hosted tool as a chat function.

    Args:
        type: as `hosted_type` says.
        tool: what runs it: its parameters and what it is for.
    """
    definition = ChatFunctionDefinition(
        name=type if type in HOSTED_KINDS else chat_name(tool.name),
        parameters=Raw(_encode({"type": "object", "properties": {}, **tool.input_schema})),
        description=tool.description or UNSET,
    )
    kind = HOSTED_KINDS.get(type, _EXTENSION)
    return OfferedTool(definition, kind, type, hosted_type=type)


def _texts(arguments: str, names: tuple[str, ...]) -> list[str]:
    """Return the texts under the first of the names that is there, or else the first text."""
    try:
        given = _arguments.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return [arguments] if arguments.strip() else []
    known = (given[name] for name in names if name in given)
    for value in (*known, *given.values()):
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
            return value
    return []


def _found(result: ToolResult | None) -> tuple[dict[str, Any], ...] | None:
    """Return the results of a file search, if what ran it says them as the API does."""
    structured = result.structured if result else None
    results = structured.get("results") if isinstance(structured, dict) else None
    if not isinstance(results, list):
        return None
    return tuple(found for found in results if isinstance(found, dict))
