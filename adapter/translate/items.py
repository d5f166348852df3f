"""Raw input items to what they mean, each with its path.

Items are looked up by `type` in tables. An item without a type is what look-alike clients and the
easy form mean by it: a message if it has a role, a reference if it has only an id.
"""

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.translate.history import HISTORY
from adapter.types.decoding import decode_at, missing_parameter, unsupported
from adapter.types.input import (
    AdditionalTools,
    CompactionItem,
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


class ReadInput(msgspec.Struct, frozen=True):
    """What `input` holds.

    Attributes:
        items: the conversation.
        tools: raw tools that items bring, with their paths.
        skipped: paths of items that are not shown to the model, by policy.
        triggers: paths of items that ask for compaction.
    """

    items: list[PlacedItem]
    tools: list[tuple[str, Raw]]
    skipped: list[str]
    triggers: list[str]


class _Peek(msgspec.Struct, frozen=True):
    type: str | None = None
    role: str | None = None
    id: str | None = None


_input = msgspec.json.Decoder(str | list[Raw] | dict[str, Raw])
_peek = msgspec.json.Decoder(_Peek)
_part = msgspec.json.Decoder(Part)
_tools = msgspec.json.Decoder(AdditionalTools)

_ITEMS: dict[str, msgspec.json.Decoder[Any]] = {
    "message": msgspec.json.Decoder(MessageItem),
    "reasoning": msgspec.json.Decoder(ReasoningItem),
    "item_reference": msgspec.json.Decoder(ItemReference),
    "mcp_approval_request": msgspec.json.Decoder(McpApprovalRequestItem),
    "mcp_approval_response": msgspec.json.Decoder(McpApprovalResponseItem),
    "mcp_call": msgspec.json.Decoder(McpCallItem),
    "mcp_list_tools": msgspec.json.Decoder(McpListToolsItem),
    # Codex knows the item by three names.
    **dict.fromkeys(
        ("compaction", "compaction_summary", "context_compaction"),
        msgspec.json.Decoder(CompactionItem),
    ),
}
_TOOL_ITEMS = frozenset({"additional_tools", "tool_search_output"})
_PART_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Part))


def read_input(raw: Raw, at: str) -> ReadInput:
    """Decode `input`.

    Args:
        raw: its JSON.
        at: the parameter's name.

    Raises:
        InvalidRequestError: an item of unknown type, or one that does not fit its type.
    """
    read = ReadInput([], [], [], [])
    if not is_given(raw):
        return read
    given = decode_at(_input, raw, at)
    if isinstance(given, str):
        if given:
            read.items.append(PlacedItem(MessageItem("user", given), at))
        return read
    raws: Sequence[Raw] = [raw] if isinstance(given, dict) else given
    if len(raws) > MAX_ITEMS:
        raise InvalidRequestError(
            f"Invalid '{at}': expected at most {MAX_ITEMS} items, got {len(raws)}.",
            code="array_above_max_length",
            param=at,
        )
    for index, item in enumerate(raws):
        _read_item(item, f"{at}[{index}]", read)
    return read


def _read_item(raw: Raw, at: str, read: ReadInput) -> None:
    kind = _kind_of(decode_at(_peek, raw, at), at)
    if kind == TRIGGER:
        read.triggers.append(at)
        return
    if kind in _TOOL_ITEMS:
        found = decode_at(_tools, raw, at).tools
        read.tools.extend((f"{at}.tools[{index}]", tool) for index, tool in enumerate(found))
    item: InputItem | None = None
    if decoder := _ITEMS.get(kind):
        item = decode_at(decoder, raw, at)
    elif row := HISTORY.get(kind):
        item = row.convert(decode_at(row.decoder, raw, at))
    elif kind in _PART_TYPES:  # a bare part is what a user said
        item = MessageItem("user", [decode_at(_part, raw, at)])
    elif kind not in SKIPPED_ITEMS and kind not in _TOOL_ITEMS and ":" not in kind:
        raise unsupported(f"{at}.type", f"{kind[:64]!r} is not an item that can be translated")
    if item is not None:
        read.items.append(PlacedItem(item, at))
    elif kind not in _TOOL_ITEMS:
        read.skipped.append(at)


def _kind_of(peek: _Peek, at: str) -> str:
    if peek.type is not None:
        return peek.type
    if peek.role is not None:
        return "message"
    if peek.id is not None:
        return "item_reference"
    raise missing_parameter(f"{at}.type")
