"""Listening at scale: one connection, however many listen."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from adapter.store.redis import RedisStore
from adapter.store.redis.connection import to_pool
from adapter.store.redis.wakeups import Channels
from tests.servers.redis import RedisServer
from tests.store.records import events, new_id, running, within

from .conftest import Inspector

pytestmark = pytest.mark.anyio

LISTENERS = 1000
LIMIT_SECONDS = 30


async def test_a_thousand_listeners_share_one_connection(
    store: RedisStore, inspector: Inspector
) -> None:
    runs = [running() for _ in range(LISTENERS)]
    for record in runs:
        await store.start_run(record, "a", 60)
    before = len(inspector.client.client_list(_type="pubsub"))
    async with asyncio.timeout(LIMIT_SECONDS), AsyncExitStack() as stack:
        listening = await asyncio.gather(
            *(stack.enter_async_context(store.wakeups(record.id)) for record in runs)
        )
        after = len(inspector.client.client_list(_type="pubsub"))
        for record in runs:
            await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
        await asyncio.gather(*(wakeups.wait(60) for wakeups in listening))

    assert after - before == 1


async def test_a_thousand_followers_of_one_run_wake(store: RedisStore) -> None:
    record = running()
    await store.start_run(record, "a", 60)
    async with asyncio.timeout(LIMIT_SECONDS), AsyncExitStack() as stack:
        listening = await asyncio.gather(
            *(stack.enter_async_context(store.wakeups(record.id)) for _ in range(LISTENERS))
        )
        waiting = [asyncio.create_task(wakeups.wait(60)) for wakeups in listening]
        await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
        await asyncio.gather(*waiting)


async def test_channels_that_everyone_left_are_left(
    store: RedisStore, inspector: Inspector, prefix: str
) -> None:
    for _ in range(5):
        async with store.wakeups(new_id()):
            pass
    async with store.wakeups("last"):
        # It is confirmed behind the others' leaving.
        channels = inspector.client.pubsub_channels(f"*{prefix}*")

    assert channels == [b"{%s}:w:last" % prefix.encode()]


async def test_quiet_connection_is_kept_and_a_dead_one_is_noticed(own_redis: RedisServer) -> None:
    pool, _ = to_pool(own_redis.url)
    channels = Channels(pool, 5, silence_seconds=0.05)
    inspector = Inspector(own_redis, "adapter")
    try:
        async with within(), channels.listen(b"channel") as listener:
            before = inspector.client.client_list(_type="pubsub")
            await listener.wait(0.3)  # some questions and answers long
            assert [one["id"] for one in inspector.client.client_list(_type="pubsub")] == [
                one["id"] for one in before
            ]

            own_redis.freeze()
            await listener.wait(0.3)
            own_redis.thaw()
            # Nothing happened, but it might have.
            await listener.wait(60)
            inspector.client.publish("channel", "")
            await listener.wait(60)
    finally:
        inspector.client.close()
        await channels.aclose()
        await pool.aclose()
