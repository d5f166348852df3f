"""The contract of `adapter/store/base.py`: conversations, their items and their lock."""

import asyncio
import time

import pytest

from adapter.store.base import PAGE_BYTES, Order, ResponseStore, StoredItem
from tests.store.records import (
    HOUR,
    OWNER,
    STRANGER,
    conversation,
    item,
    item_ids,
    items,
    new_id,
    response,
    within,
)

pytestmark = pytest.mark.anyio


# Conversations as such


async def test_new_conversation_is_found_as_it_was(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = conversation(metadata='{"topic":"\u00e9\u2028\U0001f600"}'.encode())
    await store.create_conversation(record)

    assert await other.get_conversation(OWNER, record.id) == record
    assert await item_ids(other, record.id) == []


async def test_conversation_without_expiry_is_found_as_it_was(store: ResponseStore) -> None:
    record = conversation(expires_in=None)
    await store.create_conversation(record)
    await store.add_items(OWNER, record.id, items(1))

    assert await store.get_conversation(OWNER, record.id) == record


async def test_new_conversation_has_its_first_items(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(3))

    assert await item_ids(store, record.id) == [one.id for one in items(3)]


async def test_conversation_of_another_owner_is_not_there(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, [item("msg_1")])

    assert await store.get_conversation(STRANGER, record.id) is None
    assert await store.update_conversation(STRANGER, record.id, b"{}") is None
    assert await store.list_items(STRANGER, record.id, limit=10) is None
    assert await store.get_item(STRANGER, record.id, "msg_1") is None
    assert not await store.add_items(STRANGER, record.id, [item("msg_2")])
    assert not await store.delete_item(STRANGER, record.id, "msg_1")
    assert not await store.lock_conversation(STRANGER, record.id, "a", 60)
    assert not await store.delete_conversation(STRANGER, record.id)
    assert await store.get_conversation(OWNER, record.id) == record
    assert await item_ids(store, record.id) == ["msg_1"]


async def test_unknown_conversation_is_not_there(store: ResponseStore) -> None:
    assert await store.get_conversation(OWNER, "conv_unknown") is None
    assert await store.update_conversation(OWNER, "conv_unknown", b"{}") is None
    assert await store.list_items(OWNER, "conv_unknown", limit=10) is None
    assert not await store.add_items(OWNER, "conv_unknown", [item("msg_1")])
    assert not await store.delete_conversation(OWNER, "conv_unknown")


async def test_metadata_are_replaced(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(2))
    updated = await store.update_conversation(OWNER, record.id, b'{"topic":"other"}')

    assert updated is not None
    assert updated.metadata == b'{"topic":"other"}'
    assert (updated.id, updated.created_at) == (record.id, record.created_at)
    assert await store.get_conversation(OWNER, record.id) == updated
    assert len(await item_ids(store, record.id)) == 2


async def test_deleted_conversation_is_gone_with_its_items(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = conversation()
    await store.create_conversation(record, [item("msg_1")])

    assert await other.delete_conversation(OWNER, record.id)
    assert await store.get_conversation(OWNER, record.id) is None
    assert await store.list_items(OWNER, record.id, limit=10) is None
    assert await store.get_item(OWNER, record.id, "msg_1") is None
    assert await store.find_items(OWNER, ["msg_1"]) == {}
    assert not await store.delete_conversation(OWNER, record.id)


async def test_responses_outlive_their_conversation(store: ResponseStore) -> None:
    thread = conversation()
    await store.create_conversation(thread)
    record = response(conversation_id=thread.id, output=[item("msg_1")])
    await store.save(record, [item("msg_1")])
    await store.delete_conversation(OWNER, thread.id)

    assert await store.get(OWNER, record.id) == record
    assert await store.find_items(OWNER, ["msg_1"]) == {"msg_1": item("msg_1").data}


async def test_append_gives_the_conversation_its_whole_life_again(store: ResponseStore) -> None:
    record = conversation(expires_in=HOUR)
    await store.create_conversation(record)
    before = time.time()
    await store.add_items(OWNER, record.id, items(1))
    after = time.time()
    found = await store.get_conversation(OWNER, record.id)

    assert found is not None
    assert found.expires_at is not None
    # A database may keep whole milliseconds.
    assert before + HOUR - 0.002 <= found.expires_at <= after + HOUR + 0.002
    assert found.created_at == record.created_at


async def test_append_with_a_response_gives_the_conversation_its_whole_life_again(
    store: ResponseStore,
) -> None:
    record = conversation(expires_in=HOUR)
    await store.create_conversation(record)
    before = time.time()
    await store.save(response(conversation_id=record.id), items(1))
    found = await store.get_conversation(OWNER, record.id)

    assert found is not None
    assert found.expires_at is not None
    assert found.expires_at >= before + HOUR - 0.002


# Items


async def test_items_are_appended_in_order(store: ResponseStore, other: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(2, "a"))

    assert await other.add_items(OWNER, record.id, items(3, "c"))
    assert await store.add_items(OWNER, record.id, items(2, "b"))
    assert await store.add_items(OWNER, record.id, [])
    expected = [one.id for one in (*items(2, "a"), *items(3, "c"), *items(2, "b"))]
    assert await item_ids(store, record.id) == expected


async def test_item_is_found_as_it_was(store: ResponseStore) -> None:
    record = conversation()
    big = StoredItem("msg_big", b'{"id":"msg_big","text":"%s"}' % (b"x" * 3_000_000))
    await store.create_conversation(record, [item("msg_1", "\u00e9\u2028"), big])

    assert await store.get_item(OWNER, record.id, "msg_1") == item("msg_1", "\u00e9\u2028")
    assert await store.get_item(OWNER, record.id, "msg_big") == big
    assert await store.get_item(OWNER, record.id, "msg_unknown") is None


async def test_later_item_of_the_same_id_takes_the_place_of_the_first(
    store: ResponseStore,
) -> None:
    record = conversation()
    await store.create_conversation(record, items(3, "a"))
    await store.add_items(OWNER, record.id, [item("a_0001", "again"), item("b")])

    assert await item_ids(store, record.id) == ["a_0000", "a_0001", "a_0002", "b"]
    assert await store.get_item(OWNER, record.id, "a_0001") == item("a_0001", "again")


async def test_one_id_may_be_in_many_conversations(store: ResponseStore) -> None:
    first, second = conversation(), conversation()
    await store.create_conversation(first, [item("msg_1", "first")])
    await store.create_conversation(second, [item("msg_1", "second")])
    await store.delete_item(OWNER, first.id, "msg_1")

    assert await store.get_item(OWNER, second.id, "msg_1") == item("msg_1", "second")
    assert await store.find_items(OWNER, ["msg_1"]) == {"msg_1": item("msg_1", "second").data}


async def test_deleted_item_is_gone(store: ResponseStore, other: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(3))

    assert await other.delete_item(OWNER, record.id, "msg_0001")
    assert await item_ids(store, record.id) == ["msg_0000", "msg_0002"]
    assert await store.get_item(OWNER, record.id, "msg_0001") is None
    assert await store.find_items(OWNER, ["msg_0001"]) == {}
    assert not await store.delete_item(OWNER, record.id, "msg_0001")


async def test_deleted_item_may_come_again_at_the_end(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(2))
    await store.delete_item(OWNER, record.id, "msg_0000")
    await store.add_items(OWNER, record.id, [item("msg_0000", "again")])

    assert await item_ids(store, record.id) == ["msg_0001", "msg_0000"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_follow_on_each_other(store: ResponseStore, order: Order, limit: int) -> None:
    record = conversation()
    await store.create_conversation(record, items(7))
    seen: list[str] = []
    after = None
    more = True
    while more:
        page = await store.list_items(OWNER, record.id, after=after, limit=limit, order=order)
        assert page is not None
        assert len(page.items) == min(limit, 7 - len(seen))
        seen += [one.id for one in page.items]
        after, more = seen[-1], page.has_more

    assert seen == [one.id for one in items(7)][:: 1 if order == "asc" else -1]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_page_behind_the_last_item_is_empty(store: ResponseStore, order: Order) -> None:
    record = conversation()
    await store.create_conversation(record, items(3))
    last = "msg_0002" if order == "asc" else "msg_0000"
    page = await store.list_items(OWNER, record.id, after=last, limit=2, order=order)

    assert page is not None
    assert (page.items, page.has_more) == ((), False)


async def test_there_is_no_page_behind_an_item_that_is_not_there(store: ResponseStore) -> None:
    record, another = conversation(), conversation()
    await store.create_conversation(record, items(3))
    await store.create_conversation(another, [item("msg_elsewhere")])
    await store.delete_item(OWNER, record.id, "msg_0001")

    for after in ("msg_unknown", "msg_elsewhere", "msg_0001", ""):
        assert await store.list_items(OWNER, record.id, after=after, limit=2) is None


async def test_items_of_concurrent_writers_are_all_there_each_in_order(
    many: list[ResponseStore],
) -> None:
    record = conversation()
    await many[0].create_conversation(record)
    batches = [items(5, f"w{number}") for number in range(40)]
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(
                many[number % len(many)].add_items(OWNER, record.id, batch)
                for number, batch in enumerate(batches)
            )
        )
    found = await item_ids(many[0], record.id)

    assert len(found) == 200
    for batch in batches:
        ids = [one.id for one in batch]
        assert [id for id in found if id in ids] == ids


# The lock


async def test_lock_is_had_by_one_holder(store: ResponseStore, other: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record)

    assert await store.lock_conversation(OWNER, record.id, "a", 60)
    assert not await other.lock_conversation(OWNER, record.id, "b", 60)
    assert await store.lock_conversation(OWNER, record.id, "a", 60)


async def test_lock_is_taken_by_one_of_many(many: list[ResponseStore]) -> None:
    record = conversation()
    await many[0].create_conversation(record)
    async with within():
        told = await asyncio.gather(
            *(store.lock_conversation(OWNER, record.id, new_id(), 60) for store in many)
        )

    assert sorted(told) == [False] * 7 + [True]


async def test_lock_that_was_given_back_is_free(store: ResponseStore, other: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record)
    await store.lock_conversation(OWNER, record.id, "a", 60)
    await store.unlock_conversation(OWNER, record.id, "a")

    assert await other.lock_conversation(OWNER, record.id, "b", 60)


async def test_only_its_holder_gives_the_lock_back(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record)
    await store.lock_conversation(OWNER, record.id, "a", 60)
    await store.unlock_conversation(OWNER, record.id, "b")
    await store.unlock_conversation(STRANGER, record.id, "a")

    assert not await store.lock_conversation(OWNER, record.id, "b", 60)


async def test_lock_that_was_not_renewed_is_free(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record)

    assert await store.lock_conversation(OWNER, record.id, "a", 0)
    assert await store.lock_conversation(OWNER, record.id, "b", 60)
    await store.unlock_conversation(OWNER, record.id, "a")
    assert not await store.lock_conversation(OWNER, record.id, "c", 60)


async def test_there_is_no_lock_of_an_unknown_conversation(store: ResponseStore) -> None:
    assert not await store.lock_conversation(OWNER, "conv_unknown", "a", 60)
    await store.unlock_conversation(OWNER, "conv_unknown", "a")


async def test_lock_does_not_keep_others_from_reading_and_deleting(store: ResponseStore) -> None:
    record = conversation()
    await store.create_conversation(record, items(1))
    await store.lock_conversation(OWNER, record.id, "a", 60)

    assert await item_ids(store, record.id) == ["msg_0000"]
    assert await store.delete_conversation(OWNER, record.id)
    assert not await store.lock_conversation(OWNER, record.id, "a", 60)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_page_of_large_items_ends_early(store: ResponseStore, order: Order) -> None:
    """Or a hundred items of a client's would be more than fits into memory."""
    record = conversation()
    large = [item(f"msg_{number}", "x" * (PAGE_BYTES // 2)) for number in range(4)]
    await store.create_conversation(record)
    for one in large:
        await store.add_items(OWNER, record.id, [one])

    found: list[str] = []
    pages = 0
    has_more = True
    while has_more:
        after = found[-1] if found else None
        page = await store.list_items(OWNER, record.id, after=after, limit=100, order=order)
        assert page is not None
        found += [one.id for one in page.items]
        has_more = page.has_more
        pages += 1

    ids = [one.id for one in large]
    assert found == (ids if order == "asc" else ids[::-1])
    assert pages == 2
