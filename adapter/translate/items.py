"""Raw input items to what they mean, each with its path.

Items are looked up by `type` in tables. An item without a type is what look-alike clients and the
easy form mean by it: a message if it has a role, a reference if it has only an id. Most inputs are
decoded in one pass (`adapter.translate.one_pass`); the others item by item.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import cast, get_args

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.translate.history import HISTORY, ItemRow, item_row
from adapter.translate.one_pass import Meaning, OnePass, Peek
from adapter.types.decoding import decode_at, missing_parameter, unsupported
from adapter.types.input import (
    AdditionalTools,
    CompactionItem,
    EasyMessageItem,
    InputItem,
    ItemReference,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpListToolsItem,
    MessageItem,
    ReasoningItem,
)
from adapter.types.parts import Part
from adapter.types.raw import is_given

MAX_ITEMS = 100_000
TRIGGER = "compaction_trigger"  # of a request, not of the conversation

# Calls that a hosting server made by itself, and what belongs to them. The model's answer already
# tells what came of them, and chat completions have no place for them.
SKIPPED_ITEMS = frozenset(
    {
        "code_interpreter_call",
        "configuration_update",
        "file_search_call",
        "image_generation_call",
        "program",
        "program_output",
        "web_search_call",
    }
)


class PlacedItem(msgspec.Struct, frozen=True):
    """An item and where it stands.

    Attributes:
        item: the item.
        at: its path in the request; empty for an item of a stored response.
    """

    item: InputItem
    at: str = ""


def kinds_of(items: Iterable[PlacedItem]) -> set[type[InputItem]]:
    """Return the classes of items: most conversations have few, and a step has to do with one."""
    return set(map(type, map(_item_of, items)))


class ReadInput(msgspec.Struct, frozen=True):
    """What `input` holds.

    Attributes:
        items: the conversation.
        tools: raw tools that items bring, with their paths.
        skipped: paths of items that are not shown to the model, by policy.
        triggers: paths of items that ask for compaction.
    """

    items: list[PlacedItem] = []
    tools: list[tuple[str, Raw]] = []
    skipped: list[str] = []
    triggers: list[str] = []


_input = msgspec.json.Decoder(str | list[Raw] | dict[str, Raw])
_peek = msgspec.json.Decoder(Peek)
_part = msgspec.json.Decoder(Part)
_item_of = attrgetter("item")
_tools = msgspec.json.Decoder(AdditionalTools)


def _message(item: MessageItem) -> MessageItem:
    if type(item) is MessageItem:
        return item
    return MessageItem(item.role, item.content, item.id, item.status, item.phase)


_compaction = item_row(CompactionItem)
_ROWS: dict[str, ItemRow] = {
    "message": ItemRow(MessageItem, msgspec.json.Decoder(EasyMessageItem), _message),
    "reasoning": item_row(ReasoningItem),
    "item_reference": item_row(ItemReference),
    "mcp_approval_request": item_row(McpApprovalRequestItem),
    "mcp_approval_response": item_row(McpApprovalResponseItem),
    "mcp_call": item_row(McpCallItem),
    "mcp_list_tools": item_row(McpListToolsItem),
    # Codex knows the item by three names.
    **dict.fromkeys(("compaction", "compaction_summary", "context_compaction"), _compaction),
    **HISTORY,
}
_TOOL_ITEMS = frozenset({"additional_tools", "tool_search_output"})
_PART_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Part))
_UNFINISHED = frozenset({Raw, type(None)})  # what is no item, or not yet one
_one_pass = OnePass({tag: row for tag, row in _ROWS.items() if tag not in _TOOL_ITEMS})


def read_input(raw: Raw, at: str) -> ReadInput:
    """Decode `input`.

    Args:
        raw: its JSON.
        at: the parameter's name.

    Raises:
        InvalidRequestError: an item of unknown type, or one that does not fit its type.
    """
    if not is_given(raw):
        return ReadInput()
    given = _one_pass.read_all(raw)
    if isinstance(given, str):
        return ReadInput([PlacedItem(MessageItem("user", given), at)] if given else [])
    if given is None:
        raws = _split(raw, at)
        _check_count(raws, at)
        return _placed(_one_pass.read_each(raws), at)
    _check_count(given, at)
    return _placed(given, at)


def _split(raw: Raw, at: str) -> Sequence[Raw]:
    given = decode_at(_input, raw, at)
    return [raw] if isinstance(given, dict) else given


def _placed(given: Sequence[Meaning | Raw], at: str) -> ReadInput:
    """Return what an input holds, of which some items may still have to be read by their type."""
    places = [f"{at}[{index}]" for index in range(len(given))]
    if _UNFINISHED.isdisjoint(map(type, given)):
        items = cast("Sequence[InputItem]", given)  # as all of them are finished
        return ReadInput(list(map(PlacedItem, items, places)))
    read = ReadInput()
    for item, place in zip(given, places, strict=True):
        if isinstance(item, Raw):
            read_by_type(item, place, read)
        else:
            _add(item, place, read)
    return read


def _check_count(items: Sequence[object], at: str) -> None:
    if len(items) > MAX_ITEMS:
        raise InvalidRequestError(
            f"Invalid '{at}': expected at most {MAX_ITEMS} items, got {len(items)}.",
            code="array_above_max_length",
            param=at,
        )


def _add(item: InputItem | None, at: str, read: ReadInput) -> None:
    """Keep an item, or its place if there is no way to show it."""
    if item is not None:
        read.items.append(PlacedItem(item, at))
    else:
        read.skipped.append(at)


def read_by_type(raw: Raw, at: str, read: ReadInput) -> None:
    """Read an item by its type, and say what is wrong with it.

    Raises:
        InvalidRequestError: it is of unknown type, or does not fit its type.
    """
    kind = _kind_of(decode_at(_peek, raw, at), at)
    if kind == TRIGGER:
        read.triggers.append(at)
        return
    if kind in _TOOL_ITEMS:
        found = decode_at(_tools, raw, at).tools
        read.tools.extend((f"{at}.tools[{index}]", tool) for index, tool in enumerate(found))
    item: InputItem | None = None
    if row := _ROWS.get(kind):
        item = decode_at(row.decoder, raw, at)
        item = item if row.convert is None else row.convert(item)
    elif kind in _PART_TYPES:  # a bare part is what a user said
        item = MessageItem("user", [decode_at(_part, raw, at)])
    elif kind not in SKIPPED_ITEMS and kind not in _TOOL_ITEMS and ":" not in kind:
        raise unsupported(f"{at}.type", f"{kind[:64]!r} is not an item that can be translated")
    if item is not None or kind not in _TOOL_ITEMS:
        _add(item, at, read)


def _kind_of(peek: Peek, at: str) -> str:
    if peek.type is not None:
        return peek.type
    if peek.role is not None:
        return "message"
    if peek.id is not None:
        return "item_reference"
    raise missing_parameter(f"{at}.type")
