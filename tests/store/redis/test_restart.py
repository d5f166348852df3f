"""A server that stops, crashes or loses connections: what was answered is kept, and all goes on."""

import asyncio

import pytest

from adapter.errors import StoreError
from adapter.store.redis import RedisStore
from tests.servers.redis import RedisServer
from tests.store.records import (
    OWNER,
    events,
    item,
    log_numbers,
    new_id,
    opened,
    response,
    running,
    within,
)

from .conftest import Inspector

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("ends", ["stop", "kill"])
async def test_what_was_answered_outlives_the_server(own_redis: RedisServer, ends: str) -> None:
    records = [response(output=[item(new_id("msg"))]) for _ in range(50)]
    async with opened(RedisStore(own_redis.url)) as store:
        await asyncio.gather(*map(store.save, records))
        await asyncio.to_thread(getattr(own_redis, ends))
        await asyncio.to_thread(own_redis.start)

        async with within():
            found = await asyncio.gather(*(store.get(OWNER, one.id) for one in records))
        assert found == records


async def test_everything_fails_at_once_without_the_server(own_redis: RedisServer) -> None:
    record = response()
    async with opened(RedisStore(own_redis.url)) as store:
        await store.save(record)
        await asyncio.to_thread(own_redis.stop)
        async with within():
            for attempt in (
                store.check(),
                store.save(record),
                store.get(OWNER, record.id),
                store.append_events(record.id, [], holder="a", seconds=60),
                store.finish(record),
                store.wakeups(record.id).__aenter__(),
            ):
                with pytest.raises(StoreError):
                    await attempt
        await asyncio.to_thread(own_redis.start)

        assert await store.get(OWNER, record.id) == record


async def test_runs_go_on_after_a_restart(own_redis: RedisServer) -> None:
    record = running()
    async with opened(RedisStore(own_redis.url)) as store:
        await store.start_run(record, "a", 60)
        await store.append_events(record.id, events(0, 2), holder="a", seconds=60)
        await asyncio.to_thread(own_redis.kill)
        await asyncio.to_thread(own_redis.start)

        assert await store.append_events(record.id, events(0, 4), holder="a", seconds=60)
        assert await log_numbers(store, record.id) == [0, 1, 2, 3]


async def test_followers_wake_after_a_restart(own_redis: RedisServer) -> None:
    record = running()
    async with opened(RedisStore(own_redis.url)) as store:
        await store.start_run(record, "a", 60)
        async with asyncio.timeout(20), store.wakeups(record.id) as wakeups:
            await asyncio.to_thread(own_redis.stop)
            await asyncio.to_thread(own_redis.start)
            await store.append_events(record.id, events(0, 1), holder="a", seconds=60)
            await wakeups.wait(60)
            await wakeups.wait(0)  # one more may come, of the connection that was made anew
            await store.append_events(record.id, events(1, 2), holder="a", seconds=60)
            await wakeups.wait(60)


async def test_what_happens_without_a_connection_is_not_missed(
    store: RedisStore, inspector: Inspector
) -> None:
    record = running()
    await store.start_run(record, "a", 60)
    async with within(), store.wakeups(record.id) as wakeups:
        for number in range(5):
            inspector.client.client_kill_filter(_type="pubsub")
            await store.append_events(record.id, events(number, number + 1), holder="a", seconds=60)
            while len(await log_numbers(store, record.id)) <= number:
                await wakeups.wait(60)


async def test_lost_connections_are_made_anew(store: RedisStore, inspector: Inspector) -> None:
    records = [response() for _ in range(10)]
    await asyncio.gather(*map(store.save, records))
    inspector.client.client_kill_filter(_type="normal", skipme=True)
    async with within():
        found = await asyncio.gather(*(store.get(OWNER, one.id) for one in records))

    assert found == records
