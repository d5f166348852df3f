"""The contract of `adapter/store/base.py`: responses, their chains and their items.

Each test takes a sentence of it to every back-end. `store` and `other` are two openings of the same
store, as two processes have it; `many` are eight.
"""

import asyncio

import pytest

from adapter.store.base import PAGE_BYTES, ResponseRecord, ResponseStore
from tests.store.records import (
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


async def test_saved_response_is_found_as_it_was(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = response(
        input=[item("msg_1", "hello")],
        output=[item("msg_2", "\u00e9\u2028\U0001f600")],
        previous_id="resp_before",
        conversation_id="conv_gone",
        background=True,
        request=b'{"model":"m"}',
    )
    await store.save(record)

    assert await other.get(OWNER, record.id) == record


async def test_response_without_expiry_is_found_as_it_was(store: ResponseStore) -> None:
    record = response(expires_in=None)
    await store.save(record)

    assert await store.get(OWNER, record.id) == record


async def test_unknown_response_is_not_found(store: ResponseStore) -> None:
    assert await store.get(OWNER, "resp_unknown") is None


async def test_response_of_another_owner_is_not_found(store: ResponseStore) -> None:
    record = response(owner=STRANGER)
    await store.save(record)

    assert await store.get(OWNER, record.id) is None


async def test_later_response_takes_the_place_of_the_first(store: ResponseStore) -> None:
    first = response(output=[item("msg_1")])
    second = response(first.id, output=[item("msg_2")])
    await store.save(first)
    await store.save(second)

    assert await store.get(OWNER, first.id) == second
    assert set(await store.find_items(OWNER, ["msg_1", "msg_2"])) == {"msg_2"}


async def test_big_response_is_found_as_it_was(store: ResponseStore) -> None:
    record = response(input=[item("msg_1", "x" * 8_000_000)], output=[item("msg_2", "\u20ac" * 99)])
    async with within():
        await store.save(record)

    assert await store.get(OWNER, record.id) == record
    assert await store.chain(OWNER, record.id, 10) == [record]


# Appending to the conversation


async def test_items_are_appended_with_the_response(
    store: ResponseStore, other: ResponseStore
) -> None:
    thread = conversation()
    await store.create_conversation(thread, [item("msg_0")])
    record = response(conversation_id=thread.id)
    await store.save(record, [item("msg_1"), item("msg_2")])

    assert await item_ids(other, thread.id) == ["msg_0", "msg_1", "msg_2"]


async def test_response_is_kept_when_its_conversation_is_gone(store: ResponseStore) -> None:
    record = response(conversation_id="conv_gone")
    await store.save(record, [item("msg_1")])

    assert await store.get(OWNER, record.id) == record
    assert await store.get_conversation(OWNER, "conv_gone") is None


async def test_nothing_is_appended_to_the_conversation_of_another_owner(
    store: ResponseStore,
) -> None:
    thread = conversation(owner=STRANGER)
    await store.create_conversation(thread)
    record = response(conversation_id=thread.id)
    await store.save(record, [item("msg_1")])

    assert await store.get(OWNER, record.id) == record
    assert await item_ids(store, thread.id, STRANGER) == []


# Chains


async def test_chain_is_the_oldest_first(store: ResponseStore) -> None:
    records = await _chain(store, 5)

    assert await store.chain(OWNER, records[-1].id, 100) == records
    assert await store.chain(OWNER, records[2].id, 100) == records[:3]


async def test_chain_has_at_most_its_limit(store: ResponseStore) -> None:
    records = await _chain(store, 5)
    found = await store.chain(OWNER, records[-1].id, 3)

    assert found == records[2:]
    assert found[0].previous_id is not None


async def test_chain_of_exactly_its_limit_is_whole(store: ResponseStore) -> None:
    records = await _chain(store, 5)

    assert (await store.chain(OWNER, records[-1].id, 5))[0].previous_id is None


async def test_chain_ends_where_a_response_was_deleted(store: ResponseStore) -> None:
    records = await _chain(store, 5)
    await store.delete(OWNER, records[1].id)
    found = await store.chain(OWNER, records[-1].id, 100)

    assert found == records[2:]
    assert found[0].previous_id == records[1].id


async def test_chain_ends_at_the_response_of_another_owner(store: ResponseStore) -> None:
    theirs = response(owner=STRANGER)
    mine = response(previous_id=theirs.id)
    await store.save(theirs)
    await store.save(mine)

    assert await store.chain(OWNER, mine.id, 100) == [mine]


async def test_chain_of_an_unknown_response_is_empty(store: ResponseStore) -> None:
    (record,) = await _chain(store, 1)

    assert await store.chain(OWNER, "resp_unknown", 100) == []
    assert await store.chain(STRANGER, record.id, 100) == []


async def test_chain_that_bites_its_tail_ends_at_its_limit(store: ResponseStore) -> None:
    id = new_id()
    await store.save(response(id, previous_id=id))
    async with within():
        found = await store.chain(OWNER, id, 10)

    assert {record.id for record in found} == {id}
    assert len(found) <= 10


async def test_long_chain_is_found_whole(store: ResponseStore) -> None:
    records = await _chain(store, 300)
    async with within():
        found = await store.chain(OWNER, records[-1].id, 1000)

    assert found == records


async def _chain(store: ResponseStore, length: int) -> list:
    records = [response()]
    while len(records) < length:
        records.append(response(previous_id=records[-1].id))
    await asyncio.gather(*map(store.save, records))
    return records


# Deletion


async def test_deleted_response_is_gone_everywhere(
    store: ResponseStore, other: ResponseStore
) -> None:
    record = response(output=[item("msg_1")])
    await store.save(record)

    assert await other.delete(OWNER, record.id)
    assert await store.get(OWNER, record.id) is None
    assert await store.find_items(OWNER, ["msg_1"]) == {}
    assert not await store.delete(OWNER, record.id)


async def test_nobody_deletes_the_response_of_another_owner(store: ResponseStore) -> None:
    record = response()
    await store.save(record)

    assert not await store.delete(STRANGER, record.id)
    assert await store.get(OWNER, record.id) == record


async def test_one_deletion_of_many_tells_that_it_was_there(many: list[ResponseStore]) -> None:
    record = response()
    await many[0].save(record)
    async with within():
        told = await asyncio.gather(*(store.delete(OWNER, record.id) for store in many))

    assert sorted(told) == [False] * 7 + [True]


# Items


async def test_items_of_input_and_output_are_found(store: ResponseStore) -> None:
    first, second, third = items(3)
    await store.save(response(input=[first], output=[second]))
    await store.save(response(output=[third]))

    found = await store.find_items(OWNER, [first.id, third.id, second.id, "msg_unknown"])

    assert found == {one.id: one.data for one in (first, second, third)}


async def test_items_of_conversations_are_found(store: ResponseStore) -> None:
    first, second, third = items(3)
    thread = conversation()
    await store.create_conversation(thread, [first])
    await store.add_items(OWNER, thread.id, [second])
    await store.save(response(conversation_id=thread.id), [third])

    found = await store.find_items(OWNER, [first.id, second.id, third.id])

    assert found == {one.id: one.data for one in (first, second, third)}


async def test_items_of_another_owner_are_not_found(store: ResponseStore) -> None:
    await store.save(response(owner=STRANGER, output=[item("msg_1")]))
    await store.create_conversation(conversation(owner=STRANGER), [item("msg_2")])

    assert await store.find_items(OWNER, ["msg_1", "msg_2"]) == {}


async def test_item_is_found_as_long_as_one_response_has_it(store: ResponseStore) -> None:
    first, second = response(output=[item("msg_1")]), response(input=[item("msg_1")])
    await store.save(first)
    await store.save(second)
    await store.delete(OWNER, first.id)

    assert await store.find_items(OWNER, ["msg_1"]) == {"msg_1": item("msg_1").data}
    await store.delete(OWNER, second.id)
    assert await store.find_items(OWNER, ["msg_1"]) == {}


async def test_no_items_are_asked_for(store: ResponseStore) -> None:
    assert await store.find_items(OWNER, []) == {}


async def test_not_all_of_very_large_items_are_found_at_one_time(store: ResponseStore) -> None:
    """Or a short request could refer to more than fits into memory."""
    large = [item(f"msg_{number}", "x" * (PAGE_BYTES // 2)) for number in range(6)]
    thread = conversation()
    await store.create_conversation(thread)
    for one in large[:3]:
        await store.save(response(input=[one]))
    for one in large[3:]:
        await store.add_items(OWNER, thread.id, [one])

    wanted = {one.id: one.data for one in large}
    rounds = []
    while wanted:
        found = await store.find_items(OWNER, list(wanted))
        assert found == {id: wanted.pop(id) for id in found}
        rounds.append(len(found))

    assert len(rounds) > 1
    assert min(rounds) > 0


async def test_chain_of_very_large_responses_ends_early(store: ResponseStore) -> None:
    """What a request continues may have large instructions and tools, which nobody counts."""
    previous: str | None = None
    for _ in range(6):
        record = response(output=[item("msg", "x" * (PAGE_BYTES // 2))], previous_id=previous)
        await store.save(record)
        previous = record.id

    found: list[ResponseRecord] = []
    while previous is not None:
        some = await store.chain(OWNER, previous, 1_000)
        assert 1 <= len(some) < 6
        found = some + found
        previous = some[0].previous_id

    assert len(found) == 6
    assert [one.previous_id for one in found] == [None, *(one.id for one in found[:-1])]
