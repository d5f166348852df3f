"""The contract of `adapter/store/base.py`: opening and closing, any text as an id, expiry."""

import asyncio
import time

import pytest

from adapter.store.base import ResponseStore
from tests.store.conftest import NewStore
from tests.store.records import (
    OWNER,
    conversation,
    events,
    item,
    opened,
    response,
    running,
    within,
)

pytestmark = pytest.mark.anyio

HOSTILE = {
    "empty": "",
    "sql": "'; DROP TABLE responses; --",
    "colons": "resp:1:{a}:*",
    "glob": "[a-z]*?",
    "nul": "a\x00b",
    "lines": "a\r\nb\u2028c",
    "astral": "\U0001f600\u00e9\uffff",
    "path": "../../etc/passwd",
    "percent": "%s %(id)s {} ?",
    "long": "x" * 512,
}


# Stores as such


async def test_only_a_store_in_memory_is_not_shared(store: ResponseStore, backend: str) -> None:
    assert store.is_shared == (backend != "memory")


async def test_open_store_answers(store: ResponseStore) -> None:
    async with within():
        await store.check()


async def test_store_may_be_opened_twice(store: ResponseStore) -> None:
    record = response()
    await store.save(record)
    await store.open()

    assert await store.get(OWNER, record.id) == record


async def test_many_processes_may_open_a_new_store_at_once(new_store: NewStore) -> None:
    stores = [new_store() for _ in range(8)]
    record = response()
    try:
        async with within():
            await asyncio.gather(*(store.open() for store in stores))
        await stores[0].save(record)

        assert await stores[-1].get(OWNER, record.id) == record
    finally:
        for store in stores:
            await store.aclose()


async def test_what_was_saved_is_there_after_closing(new_store: NewStore) -> None:
    records = [response() for _ in range(20)]
    async with opened(new_store()) as store:
        await asyncio.gather(*map(store.save, records))
    async with opened(new_store()) as store:
        found = [await store.get(OWNER, record.id) for record in records]

    assert found == records


# Ids


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_any_text_is_an_id(store: ResponseStore, text: str) -> None:
    record = response(text, output=[item(text)], previous_id=text, conversation_id=text)
    await store.save(record)
    await store.save(response(text + "+"))

    assert await store.get(OWNER, text) == record
    assert await store.find_items(OWNER, [text]) == {text: item(text).data}
    assert await store.delete(OWNER, text)
    assert await store.get(OWNER, text) is None
    assert await store.find_items(OWNER, [text]) == {}
    assert await store.get(OWNER, text + "+") is not None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_any_text_is_an_owner(store: ResponseStore, text: str) -> None:
    mine, theirs = response(owner=text, output=[item("msg_1")]), response(owner=text + "+")
    await store.save(mine)
    await store.save(theirs)

    assert await store.get(text, mine.id) == mine
    assert await store.get(text, theirs.id) is None
    assert await store.find_items(text, ["msg_1"]) == {"msg_1": item("msg_1").data}


@pytest.mark.parametrize("text", [*HOSTILE.values(), "x" * 100_000], ids=[*HOSTILE, "huge"])
async def test_any_text_may_be_asked_for(store: ResponseStore, text: str) -> None:
    await store.save(response())

    assert await store.get(OWNER, text) is None
    assert await store.chain(OWNER, text, 10) == []
    assert await store.find_items(OWNER, [text]) == {}
    assert not await store.delete(OWNER, text)
    assert await store.read_events(OWNER, text, after=-1, limit=10) is None
    assert not await store.append_events(text, [], holder=text, seconds=60)
    assert await store.get_conversation(text, text) is None
    assert await store.list_items(OWNER, text, after=text, limit=10) is None
    assert await store.get_item(OWNER, text, text) is None
    assert not await store.lock_conversation(OWNER, text, text, 60)


# Expiry


async def test_expired_response_is_not_there(store: ResponseStore) -> None:
    old = response(expires_in=-1, output=[item("msg_1")])
    new = response(previous_id=old.id)
    await store.save(old)
    await store.save(new)

    assert await store.get(OWNER, old.id) is None
    assert await store.chain(OWNER, new.id, 10) == [new]
    assert await store.find_items(OWNER, ["msg_1"]) == {}
    assert not await store.delete(OWNER, old.id)


async def test_expired_conversation_is_not_there(store: ResponseStore) -> None:
    thread = conversation(expires_in=-1)
    await store.create_conversation(thread, [item("msg_1")])

    assert await store.get_conversation(OWNER, thread.id) is None
    assert await store.list_items(OWNER, thread.id, limit=10) is None
    assert await store.find_items(OWNER, ["msg_1"]) == {}
    assert not await store.add_items(OWNER, thread.id, [item("msg_2")])
    assert not await store.delete_conversation(OWNER, thread.id)


async def test_expired_run_is_over_and_has_no_log(store: ResponseStore) -> None:
    record = running(expires_in=-1)
    await store.start_run(record, "a", 0)

    assert not await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
    assert await store.read_events(OWNER, record.id, after=-1, limit=10) is None
    assert await store.orphans(time.time() + 1, 10) == []
    assert not await store.take_over(record.id, "b", 60)
    assert not await store.finish(record)


async def test_purge_deletes_what_has_expired_and_nothing_else(
    store: ResponseStore, backend: str
) -> None:
    kept = [response(), response(expires_in=None)]
    thread = conversation()
    for record in (*kept, response(expires_in=-1, output=[item("msg_1")])):
        await store.save(record)
    await store.create_conversation(thread, [item("msg_2")])
    await store.create_conversation(conversation(expires_in=-1), [item("msg_3")])
    purged = await store.purge(time.time())

    assert purged == (0 if backend == "redis" else 2)
    assert await store.purge(time.time()) == 0
    assert [await store.get(OWNER, record.id) for record in kept] == kept
    assert await store.get_conversation(OWNER, thread.id) is not None
    assert set(await store.find_items(OWNER, ["msg_1", "msg_2", "msg_3"])) == {"msg_2"}
