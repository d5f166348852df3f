"""Items of an input decoded in one go, where they tell their types, as most do.

Most item classes have no tags, because items may come without a type. Here each has one, and holds
what is checked of items of every type. What does not fit is left to `adapter.translate.items`, which
reads by type and says what is wrong, and where.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

import msgspec
from msgspec import Raw

from adapter.translate.history import ItemRow
from adapter.types.decoding import UNREADABLE
from adapter.types.input import EasyMessageItem, InputItem

Meaning = InputItem | None


class Peek(msgspec.Struct, frozen=True):
    """What is checked of items of every type."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


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
            msgspec.json.Decoder(list[EasyMessageItem]),
        )
        self._typed = msgspec.json.Decoder(item).decode
        self._easy = msgspec.json.Decoder(EasyMessageItem).decode
        self._meanings = {kind: _meaning(row) for kind, row in tagged.items()}
        self._meanings[EasyMessageItem] = _meaning(rows["message"])

    def read_all(self, raw: Raw) -> str | Sequence[Meaning] | None:
        """Return a text, or what all items mean; None if they have to be read one by one."""
        for decoder in self._all:
            try:
                given: str | list[Any] = decoder.decode(raw)
            except UNREADABLE:
                continue
            if isinstance(given, str):
                return given
            meanings = self._meanings
            return [meanings[type(item)](item) for item in given]
        return None

    def read_each(self, raws: Sequence[Raw]) -> Sequence[Meaning | Raw]:
        """Return what each item means; those that have to be read by their type stay as they are.

        Agents mix typed items with easy messages: all is in one loop, 40 bytecodes for an item.
        """
        typed, easy, meanings = self._typed, self._easy, self._meanings
        read: list[Meaning | Raw] = []
        for raw in raws:
            try:
                item = typed(raw)
            except UNREADABLE:
                try:
                    item = easy(raw)
                except UNREADABLE:
                    read.append(raw)
                    continue
            read.append(meanings[type(item)](item))
        return read


def _tagged(tag: str, kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the class of an item among others."""
    if kind.__struct_config__.tag == tag:
        return kind
    checked = [
        (name, str | None, None) for name in ("role", "id") if name not in kind.__struct_fields__
    ]
    return msgspec.defstruct(kind.__name__, checked, bases=(kind,), tag=tag, frozen=True)


def _meaning(row: ItemRow) -> Callable[[Any], Meaning]:
    if row.convert is not None:
        return row.convert
    kind, count = row.kind, len(row.kind.__struct_fields__)
    return lambda item: kind(*msgspec.structs.astuple(item)[:count])
