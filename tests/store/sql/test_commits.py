"""Writes of one process share transactions, and fail apart."""

import asyncio

import msgspec
import pytest

from adapter.errors import StoreError
from adapter.store.base import LoggedEvent, ResponseStore
from tests.store.records import OWNER, conversation, events, item, response, running, within
from tests.store.sql.watching import commits

pytestmark = pytest.mark.anyio

# No column takes it, so a write with it fails in the database.
TOO_LARGE = 2**70


async def test_save_is_one_commit(store: ResponseStore) -> None:
    record = response(output=[item("msg_1")], conversation_id="conv_1")
    await store.create_conversation(conversation("conv_1"))
    with commits() as counted:
        await store.save(record, [item("msg_1")])

    assert counted.count == 1


async def test_concurrent_writes_share_few_commits(store: ResponseStore) -> None:
    runs = [running() for _ in range(50)]
    ended = [msgspec.structs.replace(run, status="completed") for run in runs]
    async with within():
        with commits() as starting:
            await asyncio.gather(*(store.start_run(run, "a", 60) for run in runs))
        with commits() as all_at_once:
            done = await asyncio.gather(
                *(store.save(response()) for _ in range(50)),
                *(store.append_events(r.id, events(0, 3), holder="a", seconds=60) for r in runs),
            )
        with commits() as ending:
            over = await asyncio.gather(
                *(store.finish(run, events(3, 5), holder="a") for run in ended)
            )

    # The first may go alone, the others while it is under way.
    assert max(starting.count, all_at_once.count, ending.count) <= 2
    assert done == [None] * 50 + [True] * 50
    assert over == [True] * 50


async def test_write_that_fails_does_not_fail_those_beside_it(store: ResponseStore) -> None:
    run = running()
    await store.start_run(run, "a", 60)
    good = [response() for _ in range(5)]
    bad = LoggedEvent(TOO_LARGE, b"{}")
    async with within():
        results = await asyncio.gather(
            *(store.save(record) for record in good[:3]),
            store.append_events(run.id, [bad], holder="a", seconds=60),
            *(store.save(record) for record in good[3:]),
            return_exceptions=True,
        )
        kept = [await store.get(OWNER, record.id) for record in good]
        page = await store.read_events(OWNER, run.id, after=-1, limit=10)

    assert [type(result) for result in results] == [type(None)] * 3 + [StoreError] + [
        type(None)
    ] * 2
    assert kept == good
    assert page is not None
    assert page.events == ()


async def test_same_response_twice_in_a_group_is_kept_as_it_was_said_last(
    store: ResponseStore,
) -> None:
    first = response(status="in_progress")
    last = msgspec.structs.replace(first, status="completed")
    async with within():
        await asyncio.gather(store.save(response()), store.save(first), store.save(last))

    assert await store.get(OWNER, first.id) == last


async def test_run_may_be_deleted_in_the_group_that_writes_to_it(store: ResponseStore) -> None:
    run = running()
    await store.start_run(run, "a", 60)
    async with within():
        _, is_going_on, is_deleted = await asyncio.gather(
            store.save(response()),
            store.append_events(run.id, events(0, 3), holder="a", seconds=60),
            store.delete(OWNER, run.id),
        )

    assert is_deleted
    assert not is_going_on
