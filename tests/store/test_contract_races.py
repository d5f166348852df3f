"""The contract of `adapter/store/base.py`: who writes at once, and who gives up in the middle."""

import asyncio

import pytest

from adapter.store.base import ResponseStore
from tests.store.records import (
    OWNER,
    conversation,
    item,
    item_ids,
    new_id,
    response,
    within,
)

pytestmark = pytest.mark.anyio


async def test_concurrent_writers_lose_nothing(many: list[ResponseStore]) -> None:
    records = [response(output=[item(new_id("msg"))]) for _ in range(200)]
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(many[number % len(many)].save(record) for number, record in enumerate(records))
        )

    assert [await many[0].get(OWNER, record.id) for record in records] == records


async def test_concurrent_writers_of_one_response_leave_one_whole(
    many: list[ResponseStore],
) -> None:
    id = new_id()
    versions = [response(id, output=[item(f"msg_{number}")]) for number in range(len(many))]
    async with within():
        await asyncio.gather(
            *(store.save(record) for store, record in zip(many, versions, strict=True))
        )
    kept = await many[0].get(OWNER, id)

    assert kept in versions
    ids = [one.item_ids[0] for one in versions]
    assert set(await many[0].find_items(OWNER, ids)) == set(kept.item_ids)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_cancelled_save_happened_as_a_whole_or_not_at_all(
    store: ResponseStore, steps: int
) -> None:
    thread = conversation()
    await store.create_conversation(thread)
    records = [response(conversation_id=thread.id, input=[item(new_id("msg"))]) for _ in range(20)]
    tasks = [
        asyncio.create_task(store.save(record, [item(record.id, "x" * 100_000)]))
        for record in records
    ]
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    async with within():
        await asyncio.gather(*tasks, return_exceptions=True)
        last = response(conversation_id=thread.id)
        await store.save(last, [item(last.id)])
        kept = [record.id for record in records if await store.get(OWNER, record.id)]

    assert sorted(await item_ids(store, thread.id)) == sorted([*kept, last.id])


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_cancelled_readers_leave_the_store_usable(store: ResponseStore, steps: int) -> None:
    records = [response(output=[item(new_id("msg"), "x" * 50_000)]) for _ in range(20)]
    for record in records:
        await store.save(record)
    tasks = [asyncio.create_task(store.get(OWNER, record.id)) for record in records]
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    async with within():
        await asyncio.gather(*tasks, return_exceptions=True)
        found = await asyncio.gather(*(store.get(OWNER, record.id) for record in records))

    assert found == records
