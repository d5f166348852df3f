"""Items of a request as they are kept: each with its type and an id, and none with a secret.

What a client sends is kept as it came, but for that. How it is shown when it is asked for, with all
that the types of the SDK require, is `adapter.records.shown`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec
from msgspec import Raw

from adapter.errors import NotFoundError
from adapter.store.base import StoredItem
from adapter.tools.mcp import without_secrets
from adapter.translate.items import TRIGGER
from adapter.translate.replay import own_input
from adapter.types.decoding import decode_at, missing_parameter
from adapter.types.parts import Part
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

REFERENCE = "item_reference"
MESSAGE = "message"

# As OpenAI names them (recordings of its API); outputs are named for their calls.
_PREFIXES = {
    "additional_tools": "at",
    "apply_patch_call": "apc",
    "apply_patch_call_output": "apco",
    "code_interpreter_call": "ci",
    "compaction": "cmp",
    "compaction_summary": "cmp",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "context_compaction": "cmp",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "file_search_call": "fs",
    "function_call": "fc",
    "function_call_output": "fco",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    MESSAGE: "msg",
    "reasoning": "rs",
    "shell_call": "sh",
    "shell_call_output": "sho",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "web_search_call": "ws",
}
_OTHER_PREFIX = "item"
_PART_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Part))
_TOOL_ITEMS = frozenset({"additional_tools", "tool_search_output"})

_encode = msgspec.json.Encoder().encode
_input = msgspec.json.Decoder(str | list[Raw] | dict[str, Raw])
_object = msgspec.json.Decoder(dict[str, Raw])
_tools = msgspec.json.Decoder(list[Any])


class _Head(msgspec.Struct, frozen=True):
    type: str | None = None
    role: str | None = None
    id: str | None = None


_head = msgspec.json.Decoder(_Head)


class GivenItem(msgspec.Struct, frozen=True):
    """An item as a client gave it.

    Attributes:
        kind: its type, also if it goes without saying.
        id: its id, if it has one.
        raw: its JSON.
        at: its path in the request.
    """

    kind: str
    id: str | None
    raw: Raw
    at: str


def read_items(raw: bytes, at: str = "input") -> list[GivenItem]:
    """Return the items of an `input`: a text is the one message that it stands for.

    Raises:
        InvalidRequestError: there is something else.
    """
    if not is_given(Raw(raw)):
        return []
    given = decode_at(_input, raw, at)
    if isinstance(given, str):
        message = Raw(_encode({"type": MESSAGE, "role": "user", "content": given}))
        return [GivenItem(MESSAGE, None, message, at)] if given else []
    raws: Sequence[Raw] = [Raw(raw)] if isinstance(given, dict) else given
    return [_read(item, f"{at}[{index}]") for index, item in enumerate(raws)]


def own_items(request: ResponseRequest) -> list[GivenItem]:
    """Return the items that a request brings, under whichever name.

    Raises:
        InvalidRequestError: there is something else.
    """
    return read_items(own_input(request))


def references(items: Iterable[GivenItem]) -> list[str]:
    """Return the ids of items that are only referred to."""
    return [item.id for item in items if item.kind == REFERENCE and item.id]


def resolve(items: Sequence[GivenItem], found: Mapping[str, bytes]) -> list[GivenItem]:
    """Return the items with what is referred to in place of the references.

    Args:
        items: of a request.
        found: JSON of items by id.

    Raises:
        NotFoundError: one was not found.
    """
    return [_resolve(item, found) if item.kind == REFERENCE else item for item in items]


def join_items(items: Iterable[GivenItem]) -> Raw:
    """Return the JSON array of the items."""
    return Raw(b"[" + b",".join(bytes(item.raw) for item in items) + b"]")


def to_stored(
    items: Iterable[GivenItem], new_id: Callable[[str], str], taken: Collection[str] = ()
) -> list[StoredItem]:
    """Return the items as they are kept.

    Args:
        items: without references.
        new_id: (prefix) to a new id, for those that have none of their own.
        taken: ids that none of them may have.
    """
    used = set(taken)
    stored = []
    for item in items:
        if item.kind == TRIGGER:
            continue  # of the request, not of the conversation
        id = item.id
        if not id or id in used:
            id = new_id(_PREFIXES.get(item.kind, _OTHER_PREFIX))
        used.add(id)
        stored.append(StoredItem(id, _to_json(item, id)))
    return stored


def _read(raw: Raw, at: str) -> GivenItem:
    head = decode_at(_head, raw, at)
    if head.type in _PART_TYPES:  # a bare part is what a user said
        parts = [_object.decode(raw)]
        message = {"type": MESSAGE, "role": "user", "content": parts}
        return GivenItem(MESSAGE, None, Raw(_encode(message)), at)
    kind = head.type
    if kind is None:
        kind = MESSAGE if head.role is not None else REFERENCE
    if kind == REFERENCE and head.id is None:
        raise missing_parameter(f"{at}.type" if head.type is None else f"{at}.id")
    return GivenItem(kind, head.id, raw, at)


def _resolve(item: GivenItem, found: Mapping[str, bytes]) -> GivenItem:
    data = found.get(item.id or "")
    if data is None:
        raise NotFoundError(
            f"Item with id '{(item.id or '')[:128]}' not found.",
            code="item_not_found",
            param=f"{item.at}.id",
        )
    kind = _head.decode(data).type or MESSAGE
    return GivenItem(kind, item.id, Raw(data), item.at)


def _to_json(item: GivenItem, id: str) -> bytes:
    raw = bytes(item.raw)
    if item.kind not in _TOOL_ITEMS:
        head = _head.decode(raw)
        if (head.type, head.id) == (item.kind, id):
            return raw
        # What is usually missing goes before the rest, in half the time of writing it all anew.
        if b'"id"' not in raw and head.type is not None:
            return b'{"id":' + _encode(id) + b"," + raw[1:]
        if b'"id"' not in raw and b'"type"' not in raw:
            return _encode({"type": item.kind, "id": id})[:-1] + b"," + raw[1:]
    fields: dict[str, Any] = {"type": item.kind, "id": id}
    fields |= {name: raw for name, raw in _object.decode(item.raw).items() if name not in fields}
    if item.kind in _TOOL_ITEMS and is_given(tools := fields.get("tools", Raw())):
        fields["tools"] = [without_secrets(tool) for tool in decode_at(_tools, tools, item.at)]
    return _encode(fields)
