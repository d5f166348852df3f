"""A server that is slow, full, too old or not there is a `StoreError`, within the time limit."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from adapter.errors import StoreError
from adapter.store import StoreUrlError, make_store
from adapter.store.redis import RedisStore
from tests.servers.redis import RedisServer, redis_server
from tests.store.records import (
    OWNER,
    events,
    item,
    log_numbers,
    opened,
    response,
    running,
    within,
)

from .conftest import Inspector
from .test_keys import fill

pytestmark = pytest.mark.anyio


async def test_server_that_does_not_answer_is_waited_for_no_longer_than_the_limit(
    own_redis: RedisServer,
) -> None:
    record = response()
    async with opened(RedisStore(f"{own_redis.url}?time_limit=0.2")) as store:
        await store.save(record)
        own_redis.freeze()
        async with within():
            for attempt in (store.get(OWNER, record.id), store.save(record), store.check()):
                with pytest.raises(StoreError, match="did not answer in time"):
                    await attempt
            with pytest.raises(StoreError, match="did not answer in time"):
                await store.wakeups(record.id).__aenter__()
        own_redis.thaw()

        assert await store.get(OWNER, record.id) == record


async def test_more_callers_than_connections_wait_for_each_other(own_redis: RedisServer) -> None:
    records = [response() for _ in range(100)]
    inspector = Inspector(own_redis, "adapter")
    async with within(), opened(RedisStore(f"{own_redis.url}?max_connections=2")) as store:
        await asyncio.gather(*map(store.save, records))
        connections = len(inspector.client.client_list(_type="normal"))

        assert connections <= 3
        assert [await store.get(OWNER, record.id) for record in records] == records
    inspector.client.close()


async def test_full_server_keeps_nothing_by_halves(own_redis: RedisServer) -> None:
    old, new = response(output=[item("msg_1")]), response(output=[item("msg_2")])
    inspector = Inspector(own_redis, "adapter")
    async with opened(RedisStore(own_redis.url)) as store:
        await store.save(old)
        keys = inspector.keys()
        inspector.client.config_set("maxmemory", 1)
        with pytest.raises(StoreError, match="failed"):
            await store.save(new)

        assert inspector.keys() == keys
        assert await store.get(OWNER, old.id) == old
        inspector.client.config_set("maxmemory", 0)
        await store.save(new)
        assert set(await store.find_items(OWNER, ["msg_1", "msg_2"])) == {"msg_1", "msg_2"}
    inspector.client.close()


async def test_gap_in_a_log_is_refused(store: RedisStore) -> None:
    record = running()
    await store.start_run(record, "a", 60)
    with pytest.raises(StoreError):
        await store.append_events(record.id, events(1, 3), holder="a", seconds=60)

    assert await log_numbers(store, record.id) == []


async def test_scripts_are_brought_again_when_the_server_forgot_them(
    store: RedisStore, inspector: Inspector
) -> None:
    record = response()
    await store.save(record)
    inspector.client.script_flush()
    await store.save(record)

    assert await store.chain(OWNER, record.id, 10) == [record]


@pytest.mark.usefixtures("shared_redis")
async def test_server_with_a_password_is_opened_by_it() -> None:
    with redis_server("--requirepass", "secret") as server:
        wrong, right = RedisStore(server.url), RedisStore(f"{server.url}?password=secret")
        with pytest.raises(StoreError):
            await wrong.open()
        await wrong.aclose()
        async with opened(right):
            await right.check()


@pytest.mark.usefixtures("shared_redis")
async def test_user_needs_no_more_than_our_keys_and_channels() -> None:
    rules = "on nopass resetkeys resetchannels ~{adapter}:* &{adapter}:* +@all -@dangerous"
    with redis_server() as server:
        inspector = Inspector(server, "adapter")
        inspector.client.execute_command("ACL", "SETUSER", "limited", *rules.split())
        inspector.client.close()
        url = f"{server.url}?username=limited&password=any"
        async with within(), opened(RedisStore(url)) as store:
            responses, _ = await fill(store, 60)
            async with store.wakeups(responses[-1]) as wakeups:
                assert await store.delete(OWNER, responses[-1])
                await wakeups.wait(60)


async def test_server_that_forgets_early_is_warned_of(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    inspector = Inspector(own_redis, "adapter")
    inspector.client.config_set("maxmemory", "1gb")
    inspector.client.config_set("maxmemory-policy", "allkeys-lru")
    inspector.client.close()
    async with opened(RedisStore(own_redis.url)):
        assert "maxmemory-policy is allkeys-lru" in caplog.text


@pytest.mark.usefixtures("shared_redis")
async def test_all_keys_are_in_one_slot_of_a_cluster() -> None:
    with redis_server("--cluster-enabled", "yes") as server:
        inspector = Inspector(server, "adapter")
        inspector.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        async with opened(RedisStore(server.url)) as store:
            async with within():
                while inspector.client.cluster("info")["cluster_state"] != "ok":
                    await asyncio.to_thread(inspector.client.ping)
            responses, thread = await fill(store, 60)
            assert len(await store.find_items(OWNER, ["out", "more"])) == 2
            for id in responses:
                assert await store.delete(OWNER, id)
            assert await store.delete_conversation(OWNER, thread)
        inspector.client.close()


@pytest.fixture
async def old_server() -> AsyncIterator[str]:
    """Yield the URL of what says of itself that it is Redis 6.2."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while commands := await reader.read(4096):
            writer.write(b"$19\r\nredis_version:6.2.0\r\n" * commands.count(b"*"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_too_old_server_is_refused(old_server: str) -> None:
    store = RedisStore(old_server)
    with pytest.raises(StoreError, match=r"6\.2.*7\.0 is the oldest"):
        await store.open()
    await store.aclose()


async def test_server_that_is_not_there_is_no_open_store() -> None:
    store = RedisStore("redis://127.0.0.1:1")
    async with within():
        with pytest.raises(StoreError):
            await store.open()
    await store.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:port",
        "redis://127.0.0.1/0?prefix=",
        "redis://127.0.0.1/0?prefix={a}",
        "redis://127.0.0.1/0?time_limit=0",
        "redis://127.0.0.1/0?time_limit=soon",
        "redis://127.0.0.1/0?max_connections=0",
        "redis://127.0.0.1/0?nonsense=1",
    ],
)
def test_url_that_does_not_fit_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError):
        make_store(url)


def test_refusal_of_a_url_does_not_quote_its_password() -> None:
    with pytest.raises(StoreUrlError) as refused:
        make_store("redis://user:pass/word@127.0.0.1/0")

    assert "pass" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "valkeys", "redis+unix", "Redis"])
def test_schemes_of_redis_and_valkey(scheme: str) -> None:
    assert isinstance(make_store(f"{scheme}://127.0.0.1/0?prefix=a"), RedisStore)


def test_missing_library_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from adapter.store import make_store\n"
        "try: make_store('redis://127.0.0.1')\n"
        "except ModuleNotFoundError as exc: print(exc)"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert "pip install 'responses-adapter[redis]'" in done.stdout
