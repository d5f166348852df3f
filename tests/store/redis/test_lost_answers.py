"""An answer that is lost with its connection: the step is made again, and happens once."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from adapter.store.redis import RedisStore
from tests.servers.redis import RedisServer
from tests.store.records import (
    OWNER,
    conversation,
    events,
    item,
    item_ids,
    log_numbers,
    opened,
    response,
    running,
    within,
)

pytestmark = pytest.mark.anyio


class Cutter:
    """Stands between a store and its server, and drops a connection when it is told to.

    Attributes:
        drops_next_answer: the next answer of the server, and its connection.
    """

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.drops_next_answer = False

    async def serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_unix_connection(str(self._server.socket))
        try:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(_copy(from_client, to_server))
                while answer := await from_server.read(65_536):
                    if self.drops_next_answer:
                        self.drops_next_answer = False
                        break
                    to_client.write(answer)
                asking.cancel()
        finally:
            to_server.close()
            to_client.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
    target.write_eof()


@pytest.fixture
def cutter(shared_redis: RedisServer) -> Cutter:
    return Cutter(shared_redis)


@pytest.fixture
async def store(cutter: Cutter, prefix: str) -> AsyncIterator[RedisStore]:
    """Yield a store behind the cutter."""
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    async with server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}?prefix={prefix}"
        async with within(), opened(RedisStore(url)) as store:
            yield store


async def test_items_are_appended_once(store: RedisStore, cutter: Cutter) -> None:
    thread = conversation()
    await store.create_conversation(thread)
    record = response(conversation_id=thread.id)
    cutter.drops_next_answer = True
    await store.save(record, [item("msg_1"), item("msg_2")])

    assert not cutter.drops_next_answer
    assert await store.get(OWNER, record.id) == record
    assert await item_ids(store, thread.id) == ["msg_1", "msg_2"]


async def test_events_are_logged_once(store: RedisStore, cutter: Cutter) -> None:
    record = running()
    await store.start_run(record, "a", 60)
    cutter.drops_next_answer = True

    assert await store.append_events(record.id, events(0, 3), holder="a", seconds=60)
    assert not cutter.drops_next_answer
    assert await log_numbers(store, record.id) == [0, 1, 2]


async def test_who_finished_is_told_so(store: RedisStore, cutter: Cutter) -> None:
    record = running()
    await store.start_run(record, "a", 60)
    last = msgspec.structs.replace(record, status="completed")
    cutter.drops_next_answer = True

    assert await store.finish(last, events(0, 3), holder="a")
    assert not cutter.drops_next_answer
    assert not await store.finish(last, holder="a")
    assert await log_numbers(store, record.id) == [0, 1, 2]


async def test_who_took_over_is_told_so(store: RedisStore, cutter: Cutter) -> None:
    record = running()
    await store.start_run(record, "a", 0)
    cutter.drops_next_answer = True

    assert await store.take_over(record.id, "b", 60)
    assert not cutter.drops_next_answer
    assert not await store.take_over(record.id, "b", 60)
