"""Ids and owners are any text: what databases do not take as text comes back as it was."""

import pytest

from adapter.store.base import ResponseStore, StoredItem
from tests.store.records import conversation, events, item_ids, response, running, within

pytestmark = pytest.mark.anyio

HOSTILE = {
    "nothing": "",
    "NUL": "\x00",
    "half of a pair": "\ud800",
    "halves in the wrong order": "\udfff\ud800",
    "a hundred thousand letters": "x" * 100_000,
    "quotes": "'\"`; DROP TABLE adapter_responses; --",
    "placeholders": "%s %(id)s :id ? $1 {}",
    "escapes": "\\x00 \\000 E'\\'",
}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_any_text_names_a_response(text: str, store: ResponseStore) -> None:
    part = StoredItem(text, b'{"type":"message","id":"msg_1"}')
    first = response(text, owner=text, input=[part])
    second = response(owner=text, previous_id=text, conversation_id=text)
    async with within():
        await store.save(first)
        await store.save(second, [part])

        assert await store.get(text, text) == first
        assert await store.chain(text, second.id, 10) == [first, second]
        assert await store.find_items(text, [text]) == {}  # the JSON names it otherwise
        assert await store.delete(text, text)


async def test_any_text_names_a_conversation_and_its_items(text: str, store: ResponseStore) -> None:
    record = conversation(text, owner=text)
    part = StoredItem(text, b"{}")
    async with within():
        await store.create_conversation(record, [part])

        assert await store.get_conversation(text, text) == record
        assert await item_ids(store, text, text) == [text]
        assert await store.get_item(text, text, text) == part
        assert await store.find_items(text, [text]) == {text: b"{}"}
        assert await store.lock_conversation(text, text, text, 60)
        assert not await store.lock_conversation(text, text, "another", 60)


async def test_any_text_names_a_run_and_its_holder(text: str, store: ResponseStore) -> None:
    record = running(text, owner=text)
    async with within():
        await store.start_run(record, text, 60)

        assert await store.append_events(text, events(0, 1), holder=text, seconds=60)
        assert not await store.append_events(text, events(1, 2), holder="another", seconds=60)
        async with store.wakeups(text) as wakeups:
            assert await store.finish(record, holder=text)
            await wakeups.wait(60)
