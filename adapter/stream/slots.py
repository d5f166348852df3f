"""Which call a fragment belongs to, whatever a server does with indexes and ids.

Servers count indexes from 0 or from 1, repeat index 0 for every call, leave indexes or ids out, or
repeat the id on every fragment (`observed.md` §2, `reported.md` §3.2).
"""

from collections.abc import Iterable

import msgspec

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Slot:
    """One call, as far as telling fragments apart needs it."""

    def __init__(self, number: int, id: str, name: str) -> None:
        self.number = number
        self.id = id
        self.name = name
        self.pieces: list[str] = []

    def is_complete(self) -> bool:
        return is_object("".join(self.pieces))


class CallSlots:
    """Gives each call of a turn a number, by first sight."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}
        self._by_id: dict[tuple[int | None, str], _Slot] = {}

    def assign(self, index: int | None, id: str, name: str, arguments: str) -> int:
        """Return the number of the call that a fragment belongs to.

        A fragment begins a new call if its index is new; or its id is another one than that
        index has; or, without an id, it has a name although the call is already complete.
        """
        slot = self._find(index, id)
        if slot is None or self._begins_anew(slot, id, name):
            slot = _Slot(len(self._slots), id, name)
            self._slots.append(slot)
            if index is not None:
                self._by_index[index] = slot
        if id and not slot.id:
            slot.id = id
        if id:
            self._by_id.setdefault((index, id), slot)
        slot.name = slot.name or name
        slot.pieces.append(arguments)
        return slot.number

    def add(self, number: int, arguments: Iterable[str]) -> None:
        """Take fragments that say nothing else for those of the call with this number."""
        self._slots[number].pieces.extend(arguments)

    def _find(self, index: int | None, id: str) -> _Slot | None:
        known = self._by_id.get((index, id)) if id else None
        if known is not None:
            return known
        if index is not None:
            return self._by_index.get(index)
        if id:
            # An id that comes late belongs to the call that has none yet.
            return self._slots[-1] if self._slots and not self._slots[-1].id else None
        return self._slots[-1] if self._slots else None

    @staticmethod
    def _begins_anew(slot: _Slot, id: str, name: str) -> bool:
        if id and slot.id:
            return id != slot.id
        return bool(name and slot.name) and slot.is_complete()


def is_object(text: str) -> bool:
    """Tell whether the text is a whole JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        _object.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
