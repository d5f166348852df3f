"""Keeps count of what a store in memory holds, and says what to forget to stay within its limits."""

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from adapter.errors import StoreError

Key = TypeVar("Key", bound=Hashable)


class Bounds(Generic[Key]):
    """The sizes of things, in the order of their last change.

    Args:
        max_bytes: of all together.
        max_entries: how many there may be.
    """

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._sizes: dict[Key, int] = {}
        self.total_bytes = 0

    def make_room(self, sizes: Mapping[Key, int], is_in_use: Callable[[Key], bool]) -> list[Key]:
        """Note new sizes of things that are written together, and return what is to be forgotten.

        Args:
            sizes: in bytes; they become the newest and are not forgotten for each other.
            is_in_use: whether a thing must stay.

        Raises:
            StoreError: what must stay leaves too little room; nothing was noted.
        """
        over_bytes = self.total_bytes - self._max_bytes
        over_bytes += sum(size - self._sizes.get(key, 0) for key, size in sizes.items())
        over_entries = (
            len(self._sizes) + sum(key not in self._sizes for key in sizes) - self._max_entries
        )
        forgotten = []
        for key, size in self._sizes.items():
            if over_bytes <= 0 and over_entries <= 0:
                break
            if key not in sizes and not is_in_use(key):
                forgotten.append(key)
                over_bytes -= size
                over_entries -= 1
        if over_bytes > 0 or over_entries > 0:
            raise StoreError("the memory store is full of what is in use")
        for key, size in sizes.items():
            self.remove(key)
            self._sizes[key] = size
            self.total_bytes += size
        return forgotten

    def remove(self, key: Key) -> None:
        """Forget a thing, if it is known."""
        self.total_bytes -= self._sizes.pop(key, 0)
