"""The index of items names responses; what an item is, is looked up in them."""

import msgspec
import pytest
from sqlalchemy import text

from adapter.store.base import ResponseStore
from adapter.store.sql import responses
from tests.store.records import OWNER, item, response
from tests.store.sql.watching import connected

pytestmark = pytest.mark.anyio


async def test_item_of_several_responses_is_that_of_the_newest(store: ResponseStore) -> None:
    await store.save(response(input=[item("msg_1", "old")]))
    await store.save(response(input=[item("msg_1", "new")]))

    assert await store.find_items(OWNER, ["msg_1"]) == {"msg_1": item("msg_1", "new").data}


async def test_item_is_found_in_an_older_response_when_the_newest_lost_it(
    store: ResponseStore,
) -> None:
    await store.save(response(input=[item("msg_1")]))
    newest = response(input=[item("msg_1"), item("msg_2")])
    await store.save(newest)
    without = response(newest.id, input=[item("msg_2")])
    await store.save(without)

    found = await store.find_items(OWNER, ["msg_1", "msg_2"])

    assert found == {id: item(id).data for id in ("msg_1", "msg_2")}


async def test_item_that_is_nowhere_any_more_is_not_looked_for_for_ever(
    store: ResponseStore,
) -> None:
    for number in range(2 * responses._MAX_LOOKS):
        record = response(f"resp_{number}", input=[item("msg_1")])
        await store.save(record)
        await store.save(msgspec.structs.replace(record, input=b"[]"))

    assert await store.find_items(OWNER, ["msg_1"]) == {}


async def test_deleted_responses_leave_nothing_in_the_index(
    store: ResponseStore, store_url: str
) -> None:

    kept = response(input=[item("msg_1")], output=[item("msg_2")])
    gone = response(input=[item("msg_1"), item("msg_3")], expires_in=-1)
    deleted = response(input=[item("msg_1")])
    for record in (kept, gone, deleted):
        await store.save(record)
    await store.delete(OWNER, deleted.id)
    await store.purge(gone.created_at)
    with connected(store_url) as connection:
        count = connection.scalar(text("SELECT count(*) FROM adapter_items"))

    assert count == 2
