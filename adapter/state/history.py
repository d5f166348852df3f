"""What was said before, read from a store.

A chain or a conversation is read in pages, so that one of large pictures is refused before it is in
memory.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from adapter.records.conversations import no_conversation
from adapter.records.responses import (
    PREVIOUS,
    broken_chain,
    check_parent,
    no_parent,
    parts_of,
    too_long,
)
from adapter.store.base import ResponseStore, StoredItem

MIN_PAGE, MAX_PAGE = 32, 1000


async def read_chain(
    store: ResponseStore, owner: str, id: str, max_bytes: int
) -> tuple[bytes, ...]:
    """Return what was said up to a response, as `adapter.translate.replay` reads it.

    Raises:
        InvalidRequestError: it is not there, cannot be continued, or is too large.
        StoreError: the store does not answer.
    """
    pages: list[list[bytes]] = []
    budget = _Budget(max_bytes, PREVIOUS)
    next_id: str | None = id
    while next_id is not None:
        records = await store.chain(owner, next_id, budget.page())
        if not records:
            raise broken_chain(id) if pages else no_parent(id)
        if not pages:
            check_parent(records[-1])
        pages.append(list(parts_of(records)))
        budget.spend(len(records), pages[-1])
        next_id = records[0].previous_id
    return tuple(part for page in reversed(pages) for part in page)


async def read_conversation(
    store: ResponseStore, owner: str, id: str, max_bytes: int
) -> list[StoredItem]:
    """Return the items of a conversation.

    Raises:
        NotFoundError: it is not there.
        InvalidRequestError: it is too large.
        StoreError: the store does not answer.
    """
    items: list[StoredItem] = []
    budget = _Budget(max_bytes, "conversation")
    has_more = True
    while has_more:
        after = items[-1].id if items else None
        page = await store.list_items(owner, id, after=after, limit=budget.page())
        if page is None:
            raise no_conversation(id)
        budget.spend(len(page.items), [item.data for item in page.items])
        items += page.items
        has_more = page.has_more
    return items


async def read_items(
    store: ResponseStore, owner: str, ids: Sequence[str], max_bytes: int, param: str = "input"
) -> Mapping[str, bytes]:
    """Return the items that are referred to, as far as they are there.

    One that is referred to twice counts twice: a short request must not become a large one.

    Raises:
        InvalidRequestError: they are too large.
        StoreError: the store does not answer.
    """
    found: dict[str, bytes] = {}
    budget = _Budget(max_bytes, param)
    times = Counter(ids)
    names = list(times)
    for start in range(0, len(names), MAX_PAGE):
        left = names[start : start + MAX_PAGE]
        while left:
            some = await store.find_items(owner, left)
            if not some:
                return found  # no need to look for the others: the request will be refused
            budget.spend(len(some), [data for id, data in some.items() for _ in range(times[id])])
            found |= some
            left = [id for id in left if id not in found]
    return found


class _Budget:
    """Counts what a history takes, and says how much of it to read next."""

    def __init__(self, max_bytes: int, param: str) -> None:
        self._max_bytes = max_bytes
        self._param = param
        self._bytes = 0
        self._count = 0

    def page(self) -> int:
        if not self._count:
            return MIN_PAGE
        fitting = (self._max_bytes - self._bytes) * self._count // max(1, self._bytes)
        return min(MAX_PAGE, max(MIN_PAGE, fitting))

    def spend(self, count: int, parts: Sequence[bytes]) -> None:
        self._count += count
        self._bytes += sum(map(len, parts))
        if self._bytes > self._max_bytes:
            raise too_long(self._param, self._max_bytes)
