"""`Pool`: which connection serves the next request, and which are closed."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from adapter.upstream.connection import Connection
from adapter.upstream.pool import DNS_CACHE_SECONDS, KEEPALIVE_SECONDS, Address, Pool
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream
from tests.upstream.calls import soon

pytestmark = pytest.mark.anyio

REQUEST = b"GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"


class Names:
    """Finds every host on loopback, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        await asyncio.sleep(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        server.always(Answer(chunks=[b"ok"]))
        yield server


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def pool(server: ScriptedUpstream, names: Names) -> AsyncIterator[Pool]:
    origin = URL(server.url).with_host("model.internal")
    pool = Pool(origin, "model.internal", 5.0, resolve=names)
    yield pool
    pool.close()
    await asyncio.sleep(0)


async def used(pool: Pool) -> Connection:
    """Return a connection that has served, given back."""
    connection = await soon(pool.take())
    await soon(connection.ask(REQUEST))
    while await soon(connection.read()):
        pass
    pool.give_back(connection)
    return connection


async def test_the_connection_that_was_used_last_is_used_next(pool: Pool) -> None:
    first, second = await soon(pool.take()), await soon(pool.take())
    for connection in (first, second):
        await soon(connection.ask(REQUEST))
        while await soon(connection.read()):
            pass
        pool.give_back(connection)

    assert await soon(pool.take()) is second
    assert await soon(pool.take()) is first


async def test_connection_that_nobody_used_for_long_is_not_used_again(pool: Pool) -> None:
    old = await used(pool)
    old.kept_at -= KEEPALIVE_SECONDS

    assert await soon(pool.take()) is not old
    assert not old.is_open


async def test_connection_whose_answer_was_not_read_is_closed(pool: Pool) -> None:
    connection = await soon(pool.take())
    await soon(connection.ask(REQUEST))
    pool.give_back(connection)

    assert not connection.is_open


async def test_closing_closes_what_is_kept_and_what_is_in_use(pool: Pool) -> None:
    in_use = await soon(pool.take())
    kept = await used(pool)
    pool.close()

    assert not in_use.is_open
    assert not kept.is_open


async def test_connections_that_are_opened_together_look_the_name_up_once(
    pool: Pool, names: Names
) -> None:
    await soon(asyncio.gather(*(pool.take() for _ in range(5))))

    assert names.asked == ["model.internal"]


async def test_name_is_looked_up_anew_after_a_while(pool: Pool, names: Names) -> None:
    await soon(pool.take())
    pool.resolved_at -= DNS_CACHE_SECONDS + 1
    await soon(pool.take())

    assert len(names.asked) == 2


async def test_address_that_refuses_gives_way_to_the_next(server: ScriptedUpstream) -> None:
    async def two_addresses(host: str, port: int) -> list[Address]:
        way = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        return [(*way, ("127.0.0.2", 1)), (*way, ("127.0.0.1", port))]

    pool = Pool(URL(server.url), "model.internal", 5.0, resolve=two_addresses)

    assert (await used(pool)).is_open
    pool.close()
    await asyncio.sleep(0)
