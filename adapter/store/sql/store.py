"""A store in a SQL database: the contract of `adapter/store/base.py`, over a `Database`.

Every call ends within the time limit. Writes of one process that wait at the same time share a
transaction, and so a commit; if one of them cannot be written, each goes alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeVar, cast

from sqlalchemy import Connection, select

from adapter.errors import StoreError
from adapter.store.base import (
    ConversationRecord,
    EventPage,
    ItemPage,
    LoggedEvent,
    Order,
    ResponseRecord,
    StoredItem,
    Wakeups,
)
from adapter.store.packing import run_digest, to_bytes
from adapter.store.sql import conversations, responses, runs
from adapter.store.sql.conversations import Appended
from adapter.store.sql.database import Database
from adapter.store.sql.faults import DATABASE_ERRORS, may_be_of_one_write, to_store_error
from adapter.store.sql.group import Group
from adapter.store.sql.responses import ResponseRow, to_row
from adapter.store.sql.tables import schema
from adapter.store.sql.writes import Act, OnRun, Save, StartRun, Write, apply

T = TypeVar("T")

# Packing takes some 10 ns a byte: from here on a thread is cheaper than a pause of everything.
_LARGE_BYTES = 64 * 1024


class SqlStore:
    """Keeps responses, conversations and event logs in a SQL database.

    Args:
        database: where.
        clock: seconds since the epoch; processes that share a store should agree on the time.
    """

    is_shared = True

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._group = Group[Write, object](self._commit)
        self._opening = asyncio.Lock()
        self._is_open = False

    async def open(self) -> None:
        async with self._opening:
            if self._is_open:
                return
            try:
                await self._database.open()
            except DATABASE_ERRORS as exc:
                raise to_store_error(exc) from exc
            self._is_open = True

    async def aclose(self) -> None:
        async with self._opening:
            if not self._is_open:
                return
            self._is_open = False
            try:
                async with asyncio.timeout(self._database.limit_seconds):
                    await self._group.settle()
            except TimeoutError as exc:
                raise to_store_error(exc) from exc
            finally:
                await self._database.close()

    async def check(self) -> None:
        await self._read(lambda connection: connection.scalar(select(schema.c.version)))

    async def purge(self, now: float) -> int:
        purged = 0
        while some := await self._change(partial(responses.purge, now=now)):
            self._database.wake([run_digest(id) for id in some])
            purged += len(some)
        while count := await self._change(partial(conversations.purge, now=now)):
            purged += count
        return purged

    # Responses

    async def save(self, record: ResponseRecord, appended: Sequence[StoredItem] = ()) -> None:
        await self._write(Save(await _row(record), _appended(record, appended)))

    async def get(self, owner: str, id: str) -> ResponseRecord | None:
        return await self._read(partial(responses.get, owner=owner, id=id, now=self._clock()))

    async def chain(self, owner: str, id: str, limit: int) -> list[ResponseRecord]:
        now = self._clock()
        return await self._read(partial(responses.chain, owner=owner, id=id, limit=limit, now=now))

    async def delete(self, owner: str, id: str) -> bool:
        act = partial(responses.remove, owner=owner, id=id, now=self._clock())
        return await self._change(act, wakes=run_digest(id))

    async def find_items(self, owner: str, ids: Sequence[str]) -> Mapping[str, bytes]:
        now = self._clock()

        def find(connection: Connection) -> Mapping[str, bytes]:
            found = responses.find_items(connection, owner, ids, now)
            if missing := [id for id in ids if id not in found]:
                found |= conversations.find_items(connection, owner, missing, now)
            return found

        return await self._read(find) if ids else {}

    # Conversations

    async def create_conversation(
        self, record: ConversationRecord, items: Sequence[StoredItem] = ()
    ) -> None:
        await self._change(partial(conversations.create, record=record, items=items))

    async def get_conversation(self, owner: str, id: str) -> ConversationRecord | None:
        now = self._clock()
        return await self._read(partial(conversations.get, owner=owner, id=id, now=now))

    async def update_conversation(
        self, owner: str, id: str, metadata: bytes
    ) -> ConversationRecord | None:
        act = partial(conversations.set_metadata, owner=owner, id=id, metadata=metadata)
        return await self._change(partial(act, now=self._clock()))

    async def delete_conversation(self, owner: str, id: str) -> bool:
        now = self._clock()
        return await self._change(partial(conversations.remove, owner=owner, id=id, now=now))

    async def add_items(self, owner: str, id: str, items: Sequence[StoredItem]) -> bool:
        appended = Appended(owner, id, tuple(items))
        now = self._clock()
        return await self._change(partial(conversations.append, appended=appended, now=now))

    async def list_items(
        self, owner: str, id: str, *, after: str | None = None, limit: int, order: Order = "asc"
    ) -> ItemPage | None:
        act = partial(conversations.list_items, owner=owner, id=id, now=self._clock())
        return await self._read(partial(act, after=after, limit=limit, order=order))

    async def get_item(self, owner: str, id: str, item_id: str) -> StoredItem | None:
        act = partial(conversations.get_item, owner=owner, id=id, item_id=item_id)
        return await self._read(partial(act, now=self._clock()))

    async def delete_item(self, owner: str, id: str, item_id: str) -> bool:
        act = partial(conversations.remove_item, owner=owner, id=id, item_id=item_id)
        return await self._change(partial(act, now=self._clock()))

    async def lock_conversation(self, owner: str, id: str, holder: str, seconds: float) -> bool:
        act = partial(conversations.lock, owner=owner, id=id, holder=holder)
        return await self._change(partial(act, now=self._clock(), seconds=seconds))

    async def unlock_conversation(self, owner: str, id: str, holder: str) -> None:
        await self._change(partial(conversations.unlock, owner=owner, id=id, holder=holder))

    # Background runs

    async def start_run(self, record: ResponseRecord, holder: str, seconds: float) -> None:
        row = await _row(record, has_log=True)
        lease_until = self._clock() + seconds
        start = runs.Start(run_digest(record.id), row.digest, to_bytes(holder), lease_until)
        await self._write(StartRun(row, start))

    async def append_events(
        self, id: str, events: Sequence[LoggedEvent], *, holder: str, seconds: float
    ) -> bool:
        return await self._on_run(
            OnRun(
                run=run_digest(id),
                holder=to_bytes(holder),
                lease_until=self._clock() + seconds,
                events=tuple(events),
            )
        )

    async def finish(
        self,
        record: ResponseRecord,
        events: Sequence[LoggedEvent] = (),
        appended: Sequence[StoredItem] = (),
        *,
        holder: str | None = None,
    ) -> bool:
        return await self._on_run(
            OnRun(
                run=run_digest(record.id),
                holder=None if holder is None else to_bytes(holder),
                events=tuple(events),
                row=await _row(record, has_log=True),
                appended=_appended(record, appended),
                is_last=True,
            )
        )

    async def update_run(self, record: ResponseRecord, *, holder: str) -> bool:
        row = await _row(record, has_log=True)
        return await self._on_run(
            OnRun(run=run_digest(record.id), holder=to_bytes(holder), row=row)
        )

    async def read_events(self, owner: str, id: str, *, after: int, limit: int) -> EventPage | None:
        act = partial(runs.read, owner=owner, id=id, now=self._clock())
        return await self._read(partial(act, after=after, limit=limit))

    async def orphans(self, now: float, limit: int) -> list[ResponseRecord]:
        act = partial(runs.orphans, until=now, now=self._clock(), limit=limit)
        return await self._read(act)

    async def take_over(self, id: str, holder: str, seconds: float) -> bool:
        run = run_digest(id)
        act = partial(runs.take_over, run=run, holder=holder, now=self._clock(), seconds=seconds)
        return await self._change(act, wakes=run)

    def wakeups(self, id: str) -> AbstractAsyncContextManager[Wakeups]:
        return self._database.wakeups(run_digest(id))

    # What all of it is made of

    async def _read(self, act: Callable[[Connection], T]) -> T:
        self._check_open()
        try:
            return await self._database.read(act)
        except DATABASE_ERRORS as exc:
            raise to_store_error(exc) from exc

    async def _change(self, act: Callable[[Connection], T], wakes: bytes | None = None) -> T:
        """Make a change of its own kind, in the transaction of a group."""
        return cast(T, await self._write(Act(act, wakes)))  # the group returns what `act` does

    async def _on_run(self, write: OnRun) -> bool:
        return await self._write(write) is True

    async def _write(self, write: Write) -> object:
        self._check_open()
        try:
            return await self._group.write(write, self._database.limit_seconds)
        except TimeoutError as exc:
            raise to_store_error(exc) from exc

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError("The response store is not open.")

    async def _commit(self, writes: Sequence[Write]) -> Sequence[object]:
        now = self._clock()
        try:
            outcome = await self._database.write(partial(apply, writes=writes, now=now))
        except DATABASE_ERRORS as exc:
            if len(writes) > 1 and may_be_of_one_write(exc):
                return [await self._commit_alone(write) for write in writes]
            raise to_store_error(exc) from exc
        self._database.wake(outcome.woken)
        return outcome.results

    async def _commit_alone(self, write: Write) -> object:
        try:
            return (await self._commit([write]))[0]
        except StoreError as exc:
            return exc


async def _row(record: ResponseRecord, *, has_log: bool = False) -> ResponseRow:
    pack = partial(to_row, record, has_log=has_log)
    size = len(record.response) + len(record.input) + len(record.request)
    return pack() if size < _LARGE_BYTES else await asyncio.to_thread(pack)


def _appended(record: ResponseRecord, items: Sequence[StoredItem]) -> Appended | None:
    if record.conversation_id is None or not items:
        return None
    return Appended(record.owner, record.conversation_id, tuple(items))
