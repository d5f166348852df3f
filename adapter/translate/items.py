"""Raw input items to typed ones, each with its path.

Items are looked up by `type` in a table. An item without a type is what look-alike clients and
the easy form mean by it: a message if it has a role, a reference if it has only an id.
"""

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.translate.messages import PlacedItem
from adapter.types.decoding import decode_at, missing_parameter, unsupported
from adapter.types.input import (
    FunctionCallItem,
    FunctionCallOutputItem,
    ItemReference,
    MessageItem,
    ReasoningItem,
)
from adapter.types.parts import Part
from adapter.types.raw import is_given

MAX_ITEMS = 100_000

# Calls that a hosting server made by itself, and what belongs to them. The model's answer already
# tells what came of them, and chat completions have no place for them.
SKIPPED_ITEMS = frozenset(
    {
        "code_interpreter_call",
        "file_search_call",
        "image_generation_call",
        "program",
        "program_output",
        "web_search_call",
    }
)


class _Peek(msgspec.Struct, frozen=True):
    type: str | None = None
    role: str | None = None
    id: str | None = None


_input = msgspec.json.Decoder(str | list[Raw] | dict[str, Raw])
_peek = msgspec.json.Decoder(_Peek)
_part = msgspec.json.Decoder(Part)

_ITEMS: dict[str, msgspec.json.Decoder[Any]] = {
    "message": msgspec.json.Decoder(MessageItem),
    "reasoning": msgspec.json.Decoder(ReasoningItem),
    "function_call": msgspec.json.Decoder(FunctionCallItem),
    "function_call_output": msgspec.json.Decoder(FunctionCallOutputItem),
    "item_reference": msgspec.json.Decoder(ItemReference),
}
_PART_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Part))


def read_input(raw: Raw, at: str) -> tuple[list[PlacedItem], list[str]]:
    """Decode `input`.

    Args:
        raw: its JSON.
        at: the parameter's name.

    Returns:
        The items with their paths, and the paths of items that are skipped by policy.

    Raises:
        InvalidRequestError: an item of unknown type, or one that does not fit its type.
    """
    if not is_given(raw):
        return [], []
    given = decode_at(_input, raw, at)
    if given == "":
        return [], []
    if isinstance(given, str):
        return [PlacedItem(MessageItem("user", given), at)], []
    raws = [raw] if isinstance(given, dict) else given
    return _read_items(raws, at)


def _read_items(raws: Sequence[Raw], at: str) -> tuple[list[PlacedItem], list[str]]:
    if len(raws) > MAX_ITEMS:
        raise InvalidRequestError(
            f"Invalid '{at}': expected at most {MAX_ITEMS} items, got {len(raws)}.",
            code="array_above_max_length",
            param=at,
        )
    items: list[PlacedItem] = []
    skipped: list[str] = []
    for index, raw in enumerate(raws):
        path = f"{at}[{index}]"
        item = _read_item(raw, path)
        if item is None:
            skipped.append(path)
        else:
            items.append(PlacedItem(item, path))
    return items, skipped


def _read_item(raw: Raw, at: str) -> Any:
    peek = decode_at(_peek, raw, at)
    kind = peek.type
    if kind is None:
        if peek.role is not None:
            kind = "message"
        elif peek.id is not None:
            kind = "item_reference"
        else:
            raise missing_parameter(f"{at}.type")
    if decoder := _ITEMS.get(kind):
        return decode_at(decoder, raw, at)
    if kind in _PART_TYPES:  # a bare part is what a user said
        return MessageItem("user", [decode_at(_part, raw, at)])
    if kind in SKIPPED_ITEMS or ":" in kind:
        return None
    raise unsupported(f"{at}.type", f"{kind[:64]!r} is not an item that can be translated")
