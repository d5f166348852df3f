"""Kept items as the API shows them: with all keys that the types of the SDK require.

Source: OpenAI SDK 3.51 `ResponseItem`, `ConversationItem`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from adapter.records.items import MESSAGE
from adapter.store.base import StoredItem
from adapter.types.raw import is_given

# Those whose status is not optional; what a client sent is complete unless it says otherwise.
_WITH_STATUS = frozenset(
    {
        MESSAGE,
        "apply_patch_call",
        "apply_patch_call_output",
        "computer_call",
        "computer_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
        "local_shell_call",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
    }
)

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Raw])
_content = msgspec.json.Decoder(str | list[dict[str, Raw]])
_text = msgspec.json.Decoder(str)
_COMPLETED = Raw(b'"completed"')
_AUTO = Raw(b'"auto"')
_NOTHING = Raw(b"[]")
_ASSISTANT = Raw(b'"assistant"')
_IMAGE = Raw(b'"input_image"')
_OUTPUT_TEXT = Raw(b'"output_text"')


class ItemList(msgspec.Struct, frozen=True):
    """A page of items; ids are empty if there is nothing on it, as the SDK has them as text."""

    data: list[dict[str, Any]]
    first_id: str
    last_id: str
    has_more: bool
    object: str = "list"


def to_list(items: Sequence[StoredItem], *, has_more: bool = False) -> ItemList:
    """Return a page of items."""
    first, last = (items[0].id, items[-1].id) if items else ("", "")
    return ItemList([show(item) for item in items], first, last, has_more)


def show(item: StoredItem) -> dict[str, Any]:
    """Return an item as it is shown."""
    fields: dict[str, Any] = _object.decode(item.data)
    kind = _text.decode(fields["type"])
    if kind == MESSAGE:
        fields["content"] = _parts(fields.get("content"), fields.get("role") == _ASSISTANT)
    if kind in _WITH_STATUS and not is_given(fields.get("status", Raw())):
        fields["status"] = _COMPLETED
    if kind == "reasoning" and "summary" not in fields:
        fields["summary"] = _NOTHING
    return fields


def _parts(raw: Raw | None, is_output: bool) -> list[dict[str, Any]]:
    if raw is None or not is_given(raw):
        return []
    content = _content.decode(raw)
    if isinstance(content, str):
        kind = "output_text" if is_output else "input_text"
        return [_part({"type": Raw(_encode(kind)), "text": raw})]
    return [_part(part) for part in content]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == _IMAGE and not is_given(part.get("detail", Raw())):
        return {**part, "detail": _AUTO}
    if part.get("type") == _OUTPUT_TEXT:
        return {"annotations": _NOTHING, "logprobs": _NOTHING, **part}
    return part
