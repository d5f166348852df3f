"""What lies in the server: nothing that stays for ever, and nothing that is left behind."""

import time

import msgspec
import pytest

from adapter.store.base import ResponseStore
from adapter.store.redis import RedisStore
from tests.servers.redis import RedisServer
from tests.store.records import (
    HOUR,
    OWNER,
    conversation,
    events,
    item,
    items,
    opened,
    response,
    running,
)

from .conftest import Inspector

pytestmark = pytest.mark.anyio

LEASES = b"leases"


async def fill(store: ResponseStore, expires_in: float | None) -> tuple[list[str], str]:
    """Store one of everything, and return the ids of the responses and the conversation."""
    thread = conversation(expires_in=expires_in)
    await store.create_conversation(thread, items(3))
    await store.lock_conversation(OWNER, thread.id, "a", HOUR)
    saved = response(conversation_id=thread.id, output=[item("out")], expires_in=expires_in)
    await store.save(saved, [item("out")])
    over = running(conversation_id=thread.id, expires_in=expires_in)
    await store.start_run(over, "a", 60)
    await store.append_events(over.id, events(0, 3), holder="a", seconds=60)
    last = msgspec.structs.replace(over, status="completed", item_ids=("in", "more"))
    await store.finish(last, events(3, 4), [item("more")])
    going = running(input=[item("in")], expires_in=expires_in)
    await store.start_run(going, "a", 60)
    await store.append_events(going.id, events(0, 3), holder="a", seconds=60)
    return [saved.id, over.id, going.id], thread.id


async def test_every_key_expires_with_what_it_belongs_to(
    store: ResponseStore, inspector: Inspector
) -> None:
    await fill(store, HOUR)
    left = inspector.seconds_left()
    del left[LEASES]

    assert {key[:1] for key in left} == {b"r", b"e", b"c", b"o", b"d", b"l", b"i"}
    for key, seconds in left.items():
        # The index of a conversation's items is prolonged once in its lifetime.
        most = 2 * HOUR if key.startswith(b"i") else HOUR
        assert seconds is not None
        assert 0 < seconds <= most


async def test_what_has_no_end_does_not_expire(store: ResponseStore, inspector: Inspector) -> None:
    await fill(store, None)
    left = inspector.seconds_left()

    assert {key[:1] for key, seconds in left.items() if seconds is not None} == {b"l"}


async def test_nothing_is_left_after_deletion(store: ResponseStore, inspector: Inspector) -> None:
    responses, thread = await fill(store, HOUR)
    for id in responses:
        await store.delete(OWNER, id)
    await store.delete_conversation(OWNER, thread)

    assert inspector.keys() == set()


async def test_nothing_is_left_of_what_has_expired(
    store: ResponseStore, inspector: Inspector
) -> None:
    await fill(store, -1)
    await store.orphans(time.time() + HOUR, 10)

    assert inspector.keys() == set()


async def test_log_takes_the_expiry_of_the_last_record(
    store: ResponseStore, inspector: Inspector
) -> None:
    record = running(expires_in=HOUR)
    await store.start_run(record, "a", 60)
    await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
    sooner = msgspec.structs.replace(record, status="completed", expires_at=time.time() + 60)
    await store.finish(sooner)

    assert all(seconds <= 60 for seconds in inspector.seconds_left().values())


@pytest.mark.parametrize("appends", [1, 3])
async def test_items_of_a_conversation_are_found_as_long_as_it_lives(
    store: ResponseStore, inspector: Inspector, appends: int
) -> None:
    now = time.time()
    # At the end of its first life.
    old = msgspec.structs.replace(
        conversation(), created_at=now - 2 * HOUR, expires_at=now + HOUR / 60
    )
    await store.create_conversation(old, items(2, "old"))
    for number in range(appends):
        await store.add_items(OWNER, old.id, items(2, f"new{number}"))
    left = inspector.seconds_left()
    lives = left[b"c:" + old.id.encode()]

    assert len(left) == 3 + 2 + 2 * appends
    assert lives is not None
    assert lives > 2 * HOUR
    assert min(left.values()) > lives - 1


async def test_stores_of_other_prefixes_see_nothing(
    store: ResponseStore, shared_redis: RedisServer
) -> None:
    record = response()
    await store.save(record)
    async with opened(RedisStore(f"{shared_redis.url}?prefix=other")) as other:
        assert await other.get(OWNER, record.id) is None
