"""The contract of `adapter/store/base.py`: leases of runs, orphans, and who takes them over."""

import asyncio
import time

import msgspec
import pytest

from adapter.store.base import ResponseStore
from tests.store.records import (
    STRANGER,
    ended,
    events,
    log_numbers,
    new_id,
    running,
    started,
    within,
)

pytestmark = pytest.mark.anyio


async def test_run_with_a_lease_is_no_orphan(store: ResponseStore) -> None:
    record = await started(store)

    assert await store.orphans(time.time() + 30, 10) == []
    assert await store.orphans(time.time() + 90, 10) == [record]
    assert not await store.take_over(record.id, "b", 60)


async def test_run_without_a_lease_is_an_orphan(store: ResponseStore, other: ResponseStore) -> None:
    first, second = await started(store, seconds=0), running(owner=STRANGER)
    await store.start_run(second, "a", 0)
    found = await other.orphans(time.time() + 1, 10)

    assert sorted(found, key=lambda one: one.id) == sorted([first, second], key=lambda one: one.id)


async def test_orphans_are_at_most_their_limit(store: ResponseStore) -> None:
    ids = {(await started(store, seconds=0)).id for _ in range(5)}
    found = await store.orphans(time.time() + 1, 3)

    assert len({record.id for record in found}) == 3
    assert {record.id for record in found} < ids


async def test_orphan_is_as_it_was_kept_last(store: ResponseStore) -> None:
    record = await started(store, seconds=0)
    newer = msgspec.structs.replace(record, response=b'{"output":[],"newer":1}')
    await store.update_run(newer, holder="a")

    assert await store.orphans(time.time() + 1, 10) == [newer]


async def test_every_append_renews_the_lease(store: ResponseStore) -> None:
    record = await started(store, seconds=0)
    await store.append_events(record.id, events(0, 1), holder="a", seconds=60)

    assert await store.orphans(time.time() + 1, 10) == []
    await store.append_events(record.id, [], holder="a", seconds=0)
    assert await store.orphans(time.time() + 1, 10) == [record]
    await store.append_events(record.id, [], holder="a", seconds=60)
    assert await store.orphans(time.time() + 1, 10) == []


async def test_orphan_that_nobody_took_goes_on(store: ResponseStore) -> None:
    record = await started(store, seconds=0)

    assert await store.append_events(record.id, events(0, 1), holder="a", seconds=0)
    assert await store.update_run(record, holder="a")
    assert await store.finish(ended(record), holder="a")
    assert await store.orphans(time.time() + 1, 10) == []


async def test_taken_run_is_its_takers(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store, seconds=0)
    await store.append_events(record.id, events(0, 2), holder="a", seconds=0)

    assert await other.take_over(record.id, "b", 60)
    assert not await store.append_events(record.id, events(2, 3), holder="a", seconds=60)
    assert not await store.update_run(record, holder="a")
    assert not await store.finish(ended(record), holder="a")
    assert await other.orphans(time.time() + 1, 10) == []
    assert await other.append_events(record.id, events(2, 4), holder="b", seconds=60)
    assert await other.finish(ended(record), events(4, 5), holder="b")
    assert await log_numbers(store, record.id) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("attempt", range(5))
async def test_one_of_many_takes_an_orphan_over(many: list[ResponseStore], attempt: int) -> None:
    record = await started(many[0], seconds=0)
    async with within():
        told = await asyncio.gather(
            *(store.take_over(record.id, new_id("run"), 60) for store in many)
        )

    assert sorted(told) == [False] * 7 + [True]


async def test_nobody_takes_over_what_has_been_taken(store: ResponseStore) -> None:
    record = await started(store, seconds=0)

    assert await store.take_over(record.id, "b", 60)
    assert not await store.take_over(record.id, "c", 60)
    assert not await store.take_over(record.id, "b", 60)
