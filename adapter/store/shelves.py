"""What a store in memory holds, by id, owner and size; nothing here waits.

`MemoryStore` says what the operations are; this keeps the things, the index of their items and the
limits in step, so that a thing is kept as a whole or not at all.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from adapter.store.base import ConversationRecord, LoggedEvent, ResponseRecord, StoredItem
from adapter.store.bounds import Bounds
from adapter.store.items import find_in_response

# What the objects around the bytes take, rounded up from what `tracemalloc` says on CPython 3.11.
ENTRY_BYTES = 1_000
ITEM_BYTES = 500
EVENT_BYTES = 150

_Key = tuple[Literal["response", "conversation"], str]


class Run(msgspec.Struct):
    """A run and its log, over or not."""

    holder: str
    lease_until: float
    events: list[LoggedEvent] = []
    size: int = 0
    is_over: bool = False


class Conversation(msgspec.Struct):
    """A conversation, its items in order, and who has its lock."""

    record: ConversationRecord
    lifetime_seconds: float
    items: dict[str, StoredItem] = {}
    locked_by: str = ""
    locked_until: float = 0.0
    items_size: int = 0

    @property
    def size(self) -> int:
        return ENTRY_BYTES + len(self.record.metadata) + self.items_size

    def growth(self, items: Sequence[StoredItem]) -> int:
        """Return by how many bytes it grows with these items; some may replace others."""
        added = {item.id: item for item in items}
        replaced = [self.items[id] for id in added if id in self.items]
        return _size_of_items(added.values()) - _size_of_items(replaced)


class Shelves:
    """Responses, runs and conversations within limits.

    Args:
        max_bytes: of everything together, about.
        max_entries: how many responses and conversations there may be.
        clock: seconds since the epoch.
    """

    def __init__(self, max_bytes: int, max_entries: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bounds = Bounds[_Key](max_bytes, max_entries)
        self._responses: dict[str, ResponseRecord] = {}
        self._runs: dict[str, Run] = {}
        self._conversations: dict[str, Conversation] = {}
        # By owner and id of an item: in what it is. A dict without values, for the order.
        self._places: dict[tuple[str, str], dict[_Key, None]] = {}

    @property
    def total_bytes(self) -> int:
        return self._bounds.total_bytes

    def response(self, owner: str, id: str) -> ResponseRecord | None:
        found = self._responses.get(id)
        if found is None or found.owner != owner or _has_expired(found, self._clock()):
            return None
        return found

    def run(self, owner: str, id: str) -> Run | None:
        """Return a run, over or not."""
        return self._runs.get(id) if self.response(owner, id) else None

    def running(self, id: str, holder: str | None = None) -> tuple[ResponseRecord, Run] | None:
        """Return a run that is not over; None too if it has another holder."""
        run = self._runs.get(id)
        if run is None or run.is_over or holder not in (None, run.holder):
            return None
        record = self._responses[id]
        return None if _has_expired(record, self._clock()) else (record, run)

    def all_running(self) -> Iterable[tuple[ResponseRecord, Run]]:
        return filter(None, map(self.running, self._runs))

    def conversation(self, owner: str, id: str | None) -> Conversation | None:
        found = None if id is None else self._conversations.get(id)
        if found is None or found.record.owner != owner:
            return None
        return None if _has_expired(found.record, self._clock()) else found

    def find_item(self, owner: str, item_id: str) -> bytes | None:
        """Return the JSON of an item from where it was written last."""
        for kind, id in reversed(self._places.get((owner, item_id), {})):
            if kind == "response":
                record = self.response(owner, id)
                item = find_in_response(record, {item_id}).get(item_id) if record else None
            else:
                found = self.conversation(owner, id)
                item = found.items[item_id].data if found else None
            if item is not None:
                return item
        return None

    def put_response(
        self,
        record: ResponseRecord,
        run: Run | None = None,
        events: Sequence[LoggedEvent] = (),
        appended: Sequence[StoredItem] = (),
    ) -> None:
        """Keep a response in place of one of its id, with more events and items.

        Raises:
            StoreError: there is no room; nothing has changed.
        """
        new = events if run is None else [one for one in events if one.number >= len(run.events)]
        events_size = sum(EVENT_BYTES + len(event.data) for event in new)
        run_size = run.size if run else 0
        sizes: dict[_Key, int] = {}
        sizes["response", record.id] = _size_of_response(record) + run_size + events_size
        conversation = self.conversation(record.owner, record.conversation_id) if appended else None
        if conversation is not None:
            key: _Key = ("conversation", conversation.record.id)
            sizes[key] = conversation.size + conversation.growth(appended)
        self._make_room(sizes)

        old = self._responses.get(record.id)
        if old is not record:
            if old is not None:
                self._unplace(("response", old.id), old.owner, old.item_ids)
            self._place(("response", record.id), record.owner, record.item_ids)
        self._responses[record.id] = record
        if run is not None:
            self._runs[record.id] = run
            run.events.extend(new)
            run.size += events_size
        if conversation is not None:
            self._append(conversation, appended)
            self._prolong(conversation)

    def put_conversation(self, record: ConversationRecord, items: Sequence[StoredItem]) -> None:
        """Keep a new conversation."""
        lifetime = (record.expires_at or 0.0) - record.created_at
        new = Conversation(record, lifetime)
        self._make_room({("conversation", record.id): new.size + new.growth(items)})
        self._conversations[record.id] = new
        self._append(new, items)

    def append(self, conversation: Conversation, items: Sequence[StoredItem]) -> None:
        key: _Key = ("conversation", conversation.record.id)
        self._make_room({key: conversation.size + conversation.growth(items)})
        self._append(conversation, items)
        self._prolong(conversation)

    def set_metadata(self, conversation: Conversation, metadata: bytes) -> None:
        record = msgspec.structs.replace(conversation.record, metadata=metadata)
        size = conversation.size + len(metadata) - len(conversation.record.metadata)
        self._make_room({("conversation", record.id): size})
        conversation.record = record

    def remove_item(self, conversation: Conversation, item_id: str) -> None:
        removed = conversation.items.pop(item_id)
        conversation.items_size -= _size_of_items([removed])
        key: _Key = ("conversation", conversation.record.id)
        self._make_room({key: conversation.size})
        self._unplace(key, conversation.record.owner, [item_id])

    def remove(self, kind: Literal["response", "conversation"], id: str) -> None:
        self._bounds.remove((kind, id))
        if kind == "response":
            record = self._responses.pop(id)
            self._runs.pop(id, None)
            self._unplace((kind, id), record.owner, record.item_ids)
        else:
            found = self._conversations.pop(id)
            self._unplace((kind, id), found.record.owner, found.items)

    def remove_expired(self, now: float) -> list[str]:
        """Remove what has expired by then, and return the ids of it."""
        responses = [id for id, one in self._responses.items() if _has_expired(one, now)]
        conversations = [
            id for id, one in self._conversations.items() if _has_expired(one.record, now)
        ]
        for id in responses:
            self.remove("response", id)
        for id in conversations:
            self.remove("conversation", id)
        return responses + conversations

    def _append(self, conversation: Conversation, items: Sequence[StoredItem]) -> None:
        conversation.items_size += conversation.growth(items)
        conversation.items.update((item.id, item) for item in items)
        record = conversation.record
        self._place(("conversation", record.id), record.owner, [item.id for item in items])

    def _prolong(self, conversation: Conversation) -> None:
        if conversation.record.expires_at is not None:
            expires_at = self._clock() + conversation.lifetime_seconds
            conversation.record = msgspec.structs.replace(
                conversation.record, expires_at=expires_at
            )

    def _make_room(self, sizes: dict[_Key, int]) -> None:
        for kind, id in self._bounds.make_room(sizes, self._is_in_use):
            self.remove(kind, id)

    def _is_in_use(self, key: _Key) -> bool:
        kind, id = key
        if kind == "response":
            return self.running(id) is not None
        conversation = self._conversations[id]
        now = self._clock()
        return now < conversation.locked_until and not _has_expired(conversation.record, now)

    def _place(self, key: _Key, owner: str, item_ids: Iterable[str]) -> None:
        for item_id in item_ids:
            places = self._places.setdefault((owner, item_id), {})
            places.pop(key, None)
            places[key] = None

    def _unplace(self, key: _Key, owner: str, item_ids: Iterable[str]) -> None:
        for item_id in item_ids:
            places = self._places.get((owner, item_id), {})
            places.pop(key, None)
            if not places:
                self._places.pop((owner, item_id), None)


def _has_expired(record: ResponseRecord | ConversationRecord, now: float) -> bool:
    return record.expires_at is not None and record.expires_at <= now


def _size_of_response(record: ResponseRecord) -> int:
    content = len(record.response) + len(record.input) + len(record.request)
    return ENTRY_BYTES + content + sum(ITEM_BYTES + len(id) for id in record.item_ids)


def _size_of_items(items: Iterable[StoredItem]) -> int:
    return sum(ITEM_BYTES + len(item.id) + len(item.data) for item in items)
