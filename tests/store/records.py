"""Short ways to make what is stored, and what every test of a store waits within."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec

from adapter.store.base import (
    ConversationRecord,
    LoggedEvent,
    ResponseRecord,
    ResponseStore,
    StoredItem,
)

OWNER = "owner-1"
STRANGER = "owner-2"
HOUR = 3600.0
# Of a wait that is woken; one that is not takes this long, and the test fails.
LIMIT_SECONDS = 5.0


def within() -> asyncio.Timeout:
    """Fail if what is inside takes longer than a test may wait."""
    return asyncio.timeout(LIMIT_SECONDS)


def new_id(prefix: str = "resp") -> str:
    return f"{prefix}_{uuid4().hex}"


def response(
    id: str | None = None,
    *,
    owner: str = OWNER,
    status: str = "completed",
    output: Sequence[StoredItem] = (),
    input: Sequence[StoredItem] = (),
    expires_in: float | None = HOUR,
    **fields: Any,
) -> ResponseRecord:
    """Return a response whose JSON holds the given items."""
    now = time.time()
    return ResponseRecord(
        id=new_id() if id is None else id,
        owner=owner,
        created_at=now,
        expires_at=None if expires_in is None else now + expires_in,
        status=status,
        response=b'{"object":"response","output":[%s]}' % b",".join(item.data for item in output),
        input=b"[%s]" % b",".join(item.data for item in input),
        item_ids=tuple(item.id for item in (*input, *output)),
        **fields,
    )


def running(id: str | None = None, **fields: Any) -> ResponseRecord:
    return response(id, status="in_progress", background=True, **fields)


def conversation(
    id: str | None = None,
    *,
    owner: str = OWNER,
    expires_in: float | None = HOUR,
    metadata: bytes = b'{"topic":"demo"}',
) -> ConversationRecord:
    now = time.time()
    return ConversationRecord(
        id=new_id("conv") if id is None else id,
        owner=owner,
        created_at=now,
        expires_at=None if expires_in is None else now + expires_in,
        metadata=metadata,
    )


def item(id: str, text: str = "") -> StoredItem:
    return StoredItem(id, json.dumps({"type": "message", "id": id, "text": text}).encode())


def items(count: int, prefix: str = "msg") -> list[StoredItem]:
    return [item(f"{prefix}_{number:04}") for number in range(count)]


def events(start: int, stop: int) -> list[LoggedEvent]:
    return [LoggedEvent(number, b'{"n":%d}' % number) for number in range(start, stop)]


async def started(store: ResponseStore, seconds: float = 60) -> ResponseRecord:
    """Start a run that `a` holds."""
    record = running()
    await store.start_run(record, "a", seconds)
    return record


def ended(record: ResponseRecord, status: str = "completed") -> ResponseRecord:
    return msgspec.structs.replace(record, status=status, response=b'{"output":[],"end":true}')


async def item_ids(store: ResponseStore, id: str, owner: str = OWNER) -> list[str]:
    """Return the ids of all items of a conversation, in order."""
    page = await store.list_items(owner, id, limit=10_000)
    assert page is not None
    return [one.id for one in page.items]


async def log_numbers(store: ResponseStore, id: str, owner: str = OWNER) -> list[int]:
    page = await store.read_events(owner, id, after=-1, limit=100_000)
    assert page is not None
    return [event.number for event in page.events]


@asynccontextmanager
async def opened(store: ResponseStore) -> AsyncIterator[ResponseStore]:
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()
