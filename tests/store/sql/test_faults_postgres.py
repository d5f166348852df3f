"""PostgreSQL: lost connections are made anew; what does not answer ends in a StoreError, in time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import psycopg
import pytest

from adapter.errors import StoreError
from adapter.store import make_store, open_store
from adapter.store.base import ResponseStore
from adapter.store.sql.listeners import Listener
from tests.servers.postgres import PostgresServer, postgres_server
from tests.store.records import (
    LIMIT_SECONDS,
    OWNER,
    events,
    log_numbers,
    response,
    running,
    within,
)

T = TypeVar("T")

pytestmark = pytest.mark.anyio

KILL_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Yield a server that may be stopped."""
    with postgres_server() as server:
        yield server


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[None]:
    """Keep everybody else from a table."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def test_connections_that_were_cut_are_made_anew(
    postgres_url: str, shared_postgres: PostgresServer
) -> None:
    record = response()
    async with within(), open_store(postgres_url) as store:
        await store.save(record)
        assert await store.get(OWNER, record.id) == record
        with shared_postgres.connect(postgres_url) as connection:
            connection.execute(KILL_OTHERS)
        read = await store.get(OWNER, record.id)
        with shared_postgres.connect(postgres_url) as connection:
            connection.execute(KILL_OTHERS)
        await store.save(response())

    assert read == record


async def test_restart_of_the_server_is_waited_for(own_server: PostgresServer) -> None:
    async with within(), open_store(own_server.new_database()) as store:
        await store.save(response())
        own_server.stop()
        record = response()
        saving = asyncio.create_task(store.save(record))
        reading = asyncio.create_task(store.get(OWNER, "resp_1"))
        await asyncio.sleep(0)
        await asyncio.to_thread(own_server.start)
        await saving
        read = await reading
        kept = await store.get(OWNER, record.id)

    assert read is None
    assert kept == record


async def test_follower_hears_of_events_after_its_connection_was_cut(
    postgres_url: str, shared_postgres: PostgresServer
) -> None:
    run = running()
    async with within(), open_store(postgres_url) as runner, open_store(postgres_url) as other:
        await runner.start_run(run, "a", 60)
        async with other.wakeups(run.id) as wakeups:
            with shared_postgres.connect(postgres_url) as connection:
                connection.execute(KILL_OTHERS)
            await runner.append_events(run.id, events(0, 2), holder="a", seconds=60)
            while await log_numbers(other, run.id) != [0, 1]:
                await wakeups.wait(LIMIT_SECONDS)


async def test_server_that_is_gone_ends_in_a_store_error(own_server: PostgresServer) -> None:
    url = own_server.new_database() + "&time_limit=0.3"
    async with within(), open_store(url) as store:
        own_server.stop()
        try:
            results = await asyncio.gather(*all_kinds(store), return_exceptions=True)
            with pytest.raises(StoreError):
                await make_store(url).open()
        finally:
            own_server.start()
        await store.check()

    assert {type(result) for result in results} == {StoreError}


async def test_locked_tables_end_in_a_store_error(postgres_url: str) -> None:
    async with within(), open_store(postgres_url + "&time_limit=0.3") as store:
        async with locked(postgres_url, "adapter_responses"):
            results = await asyncio.gather(*all_kinds(store), return_exceptions=True)
        await store.save(response())

    assert {type(result) for result in results} == {StoreError}


async def test_frozen_server_ends_in_a_store_error_and_goes_on_when_it_thaws(
    own_server: PostgresServer,
) -> None:
    record = response()
    async with within(), open_store(own_server.new_database() + "&time_limit=0.3") as store:
        await store.save(record)
        with own_server.frozen():
            first = await asyncio.gather(*all_kinds(store), return_exceptions=True)
            second = await asyncio.gather(*all_kinds(store), return_exceptions=True)
        read = await eventually(lambda: store.get(OWNER, record.id))
        await eventually(lambda: store.save(response()))

    assert {type(result) for result in first + second} == {StoreError}
    assert read == record


async def test_server_that_says_nothing_ends_in_a_store_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://adapter@127.0.0.1:{port}/postgres?time_limit=0.2&connect_timeout=2"
        async with within():
            with pytest.raises(StoreError):
                await make_store(url).open()


async def test_readers_beyond_the_pool_wait_their_turn(postgres_url: str) -> None:
    record = response()
    async with within(), open_store(postgres_url + "&pool_size=2") as store:
        await store.save(record)
        read = await asyncio.gather(*(store.get(OWNER, record.id) for _ in range(50)))

    assert read == [record] * 50


async def test_two_that_wait_for_each_other_both_get_through(postgres_url: str) -> None:
    """The server ends one of two transactions in a circle; ours is written again."""
    first, second = response("resp_1"), response("resp_2")
    lock = "SELECT 1 FROM adapter_responses WHERE key = %s FOR UPDATE"
    async with within(), open_store(postgres_url) as store:
        await asyncio.gather(store.save(first), store.save(second))
        async with await psycopg.AsyncConnection.connect(postgres_url) as theirs:
            await theirs.execute("SET deadlock_timeout = '1min'")  # so that ours is ended
            found = await theirs.execute("SELECT key FROM adapter_responses ORDER BY digest")
            before, after = await found.fetchall()
            await theirs.execute(lock, after)
            saving = asyncio.gather(store.save(first), store.save(second))
            await ours_to_wait(postgres_url)
            await theirs.execute(lock, before)
            await theirs.commit()
        await saving


async def ours_to_wait(url: str) -> None:
    """Return when somebody waits for a lock."""
    waiting = """SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while await (await connection.execute(waiting)).fetchone() is None:  # noqa: ASYNC110  # the server does not tell
            await asyncio.sleep(0)


async def eventually(call: Callable[[], Awaitable[T]]) -> T:
    """Return the answer of a store that needs a moment; who asks has a time limit."""
    while True:
        with suppress(StoreError):
            return await call()


def all_kinds(store: ResponseStore) -> list[asyncio.Task[object]]:
    """Begin a write and a read of each sort."""
    calls: list[Callable[[], object]] = [
        lambda: store.save(response()),
        lambda: store.delete(OWNER, "resp_1"),
        lambda: store.get(OWNER, "resp_1"),
        lambda: store.read_events(OWNER, "resp_1", after=-1, limit=1),
    ]
    return [asyncio.ensure_future(call()) for call in calls]  # type: ignore[arg-type]


async def test_notice_of_somebody_else_is_not_heard(
    postgres_url: str, shared_postgres: PostgresServer
) -> None:
    record = running()
    async with within(), open_store(postgres_url) as store, open_store(postgres_url) as other:
        await store.start_run(record, "a", 60)
        async with store.wakeups(record.id) as wakeups:
            assert isinstance(wakeups, Listener)
            with shared_postgres.connect(postgres_url) as connection:
                connection.execute("SELECT pg_notify('adapter_runs', 'nonsense')")
            await other.append_events(record.id, events(0, 1), holder="a", seconds=60)
            await wakeups.happened.wait()  # without the limit after which it looks by itself
