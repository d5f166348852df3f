"""The contract of `adapter/store/base.py`: background runs and their logs."""

import asyncio
import time

import msgspec
import pytest

from adapter.store.base import ResponseStore
from tests.store.records import (
    OWNER,
    STRANGER,
    conversation,
    ended,
    events,
    item,
    item_ids,
    log_numbers,
    response,
    running,
    started,
    within,
)

pytestmark = pytest.mark.anyio


# Starting


async def test_started_run_is_found_with_an_empty_log(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = running(request=b'{"model":"m"}', input=[item("msg_1")])
    await store.start_run(record, "a", 60)
    page = await other.read_events(OWNER, record.id, after=-1, limit=10)

    assert await other.get(OWNER, record.id) == record
    assert await other.find_items(OWNER, ["msg_1"]) == {"msg_1": item("msg_1").data}
    assert page is not None
    assert (page.events, page.is_closed) == ((), False)


async def test_response_that_was_only_saved_has_no_log(store: ResponseStore) -> None:
    record = response()
    await store.save(record)

    assert await store.read_events(OWNER, record.id, after=-1, limit=10) is None
    assert not await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
    assert not await store.finish(record)
    assert not await store.update_run(record, holder="a")
    assert not await store.take_over(record.id, "a", 60)


async def test_unknown_run_is_gone(store: ResponseStore) -> None:
    record = running()

    assert not await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
    assert not await store.update_run(record, holder="a")
    assert not await store.finish(ended(record))
    assert not await store.take_over(record.id, "a", 60)
    assert await store.get(OWNER, record.id) is None


# The log


async def test_events_are_read_as_they_were_logged(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)

    assert await store.append_events(record.id, events(0, 3), holder="a", seconds=60)
    assert await store.append_events(record.id, [], holder="a", seconds=60)
    assert await store.append_events(record.id, events(3, 5), holder="a", seconds=60)
    page = await other.read_events(OWNER, record.id, after=-1, limit=10)
    assert page is not None
    assert page.events == tuple(events(0, 5))
    assert not page.is_closed


async def test_log_has_no_gaps_and_no_event_twice(store: ResponseStore) -> None:
    record = await started(store)
    for start, stop in [(0, 4), (0, 4), (2, 6), (6, 7), (0, 1), (7, 9)]:
        assert await store.append_events(record.id, events(start, stop), holder="a", seconds=60)

    assert await log_numbers(store, record.id) == list(range(9))


@pytest.mark.parametrize("limit", [1, 3, 9, 10, 11])
async def test_pages_of_a_log_follow_on_each_other(store: ResponseStore, limit: int) -> None:
    record = await started(store)
    await store.append_events(record.id, events(0, 6), holder="a", seconds=60)
    await store.finish(ended(record), events(6, 10))
    seen: list[int] = []
    closed = False
    while not closed:
        after = seen[-1] if seen else -1
        page = await store.read_events(OWNER, record.id, after=after, limit=limit)
        assert page is not None
        assert page.events or page.is_closed
        seen += [event.number for event in page.events]
        closed = page.is_closed

    assert seen == list(range(10))


async def test_page_behind_the_end_is_empty(store: ResponseStore) -> None:
    record = await started(store)
    await store.append_events(record.id, events(0, 3), holder="a", seconds=60)

    for after in (2, 3, 99):
        page = await store.read_events(OWNER, record.id, after=after, limit=10)
        assert page is not None
        assert (page.events, page.is_closed) == ((), False)
    await store.finish(ended(record))
    page = await store.read_events(OWNER, record.id, after=2, limit=10)
    assert page is not None
    assert (page.events, page.is_closed) == ((), True)


async def test_page_before_the_end_of_a_closed_log_is_not_its_close(store: ResponseStore) -> None:
    record = await started(store)
    await store.finish(ended(record), events(0, 5))
    page = await store.read_events(OWNER, record.id, after=-1, limit=4)

    assert page is not None
    assert not page.is_closed


async def test_log_of_another_owner_is_not_there(store: ResponseStore) -> None:
    record = await started(store)

    assert await store.read_events(STRANGER, record.id, after=-1, limit=10) is None


async def test_long_log_is_read_whole(store: ResponseStore) -> None:
    record = await started(store)
    async with asyncio.timeout(30):
        for start in range(0, 10_000, 1000):
            await store.append_events(
                record.id, events(start, start + 1000), holder="a", seconds=60
            )

    assert await log_numbers(store, record.id) == list(range(10_000))
    page = await store.read_events(OWNER, record.id, after=8_998, limit=2)
    assert page is not None
    assert page.events == tuple(events(8_999, 9_001))


# Keeping a run that goes on


async def test_updated_run_goes_on(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store)
    await store.append_events(record.id, events(0, 2), holder="a", seconds=60)
    newer = msgspec.structs.replace(record, response=b'{"output":[],"newer":1}')

    assert await store.update_run(newer, holder="a")
    assert await other.get(OWNER, record.id) == newer
    assert await store.append_events(record.id, events(2, 3), holder="a", seconds=60)
    assert await log_numbers(store, record.id) == [0, 1, 2]


async def test_nobody_else_writes_a_run(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store)

    assert not await other.append_events(record.id, events(0, 1), holder="b", seconds=60)
    assert not await other.update_run(ended(record), holder="b")
    assert not await other.finish(ended(record), holder="b")
    assert await store.get(OWNER, record.id) == record
    assert await log_numbers(store, record.id) == []


# The end


async def test_finish_keeps_everything_at_once(store: ResponseStore, other: ResponseStore) -> None:
    thread = conversation()
    await store.create_conversation(thread, [item("msg_0")])
    record = running(conversation_id=thread.id)
    await store.start_run(record, "a", 60)
    await store.append_events(record.id, events(0, 2), holder="a", seconds=60)
    last = msgspec.structs.replace(
        response(record.id, output=[item("msg_1")], background=True), conversation_id=thread.id
    )

    assert await store.finish(last, events(2, 4), [item("msg_1")], holder="a")
    assert await other.get(OWNER, record.id) == last
    assert await log_numbers(other, record.id) == [0, 1, 2, 3]
    assert await item_ids(other, thread.id) == ["msg_0", "msg_1"]
    assert set(await other.find_items(OWNER, ["msg_1"])) == {"msg_1"}


async def test_run_that_is_over_is_written_no_more(store: ResponseStore) -> None:
    record = await started(store)
    last = ended(record)
    await store.finish(last, events(0, 1), holder="a")

    assert not await store.append_events(record.id, events(1, 2), holder="a", seconds=60)
    assert not await store.update_run(record, holder="a")
    assert not await store.finish(ended(record, "failed"), events(1, 2))
    assert not await store.take_over(record.id, "b", 60)
    assert await store.get(OWNER, record.id) == last
    assert await log_numbers(store, record.id) == [0]


async def test_anyone_may_finish_a_run_without_a_holder(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = await started(store)

    assert await other.finish(ended(record, "cancelled"))
    assert not await store.finish(ended(record), holder="a")
    kept = await store.get(OWNER, record.id)
    assert kept is not None
    assert kept.status == "cancelled"


async def test_run_is_finished_when_its_conversation_is_gone(store: ResponseStore) -> None:
    record = running(conversation_id="conv_gone")
    await store.start_run(record, "a", 60)
    last = ended(record)

    assert await store.finish(last, appended=[item("msg_1")])
    assert await store.get(OWNER, record.id) == last


@pytest.mark.parametrize("attempt", range(5))
async def test_one_of_many_finishes_a_run(many: list[ResponseStore], attempt: int) -> None:
    thread = conversation()
    await many[0].create_conversation(thread)
    record = running(conversation_id=thread.id)
    await many[0].start_run(record, "a", 60)
    lasts = [
        msgspec.structs.replace(
            record, status="completed", response=b'{"output":[],"n":%d}' % number
        )
        for number in range(len(many))
    ]
    async with within():
        told = await asyncio.gather(
            *(
                store.finish(last, events(0, number + 1), [item(f"msg_{number}")])
                for number, (store, last) in enumerate(zip(many, lasts, strict=True))
            )
        )
    winner = told.index(True)

    assert told.count(True) == 1
    assert await many[0].get(OWNER, record.id) == lasts[winner]
    assert await log_numbers(many[0], record.id) == list(range(winner + 1))
    assert await item_ids(many[0], thread.id) == [f"msg_{winner}"]


@pytest.mark.parametrize("attempt", range(5))
async def test_nothing_is_logged_behind_the_end(
    store: ResponseStore, other: ResponseStore, attempt: int
) -> None:
    record = await started(store)

    async def write() -> int:
        number = 0
        while await store.append_events(
            record.id, events(number, number + 1), holder="a", seconds=60
        ):
            number += 1
            await asyncio.sleep(0)  # a store in memory never waits
        return number

    async with within(), other.wakeups(record.id) as wakeups:
        writing = asyncio.create_task(write())
        while len(await log_numbers(other, record.id)) < attempt:
            await wakeups.wait(60)
        assert await other.finish(ended(record, "cancelled"))
        written = await writing

    assert await log_numbers(store, record.id) == list(range(written))


async def test_cancelled_finish_happened_as_a_whole_or_not_at_all(store: ResponseStore) -> None:
    for steps in range(0, 40, 3):
        record = await started(store)
        task = asyncio.create_task(store.finish(ended(record), events(0, 3), holder="a"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        async with within():
            await asyncio.gather(task, return_exceptions=True)
            kept = await store.get(OWNER, record.id)
            numbers = await log_numbers(store, record.id)

            assert kept is not None
            assert numbers == ([0, 1, 2] if kept.status == "completed" else [])
            assert await store.finish(ended(record)) == (kept.status != "completed")


async def test_deleted_run_is_over(store: ResponseStore, other: ResponseStore) -> None:
    record = await started(store, seconds=0)
    await store.append_events(record.id, events(0, 2), holder="a", seconds=0)

    assert await other.delete(OWNER, record.id)
    assert not await store.append_events(record.id, events(2, 3), holder="a", seconds=60)
    assert not await store.update_run(record, holder="a")
    assert not await store.finish(ended(record))
    assert not await store.take_over(record.id, "b", 60)
    assert await store.get(OWNER, record.id) is None
    assert await store.read_events(OWNER, record.id, after=-1, limit=10) is None
    assert await store.orphans(time.time() + 1, 10) == []
