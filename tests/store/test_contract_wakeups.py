"""The contract of `adapter/store/base.py`: what wakes followers and runners."""

import asyncio

import pytest

from adapter.store.base import ResponseStore, Wakeups
from tests.store.records import (
    OWNER,
    ended,
    events,
    log_numbers,
    started,
    within,
)

pytestmark = pytest.mark.anyio


async def test_follower_wakes_for_events_from_elsewhere(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)
    async with within(), other.wakeups(record.id) as wakeups:
        for number in range(5):
            await store.append_events(record.id, events(number, number + 1), holder="a", seconds=60)
            while len(await log_numbers(other, record.id)) <= number:
                await wakeups.wait(60)


async def test_what_happened_before_the_wait_is_not_missed(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)
    async with within(), other.wakeups(record.id) as wakeups:
        await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
        await wakeups.wait(60)


async def test_follower_wakes_at_the_end(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store)
    async with within(), other.wakeups(record.id) as wakeups:
        waiting = asyncio.create_task(_wait_for_status(other, record.id, wakeups))
        await store.finish(ended(record))

        assert await waiting == "completed"


async def test_runner_wakes_when_it_is_cancelled_elsewhere(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)
    async with within(), store.wakeups(record.id) as wakeups:
        await other.finish(ended(record, "cancelled"))

        assert await _wait_for_status(store, record.id, wakeups) == "cancelled"


async def test_runner_wakes_when_its_run_is_deleted_elsewhere(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)
    async with within(), store.wakeups(record.id) as wakeups:
        await other.delete(OWNER, record.id)

        assert await _wait_for_status(store, record.id, wakeups) is None


async def _wait_for_status(store: ResponseStore, id: str, wakeups: Wakeups) -> str | None:
    while True:
        record = await store.get(OWNER, id)
        if record is None or record.status != "in_progress":
            return record and record.status
        await wakeups.wait(60)


async def test_wait_ends_with_its_time(store: ResponseStore) -> None:
    record = await started(store)
    async with within(), store.wakeups(record.id) as wakeups:
        for _ in range(3):
            await wakeups.wait(0.01)
        await wakeups.wait(0)


async def test_all_followers_of_a_run_wake(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store)

    async def follow(where: ResponseStore, ready: asyncio.Semaphore) -> int:
        async with where.wakeups(record.id) as wakeups:
            ready.release()
            while not (numbers := await log_numbers(where, record.id)):
                await wakeups.wait(60)
            return len(numbers)

    ready = asyncio.Semaphore(0)
    async with within():
        following = [asyncio.create_task(follow(where, ready)) for where in [store, other] * 10]
        for _ in following:
            await ready.acquire()
        await store.append_events(record.id, events(0, 2), holder="a", seconds=60)

        assert await asyncio.gather(*following) == [2] * 20


async def test_follower_that_left_does_not_take_the_others_along(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)
    async with within(), other.wakeups(record.id) as staying:
        for _ in range(3):
            async with other.wakeups(record.id):
                pass
        await staying.wait(0)
        await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
        while not await log_numbers(other, record.id):
            await staying.wait(60)


async def test_run_may_be_followed_again(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store)
    async with within():
        for number in range(10):
            async with other.wakeups(record.id) as wakeups:
                await store.append_events(
                    record.id, events(number, number + 1), holder="a", seconds=60
                )
                await wakeups.wait(60)


async def test_cancelled_followers_leave_the_store_usable(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)

    async def follow() -> None:
        async with other.wakeups(record.id) as wakeups:
            while True:
                await wakeups.wait(60)

    for steps in range(0, 20, 2):
        tasks = [asyncio.create_task(follow()) for _ in range(5)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        async with within():
            await asyncio.gather(*tasks, return_exceptions=True)
    async with within(), other.wakeups(record.id) as wakeups:
        await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
        while not await log_numbers(other, record.id):
            await wakeups.wait(60)
