"""All items of an input decoded in one go, where they tell their types, as most do.

The item classes have no tags, because items may come without a type. Here each has one, and holds
what is checked of items of every type. What does not fit is left to `adapter.translate.items`, which
reads by type and says what is wrong, and where.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

import msgspec
from msgspec import Raw

from adapter.translate.history import ItemRow
from adapter.types.decoding import UNREADABLE
from adapter.types.input import InputItem, MessageItem

Meaning = InputItem | None


class Peek(msgspec.Struct, frozen=True):
    """What is checked of items of every type."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class _EasyMessage(MessageItem, frozen=True):
    """A message that may leave its type out."""

    type: Literal["message"] | None = None


class OnePass:
    """Decodes items of known types.

    Args:
        rows: the types; that of messages stands for easy ones, too.
    """

    def __init__(self, rows: Mapping[str, ItemRow]) -> None:
        tagged = {_tagged(tag, row.kind): row for tag, row in rows.items()}
        item: Any = Union[tuple(tagged)]  # noqa: UP007  # known when it runs
        self._all = (
            msgspec.json.Decoder(str | list[item]),
            msgspec.json.Decoder(list[_EasyMessage]),
        )
        self._one = (msgspec.json.Decoder(item), msgspec.json.Decoder(_EasyMessage))
        self._meanings = {kind: _meaning(row) for kind, row in tagged.items()}
        self._meanings[_EasyMessage] = _meaning(rows["message"])

    def read_all(self, raw: Raw) -> str | Sequence[Meaning] | None:
        """Return a text, or what all items mean; None if they have to be read one by one."""
        given: str | list[Any] | None = _decode(raw, self._all)
        if not isinstance(given, list):
            return given
        meanings = self._meanings
        return [meanings[type(item)](item) for item in given]

    def read_one(self, raw: Raw) -> tuple[Meaning] | None:
        """Return what an item means, or None if it has to be read by its type."""
        item = _decode(raw, self._one)
        return None if item is None else (self._meanings[type(item)](item),)


def _decode(raw: Raw, decoders: Sequence[msgspec.json.Decoder[Any]]) -> Any:
    for decoder in decoders:
        try:
            return decoder.decode(raw)
        except UNREADABLE:
            continue
    return None


def _tagged(tag: str, kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the class of an item among others."""
    checked = [
        (name, str | None, None) for name in ("role", "id") if name not in kind.__struct_fields__
    ]
    return msgspec.defstruct(kind.__name__, checked, bases=(kind,), tag=tag, frozen=True)


def _meaning(row: ItemRow) -> Callable[[Any], Meaning]:
    if row.convert is not None:
        return row.convert
    kind, count = row.kind, len(row.kind.__struct_fields__)
    return lambda item: kind(*msgspec.structs.astuple(item)[:count])
