"""The store itself: what each operation says to the server, and what its answer means."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import NoPermissionError

from adapter.errors import StoreError
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
from adapter.store.items import find_in_response
from adapter.store.packing import pack_response, to_bytes, to_text, unpack_response
from adapter.store.redis import scripts
from adapter.store.redis.connection import check_server, time_limit, to_pool
from adapter.store.redis.wakeups import Channels

_encode = msgspec.msgpack.Encoder().encode


class RedisStore:
    """Keeps responses, conversations and event logs in a Redis or Valkey server.

    Args:
        url: `redis://`, `rediss://`, `valkey://`, `valkeys://` or `redis+unix://`; its query may
            hold the options of `connection.Options`, and those of the client library.

    Raises:
        StoreUrlError: no server can be read from the URL.
    """

    is_shared = True

    def __init__(self, url: str) -> None:
        pool, self._options = to_pool(url)
        self._client = Redis.from_pool(pool)
        self._prefix = b"{%s}:" % to_bytes(self._options.prefix)
        self._slots = asyncio.Semaphore(self._options.max_connections)
        self._channels = Channels(pool, self._options.time_limit)
        self._scripts: dict[str, AsyncScript] = {}

    async def open(self) -> None:
        try:
            info = await self._command("INFO")
        except StoreError as exc:
            if not isinstance(exc.__cause__, NoPermissionError):
                raise
            await self.check()  # the user may not know more
        else:
            check_server(info)

    async def aclose(self) -> None:
        await self._channels.aclose()
        await self._client.aclose()

    async def check(self) -> None:
        await self._command("PING")

    async def purge(self, now: float) -> int:
        """Return 0: the server deletes by itself."""
        return 0

    # Responses

    async def save(self, record: ResponseRecord, appended: Sequence[StoredItem] = ()) -> None:
        await self._run(scripts.SAVE, *_response(record), *_to_append(record, appended))

    async def get(self, owner: str, id: str) -> ResponseRecord | None:
        key = b"%sr:%s" % (self._prefix, to_bytes(id))
        found_owner, data = await self._command("HMGET", key, "owner", "data")
        return unpack_response(data) if found_owner == to_bytes(owner) else None

    async def chain(self, owner: str, id: str, limit: int) -> list[ResponseRecord]:
        found = await self._run(scripts.CHAIN, owner, id, limit)
        records: list[ResponseRecord] = []
        size = 0
        for data in found:
            if size > PAGE_BYTES:
                break
            records.append(unpack_response(data))
            size += len(records[-1].input) + len(records[-1].response)
        return records[::-1]

    async def delete(self, owner: str, id: str) -> bool:
        return bool(await self._run(scripts.DELETE, owner, id))

    async def find_items(self, owner: str, ids: Sequence[str]) -> Mapping[str, bytes]:
        responses, items = await self._run(scripts.FIND_ITEMS, owner, *ids)
        found: dict[str, bytes] = {}
        size = 0
        for data in responses:
            if size > PAGE_BYTES:
                break
            record = unpack_response(data)
            size += len(record.input) + len(record.response)
            found |= find_in_response(record, set(ids))
        return found | {item.id: item.data for item in _items(items)}

    # Conversations

    async def create_conversation(
        self, record: ConversationRecord, items: Sequence[StoredItem] = ()
    ) -> None:
        expires_at = record.expires_at
        await self._run(
            scripts.CREATE_CONVERSATION,
            record.id,
            record.owner,
            repr(record.created_at),
            "" if expires_at is None else repr(expires_at),
            record.metadata,
            _milliseconds(expires_at),
            _milliseconds(None if expires_at is None else expires_at - record.created_at),
            *_pairs(items),
        )

    async def get_conversation(self, owner: str, id: str) -> ConversationRecord | None:
        key = b"%sc:%s" % (self._prefix, to_bytes(id))
        found = await self._command("HMGET", key, "owner", "created_at", "expires_at", "metadata")
        return _conversation(owner, id, found) if found[0] == to_bytes(owner) else None

    async def update_conversation(
        self, owner: str, id: str, metadata: bytes
    ) -> ConversationRecord | None:
        found = await self._run(scripts.UPDATE_CONVERSATION, owner, id, metadata)
        return None if found is None else _conversation(owner, id, found)

    async def delete_conversation(self, owner: str, id: str) -> bool:
        return bool(await self._run(scripts.DELETE_CONVERSATION, owner, id))

    async def add_items(self, owner: str, id: str, items: Sequence[StoredItem]) -> bool:
        return bool(await self._run(scripts.ADD_ITEMS, owner, id, *_pairs(items)))

    async def list_items(
        self, owner: str, id: str, *, after: str | None = None, limit: int, order: Order = "asc"
    ) -> ItemPage | None:
        start = () if after is None else (after,)
        found = await self._run(scripts.LIST_ITEMS, owner, id, order, limit, *start)
        if found is None:
            return None
        has_more, items = found
        return ItemPage(_items(items), bool(has_more))

    async def get_item(self, owner: str, id: str, item_id: str) -> StoredItem | None:
        found = await self._run(scripts.GET_ITEM, owner, id, item_id)
        return None if found is None else StoredItem(item_id, found)

    async def delete_item(self, owner: str, id: str, item_id: str) -> bool:
        return bool(await self._run(scripts.DELETE_ITEM, owner, id, item_id))

    async def lock_conversation(self, owner: str, id: str, holder: str, seconds: float) -> bool:
        return bool(await self._run(scripts.LOCK, owner, id, holder, _milliseconds(seconds)))

    async def unlock_conversation(self, owner: str, id: str, holder: str) -> None:
        await self._run(scripts.UNLOCK, owner, id, holder)

    # Background runs

    async def start_run(self, record: ResponseRecord, holder: str, seconds: float) -> None:
        await self._run(
            scripts.START_RUN, *_response(record), _holder(holder), _milliseconds(seconds)
        )

    async def append_events(
        self, id: str, events: Sequence[LoggedEvent], *, holder: str, seconds: float
    ) -> bool:
        lease = _milliseconds(seconds)
        return bool(
            await self._run(scripts.APPEND_EVENTS, id, _holder(holder), lease, *_log(events))
        )

    async def finish(
        self,
        record: ResponseRecord,
        events: Sequence[LoggedEvent] = (),
        appended: Sequence[StoredItem] = (),
        *,
        holder: str | None = None,
    ) -> bool:
        conversation, *items = _to_append(record, appended)
        number, *log = _log(events)
        last = 11 + len(log)
        done = await self._run(
            scripts.FINISH,
            *_response(record),
            conversation,
            _holder(holder),
            number,
            last,
            _token(),
            *log,
            *items,
        )
        return bool(done)

    async def update_run(self, record: ResponseRecord, *, holder: str) -> bool:
        return bool(await self._run(scripts.UPDATE_RUN, *_response(record), _holder(holder)))

    async def read_events(self, owner: str, id: str, *, after: int, limit: int) -> EventPage | None:
        first = after + 1
        found = await self._run(scripts.READ_EVENTS, owner, id, first, after + limit)
        if found is None:
            return None
        is_closed, events = found
        numbered = enumerate(events, first)
        return EventPage(tuple(LoggedEvent(*event) for event in numbered), bool(is_closed))

    async def orphans(self, now: float, limit: int) -> list[ResponseRecord]:
        found = await self._run(scripts.ORPHANS, _milliseconds(now), limit)
        return [unpack_response(data) for data in found]

    async def take_over(self, id: str, holder: str, seconds: float) -> bool:
        lease = _milliseconds(seconds)
        return bool(await self._run(scripts.TAKE_OVER, id, _holder(holder), lease, _token()))

    def wakeups(self, id: str) -> AbstractAsyncContextManager[Wakeups]:
        return self._channels.listen(b"%sw:%s" % (self._prefix, to_bytes(id)))

    # The server

    async def _command(self, *words: str | bytes) -> Any:
        # Typed are its commands, one by one; this is what they are made of.
        return await self._ask(lambda: self._client.execute_command(*words))  # type: ignore[no-untyped-call]

    async def _run(self, script: str, *args: str | bytes | int) -> Any:
        if script not in self._scripts:
            self._scripts[script] = self._client.register_script(script)
        words = [to_bytes(one) if isinstance(one, str) else one for one in args]
        return await self._ask(lambda: self._scripts[script]([self._prefix], words))

    async def _ask(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        async with time_limit(self._options.time_limit), self._slots:
            try:
                return await ask()
            except LostConnectionError:
                return await ask()


def _milliseconds(seconds: float | None) -> str:
    """Return a time as the scripts have it; empty is none."""
    return "" if seconds is None else str(int(seconds * 1000))


def _holder(holder: str | None) -> str:
    return "" if holder is None else f"={holder}"


def _token() -> bytes:
    """Return what tells one call from all others."""
    return secrets.token_bytes(9)


def _response(record: ResponseRecord) -> list[str | bytes]:
    previous = "" if record.previous_id is None else f"={record.previous_id}"
    items = _encode(record.item_ids)
    expiry = _milliseconds(record.expires_at)
    return [record.id, record.owner, pack_response(record), previous, items, expiry]


def _to_append(record: ResponseRecord, items: Sequence[StoredItem]) -> list[str | bytes]:
    """Return the conversation, and what to append to it."""
    if record.conversation_id is None:
        return [""]
    return [record.conversation_id, *_pairs(items)]


def _pairs(items: Sequence[StoredItem]) -> list[str | bytes]:
    return [one for item in items for one in (item.id, item.data)]


def _items(pairs: Sequence[bytes]) -> tuple[StoredItem, ...]:
    return tuple(map(StoredItem, map(to_text, pairs[::2]), pairs[1::2]))


def _log(events: Sequence[LoggedEvent]) -> list[bytes | int]:
    """Return the number of the first event, and what each is."""
    return [events[0].number if events else 0, *(event.data for event in events)]


def _conversation(owner: str, id: str, found: Sequence[bytes]) -> ConversationRecord:
    _, created_at, expires_at, metadata = found
    return ConversationRecord(
        id=id,
        owner=owner,
        created_at=float(created_at),
        expires_at=float(expires_at) if expires_at else None,
        metadata=metadata,
    )
