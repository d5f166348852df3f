"""What a store of responses, conversations and event logs can do: the contract of every back-end.

A store keeps bytes and answers by id; what they mean is decided above it. Everything belongs to an
owner, an opaque string, and is not there for another one. Owners and ids are any text, at most 512
characters of it if they are to be kept; ids of responses and conversations are unique over all
owners, which is the caller's promise. What has expired is not there, even before `purge` deletes
it; the clock is the store's own. One contract test holds all back-ends to what is written here
(`tests/store/test_contract_*.py`).

Background runs are responses whose events are kept in a log. Who runs one holds a lease on it, and
every append to the log renews the lease; whoever finds a lease run out may take the run over or
end it. Until then its holder goes on as if nothing were. Whether a run is over is decided by one
compare-and-set (`finish`): cancelling, failing an orphan and ending well are the same act, and only
the first of them happens.

A store that cannot answer raises `StoreError`; it never waits longer than its time limit. A write
that was cancelled or got no answer has happened as a whole or not at all.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

FINAL_STATUSES = frozenset({"completed", "incomplete", "failed", "cancelled"})
Order = Literal["asc", "desc"]
# Of what is read at one time. A hundred items of a client's may be gigabytes, of which it has sent
# a few megabytes: request bodies may be compressed.
PAGE_BYTES = 16 * 1024 * 1024


class ResponseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A stored response.

    Attributes:
        id: of the response.
        owner: whom it belongs to.
        created_at: seconds since the epoch.
        expires_at: when it is gone; None is never.
        status: of the response.
        response: JSON of the response object, as it was last said.
        input: JSON array of its own input items, each with an id.
        item_ids: of the items of its input and output, for `find_items`.
        previous_id: the response that it continues.
        conversation_id: the conversation that it belongs to.
        background: it has an event log.
        request: JSON of the request without secrets, if another process could run it; else empty.
    """

    id: str
    owner: str
    created_at: float
    expires_at: float | None = None
    status: str
    response: bytes
    input: bytes = b"[]"
    item_ids: tuple[str, ...] = ()
    previous_id: str | None = None
    conversation_id: str | None = None
    background: bool = False
    request: bytes = b""


class ConversationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation, without its items.

    Attributes:
        id: of the conversation.
        owner: whom it belongs to.
        created_at: seconds since the epoch.
        expires_at: when it is gone with its items; None is never. An append of items moves it on:
            it lives as long after its last append as it was given when it was created.
        metadata: JSON object.
    """

    id: str
    owner: str
    created_at: float
    expires_at: float | None = None
    metadata: bytes = b"{}"


class StoredItem(msgspec.Struct, frozen=True):
    """An item of a conversation.

    Attributes:
        id: of the item, unique in its conversation: a later one of the same id takes the place of
            the first.
        data: JSON of the item.
    """

    id: str
    data: bytes


class ItemPage(msgspec.Struct, frozen=True):
    items: tuple[StoredItem, ...]
    has_more: bool


class LoggedEvent(msgspec.Struct, frozen=True):
    """An event of a background run.

    Attributes:
        number: its sequence number: 0 for the first of a log, and one more for each that follows.
        data: JSON of the event.
    """

    number: int
    data: bytes


class EventPage(msgspec.Struct, frozen=True):
    """Events of a log.

    Attributes:
        events: in order.
        is_closed: the run is over and no event comes behind these.
    """

    events: tuple[LoggedEvent, ...]
    is_closed: bool


class Wakeups(Protocol):
    """Tells a follower, or a runner, that something happened to a run."""

    async def wait(self, timeout_seconds: float) -> None:
        """Return when something happened since the last call, or the time is over."""
        ...


class ResponseStore(Protocol):
    """Keeps responses, conversations and event logs.

    Attributes:
        is_shared: other processes can see what is in it.
    """

    is_shared: bool

    async def open(self) -> None:
        """Connect, and bring tables up to date; safe to call twice, and from many processes."""
        ...

    async def aclose(self) -> None:
        """Write what is waiting to be written, and close all connections."""
        ...

    async def check(self) -> None:
        """Return if the store answers; raise StoreError if not."""
        ...

    async def purge(self, now: float) -> int:
        """Delete what has expired, and return how many responses and conversations it was.

        0 where the engine below deletes by itself.
        """
        ...

    # Responses

    async def save(self, record: ResponseRecord, appended: Sequence[StoredItem] = ()) -> None:
        """Keep a response, in place of one of its id, and append items to its conversation.

        Both or neither. If the conversation is gone, or another owner's, the response is kept all
        the same. Not for a run: that has `update_run` and `finish`.
        """
        ...

    async def get(self, owner: str, id: str) -> ResponseRecord | None:
        """Return a response."""
        ...

    async def chain(self, owner: str, id: str, limit: int) -> list[ResponseRecord]:
        """Return a response and all that it continues, the oldest first, at most `limit`.

        Empty if there is no such response. They may be fewer than the limit if they are more than
        some `PAGE_BYTES` together. If the oldest has a `previous_id`, then the chain goes on, or
        what came before was deleted.
        """
        ...

    async def delete(self, owner: str, id: str) -> bool:
        """Delete a response with its log, and tell whether it was there. A run of it is over."""
        ...

    async def find_items(self, owner: str, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return the JSON of items of stored responses and conversations, as far as known.

        If they, or what they are looked for in, are more than some `PAGE_BYTES`, then of those that
        are known not all are found, but one at least: ask for the others again.
        """
        ...

    # Conversations

    async def create_conversation(
        self, record: ConversationRecord, items: Sequence[StoredItem] = ()
    ) -> None: ...

    async def get_conversation(self, owner: str, id: str) -> ConversationRecord | None: ...

    async def update_conversation(
        self, owner: str, id: str, metadata: bytes
    ) -> ConversationRecord | None:
        """Replace the metadata, and return the conversation."""
        ...

    async def delete_conversation(self, owner: str, id: str) -> bool:
        """Delete a conversation with its items, but not its responses."""
        ...

    async def add_items(self, owner: str, id: str, items: Sequence[StoredItem]) -> bool:
        """Append items, in order; False if there is no such conversation."""
        ...

    async def list_items(
        self, owner: str, id: str, *, after: str | None = None, limit: int, order: Order = "asc"
    ) -> ItemPage | None:
        """Return a page of items in the order of their arrival, or its reverse.

        It ends early once its items are more than some `PAGE_BYTES`; `has_more` tells.
        None if there is no such conversation, or it has no item `after`.
        """
        ...

    async def get_item(self, owner: str, id: str, item_id: str) -> StoredItem | None: ...

    async def delete_item(self, owner: str, id: str, item_id: str) -> bool: ...

    async def lock_conversation(self, owner: str, id: str, holder: str, seconds: float) -> bool:
        """Take or renew the lock of a conversation; False while another holder has it.

        False too if there is no such conversation. A lock that is not renewed is free after its
        seconds.
        """
        ...

    async def unlock_conversation(self, owner: str, id: str, holder: str) -> None:
        """Give the lock back, if the holder still has it."""
        ...

    # Background runs

    async def start_run(self, record: ResponseRecord, holder: str, seconds: float) -> None:
        """Keep a response that is about to run, with an empty log and a lease."""
        ...

    async def append_events(
        self, id: str, events: Sequence[LoggedEvent], *, holder: str, seconds: float
    ) -> bool:
        """Append to the log (maybe nothing) and renew the lease.

        Events that the log has already, by their numbers, are left out: a write that got no answer
        may be repeated.

        Returns:
            False if the run is over, gone, or another's: whoever ran it stops.
        """
        ...

    async def finish(
        self,
        record: ResponseRecord,
        events: Sequence[LoggedEvent] = (),
        appended: Sequence[StoredItem] = (),
        *,
        holder: str | None = None,
    ) -> bool:
        """Append the last events and items, keep the final response, and close the log: all or none.

        Args:
            record: with a final status.
            events: the last of the log.
            appended: to its conversation.
            holder: only if this one has the lease; None is whoever has it.

        Returns:
            False if the run is over or gone already, or another's.
        """
        ...

    async def update_run(self, record: ResponseRecord, *, holder: str) -> bool:
        """Keep a response that is still running; False as in `append_events`."""
        ...

    async def read_events(self, owner: str, id: str, *, after: int, limit: int) -> EventPage | None:
        """Return the events behind a number (-1 is from the start), or None if there is no log.

        A log lives as long as its response.
        """
        ...

    async def orphans(self, now: float, limit: int) -> list[ResponseRecord]:
        """Return running responses whose lease has run out by then, of all owners."""
        ...

    async def take_over(self, id: str, holder: str, seconds: float) -> bool:
        """Take the lease of an orphan; only one taker succeeds, and who ran it does no more."""
        ...

    def wakeups(self, id: str) -> AbstractAsyncContextManager[Wakeups]:
        """Listen for what happens to a run, from any process: events, its end, its deletion.

        What happens after the context was entered is not missed. It may wake for nothing.
        """
        ...
