"""The bounds of the store in memory: it forgets the oldest, but never what is in use."""

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from adapter.errors import StoreError
from adapter.store.base import ResponseRecord, StoredItem
from adapter.store.memory import MemoryStore
from tests.store.records import (
    HOUR,
    OWNER,
    conversation,
    events,
    item,
    item_ids,
    items,
    log_numbers,
    response,
    running,
)

pytestmark = pytest.mark.anyio

BIG = "x" * 100_000
MAX_BYTES = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def big(**fields: object) -> ResponseRecord:
    return response(output=[item("msg_1", BIG)], **fields)


async def kept(store: MemoryStore, records: list[ResponseRecord]) -> list[bool]:
    return [await store.get(OWNER, record.id) is not None for record in records]


async def test_oldest_responses_are_forgotten_beyond_the_count() -> None:
    store = MemoryStore(max_entries=3)
    records = [response() for _ in range(5)]
    for record in records:
        await store.save(record)

    assert await kept(store, records) == [False, False, True, True, True]


async def test_oldest_responses_are_forgotten_beyond_the_bytes() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES)
    records = [big() for _ in range(20)]
    for record in records:
        await store.save(record)

    assert await kept(store, records) == [False] * 11 + [True] * 9


async def test_items_of_what_is_forgotten_are_not_found() -> None:
    store = MemoryStore(max_entries=1)
    await store.save(response(output=[item("msg_1"), item("msg_both")]))
    await store.save(response(output=[item("msg_2"), item("msg_both")]))

    assert set(await store.find_items(OWNER, ["msg_1", "msg_2", "msg_both"])) == {
        "msg_2",
        "msg_both",
    }


async def test_response_that_was_written_again_is_not_the_oldest() -> None:
    store = MemoryStore(max_entries=2)
    first, second, third = response(), response(), response()
    for record in (first, second, first, third):
        await store.save(record)

    assert await kept(store, [first, second, third]) == [True, False, True]


async def test_running_response_is_never_forgotten() -> None:
    store = MemoryStore(max_entries=2)
    run = running()
    await store.start_run(run, "a", 0)
    records = [response() for _ in range(5)]
    for record in records:
        await store.save(record)

    assert await kept(store, [run, *records]) == [True, False, False, False, False, True]


async def test_run_that_is_over_is_forgotten_in_its_turn() -> None:
    store = MemoryStore(max_entries=2)
    run = running()
    await store.start_run(run, "a", 60)
    await store.append_events(run.id, events(0, 3), holder="a", seconds=60)
    await store.finish(run)
    await store.save(response())
    assert await log_numbers(store, run.id) == [0, 1, 2]
    await store.save(response())

    assert await store.get(OWNER, run.id) is None
    assert await store.read_events(OWNER, run.id, after=-1, limit=10) is None


async def test_expired_run_is_forgotten_though_it_never_ended() -> None:
    store = MemoryStore(max_entries=1)
    await store.start_run(running(expires_in=-1), "a", 60)
    await store.save(response())


async def test_store_that_is_full_of_running_responses_says_so() -> None:
    store = MemoryStore(max_entries=2)
    runs = [running(), running()]
    for run in runs:
        await store.start_run(run, "a", 60)

    with pytest.raises(StoreError, match="full"):
        await store.start_run(running(), "a", 60)
    with pytest.raises(StoreError, match="full"):
        await store.save(response())
    assert await store.finish(runs[0])
    await store.save(response())
    assert await kept(store, runs) == [False, True]


async def test_log_that_grows_makes_others_go_and_then_fails() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES)
    run, old = running(), big()
    await store.save(old)
    await store.start_run(run, "a", 60)
    number = 0
    with suppress(StoreError):
        while True:
            await store.append_events(run.id, events(number, number + 100), holder="a", seconds=60)
            number += 100

    assert await kept(store, [old, run]) == [False, True]
    assert await log_numbers(store, run.id) == list(range(number))
    assert await store.finish(run)


async def test_record_that_is_larger_than_the_store_is_refused() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES)
    small = response()
    await store.save(small)

    with pytest.raises(StoreError, match="full"):
        await store.save(response(output=[item("msg_1", "x" * MAX_BYTES)]))
    assert await kept(store, [small]) == [True]
    assert await store.find_items(OWNER, ["msg_1"]) == {}


async def test_nothing_is_forgotten_for_what_would_not_fit_all_the_same() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES)
    old = [big() for _ in range(3)]
    for record in old:
        await store.save(record)
    thread = conversation()
    await store.create_conversation(thread)
    with pytest.raises(StoreError):
        await store.save(big(conversation_id=thread.id), [StoredItem("msg_big", b"x" * MAX_BYTES)])

    assert await kept(store, old) == [True] * 3
    assert await item_ids(store, thread.id) == []


async def test_conversations_are_forgotten_like_responses() -> None:
    store = MemoryStore(max_entries=2)
    first, second = conversation(), conversation()
    await store.create_conversation(first, [item("msg_1")])
    await store.create_conversation(second)
    await store.add_items(OWNER, first.id, [item("msg_2")])
    await store.save(response())

    assert await item_ids(store, first.id) == ["msg_1", "msg_2"]
    assert await store.get_conversation(OWNER, second.id) is None


async def test_locked_conversation_is_not_forgotten() -> None:
    store = MemoryStore(max_entries=2)
    thread = conversation()
    await store.create_conversation(thread)
    await store.lock_conversation(OWNER, thread.id, "a", 60)
    for _ in range(3):
        await store.save(response())
    assert await store.get_conversation(OWNER, thread.id) is not None
    await store.unlock_conversation(OWNER, thread.id, "a")
    for _ in range(3):
        await store.save(response())

    assert await store.get_conversation(OWNER, thread.id) is None


async def test_items_grow_a_conversation_until_it_is_full() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES)
    thread = conversation()
    await store.create_conversation(thread)
    added = 0
    with suppress(StoreError):
        while True:
            await store.add_items(OWNER, thread.id, [item(f"msg_{added}", BIG)])
            added += 1

    assert added == 9
    assert len(await item_ids(store, thread.id)) == 9


async def test_what_is_deleted_makes_room() -> None:
    store = MemoryStore(max_bytes=MAX_BYTES, max_entries=3)
    thread = conversation()
    await store.create_conversation(thread)
    await store.lock_conversation(OWNER, thread.id, "a", HOUR)
    for _ in range(50):
        record = big(conversation_id=thread.id)
        await store.save(record, [item("msg_1", BIG)])
        await store.update_conversation(OWNER, thread.id, b'{"a":"%s"}' % BIG.encode())
        await store.update_conversation(OWNER, thread.id, b"{}")
        await store.delete_item(OWNER, thread.id, "msg_1")
        await store.delete(OWNER, record.id)
    records = [big(), big()]
    for record in records:
        await store.save(record)

    assert await kept(store, records) == [True, True]


async def test_what_has_expired_makes_room_when_purged(clock: Clock) -> None:
    store = MemoryStore(max_entries=3, clock=clock)
    stays = response(expires_in=None)
    await store.save(stays)
    await store.save(response(expires_in=10))
    await store.create_conversation(conversation(expires_in=10), items(1))
    clock.seconds += 20

    assert await store.purge(clock()) == 2
    records = [response(), response()]
    for record in records:
        await store.save(record)
    assert await kept(store, [stays, *records]) == [True] * 3


async def test_leases_and_locks_run_out_by_the_clock(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    run, thread = running(), conversation()
    await store.start_run(run, "a", 30)
    await store.create_conversation(thread)
    await store.lock_conversation(OWNER, thread.id, "a", 30)
    clock.seconds += 29
    assert not await store.take_over(run.id, "b", 30)
    assert not await store.lock_conversation(OWNER, thread.id, "b", 30)
    clock.seconds += 1

    assert await store.take_over(run.id, "b", 30)
    assert await store.lock_conversation(OWNER, thread.id, "b", 30)


async def test_follower_wakes_when_its_run_is_purged(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    run = running(expires_in=10)
    await store.start_run(run, "a", 60)
    async with asyncio.timeout(5), store.wakeups(run.id) as wakeups:
        await store.purge(clock() + 20)
        await wakeups.wait(60)


async def _many_responses(store: MemoryStore) -> None:
    for number in range(2000):
        some = [item(f"msg_{number}_{place}", "x" * 20) for place in range(3)]
        await store.save(response(input=some[:1], output=some[1:]))


async def _many_items(store: MemoryStore) -> None:
    thread = conversation()
    await store.create_conversation(thread)
    for number in range(2000):
        await store.add_items(OWNER, thread.id, items(2, f"msg_{number}"))


async def _many_events(store: MemoryStore) -> None:
    run = running()
    await store.start_run(run, "a", 60)
    for number in range(5000):
        await store.append_events(run.id, events(number, number + 1), holder="a", seconds=60)


@pytest.mark.parametrize("fill", [_many_responses, _many_items, _many_events])
async def test_bound_is_not_less_than_what_is_really_taken(
    fill: Callable[[MemoryStore], Awaitable[None]],
) -> None:
    """And not more than three times of it."""
    store = MemoryStore()
    tracemalloc.start()
    try:
        await fill(store)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken <= store.total_bytes <= 3 * taken
