"""Chunks whose empty values have the wrong type: what is empty is as good as missing.

Relays in languages without types write `[]` for an object, `""` for a list or `false` for nothing,
and numbers as text. What says something, and has the wrong type, stays wrong.
"""

import re
from typing import Any

import msgspec

from adapter.types.chat import ChatChunk

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_chunk = msgspec.json.Decoder(ChatChunk)
_NUMBER = re.compile(r"[0-9]{1,9}")


def mend_chunk(data: bytes) -> ChatChunk | None:
    """Return a chunk that could not be decoded as it came, or None if it cannot be mended."""
    try:
        return _chunk.decode(_encode(_mend(_decode(data))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _mend(value: Any) -> Any:
    if isinstance(value, list):
        return [_mend(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: int(each) if _is_number(key, each) else _mend(each)
        for key, each in value.items()
        if key == "arguments" or not _is_empty(each)
    }


def _is_empty(value: Any) -> bool:
    return value is False or (isinstance(value, str | list | dict) and not value)


def _is_number(key: str, value: Any) -> bool:
    return key == "index" and isinstance(value, str) and bool(_NUMBER.fullmatch(value))
