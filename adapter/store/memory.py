"""A store in the memory of one process, of bounded size: for trying out and for tests.

It forgets with the process, and nobody else sees what is in it. Beyond its limits it forgets the
oldest: what was written last stays longest, a running response stays until it is over, a locked
conversation until it is free. It belongs to one event loop; no step of it waits, so each is atomic.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from adapter.store.base import (
    PAGE_BYTES,
    ConversationRecord,
    EventPage,
    ItemPage,
    LoggedEvent,
    Order,
    ResponseRecord,
    StoredItem,
    Wakeups,
)
from adapter.store.shelves import Run, Shelves

MAX_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 100_000


class MemoryStore:
    """Keeps responses, conversations and event logs in this process.

    Args:
        max_bytes: of everything together, about; beyond it the oldest is forgotten.
        max_entries: how many responses and conversations there may be.
        clock: seconds since the epoch.
    """

    is_shared = False

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        max_entries: int = MAX_ENTRIES,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._shelves = Shelves(max_bytes, max_entries, clock)
        self._listeners: dict[str, set[_Listener]] = {}

    @property
    def total_bytes(self) -> int:
        """About how much everything together takes."""
        return self._shelves.total_bytes

    async def open(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def aclose(self) -> None:
        """Do nothing: what is here goes with the object."""

    async def check(self) -> None:
        """Do nothing: it always answers."""

    async def purge(self, now: float) -> int:
        removed = self._shelves.remove_expired(now)
        for id in removed:
            self._wake(id)
        return len(removed)

    # Responses

    async def save(self, record: ResponseRecord, appended: Sequence[StoredItem] = ()) -> None:
        self._shelves.put_response(record, appended=appended)

    async def get(self, owner: str, id: str) -> ResponseRecord | None:
        return self._shelves.response(owner, id)

    async def chain(self, owner: str, id: str, limit: int) -> list[ResponseRecord]:
        records: list[ResponseRecord] = []
        found = self._shelves.response(owner, id)
        size = 0
        while found is not None and len(records) < limit and size <= PAGE_BYTES:
            records.append(found)
            size += len(found.input) + len(found.response)
            before = found.previous_id
            found = None if before is None else self._shelves.response(owner, before)
        return records[::-1]

    async def delete(self, owner: str, id: str) -> bool:
        if self._shelves.response(owner, id) is None:
            return False
        self._shelves.remove("response", id)
        self._wake(id)
        return True

    async def find_items(self, owner: str, ids: Sequence[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        size = 0
        for id in ids:
            if size > PAGE_BYTES:
                break
            item = self._shelves.find_item(owner, id)
            if item is not None:
                found[id] = item
                size += len(item)
        return found

    # Conversations

    async def create_conversation(
        self, record: ConversationRecord, items: Sequence[StoredItem] = ()
    ) -> None:
        self._shelves.put_conversation(record, items)

    async def get_conversation(self, owner: str, id: str) -> ConversationRecord | None:
        found = self._shelves.conversation(owner, id)
        return found.record if found else None

    async def update_conversation(
        self, owner: str, id: str, metadata: bytes
    ) -> ConversationRecord | None:
        found = self._shelves.conversation(owner, id)
        if found is None:
            return None
        self._shelves.set_metadata(found, metadata)
        return found.record

    async def delete_conversation(self, owner: str, id: str) -> bool:
        if self._shelves.conversation(owner, id) is None:
            return False
        self._shelves.remove("conversation", id)
        return True

    async def add_items(self, owner: str, id: str, items: Sequence[StoredItem]) -> bool:
        found = self._shelves.conversation(owner, id)
        if found is None:
            return False
        self._shelves.append(found, items)
        return True

    async def list_items(
        self, owner: str, id: str, *, after: str | None = None, limit: int, order: Order = "asc"
    ) -> ItemPage | None:
        found = self._shelves.conversation(owner, id)
        if found is None or (after is not None and after not in found.items):
            return None
        ids = list(found.items if order == "asc" else reversed(found.items))
        start = 0 if after is None else ids.index(after) + 1
        items: list[StoredItem] = []
        size = 0
        for item_id in ids[start : start + limit]:
            if size > PAGE_BYTES:
                break
            items.append(found.items[item_id])
            size += len(items[-1].data)
        return ItemPage(tuple(items), has_more=start + len(items) < len(ids))

    async def get_item(self, owner: str, id: str, item_id: str) -> StoredItem | None:
        found = self._shelves.conversation(owner, id)
        return found.items.get(item_id) if found else None

    async def delete_item(self, owner: str, id: str, item_id: str) -> bool:
        found = self._shelves.conversation(owner, id)
        if found is None or item_id not in found.items:
            return False
        self._shelves.remove_item(found, item_id)
        return True

    async def lock_conversation(self, owner: str, id: str, holder: str, seconds: float) -> bool:
        found = self._shelves.conversation(owner, id)
        now = self._clock()
        if found is None or (found.locked_by != holder and now < found.locked_until):
            return False
        found.locked_by = holder
        found.locked_until = now + seconds
        return True

    async def unlock_conversation(self, owner: str, id: str, holder: str) -> None:
        found = self._shelves.conversation(owner, id)
        if found is not None and found.locked_by == holder:
            found.locked_until = 0.0

    # Background runs

    async def start_run(self, record: ResponseRecord, holder: str, seconds: float) -> None:
        self._shelves.put_response(record, Run(holder, self._clock() + seconds))

    async def append_events(
        self, id: str, events: Sequence[LoggedEvent], *, holder: str, seconds: float
    ) -> bool:
        found = self._shelves.running(id, holder)
        if found is None:
            return False
        record, run = found
        self._shelves.put_response(record, run, events)
        run.lease_until = self._clock() + seconds
        if events:
            self._wake(id)
        return True

    async def finish(
        self,
        record: ResponseRecord,
        events: Sequence[LoggedEvent] = (),
        appended: Sequence[StoredItem] = (),
        *,
        holder: str | None = None,
    ) -> bool:
        found = self._shelves.running(record.id, holder)
        if found is None:
            return False
        _, run = found
        self._shelves.put_response(record, run, events, appended)
        run.is_over = True
        self._wake(record.id)
        return True

    async def update_run(self, record: ResponseRecord, *, holder: str) -> bool:
        found = self._shelves.running(record.id, holder)
        if found is None:
            return False
        _, run = found
        self._shelves.put_response(record, run)
        return True

    async def read_events(self, owner: str, id: str, *, after: int, limit: int) -> EventPage | None:
        run = self._shelves.run(owner, id)
        if run is None:
            return None
        start, end = after + 1, after + 1 + limit
        return EventPage(tuple(run.events[start:end]), run.is_over and end >= len(run.events))

    async def orphans(self, now: float, limit: int) -> list[ResponseRecord]:
        lost = [record for record, run in self._shelves.all_running() if run.lease_until <= now]
        return lost[:limit]

    async def take_over(self, id: str, holder: str, seconds: float) -> bool:
        found = self._shelves.running(id)
        now = self._clock()
        if found is None or now < found[1].lease_until:
            return False
        _, run = found
        run.holder = holder
        run.lease_until = now + seconds
        self._wake(id)
        return True

    @asynccontextmanager
    async def wakeups(self, id: str) -> AsyncGenerator[Wakeups]:
        listener = _Listener()
        self._listeners.setdefault(id, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[id].remove(listener)
            if not self._listeners[id]:
                del self._listeners[id]

    def _wake(self, id: str) -> None:
        for listener in self._listeners.get(id, ()):
            listener.event.set()


class _Listener:
    """Follows one run."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def wait(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.event.wait()
        except TimeoutError:
            return
        self.event.clear()
