"""A thousand streams at one time: none waits for another, and what comes beside them is served."""

import asyncio
import resource
from contextlib import AsyncExitStack
from itertools import count

import pytest

from adapter.upstream.breaker import Breaker
from adapter.upstream.guarded import GuardedUpstream, Retries
from adapter.upstream.http import HttpUpstream

pytestmark = pytest.mark.anyio

STREAMS = 1000
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Server(asyncio.Protocol):
    """Sends one chunk to everybody, and the end when it is told to."""

    def __init__(self, open_: "set[asyncio.Transport]") -> None:
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(HEAD + b"2\r\nhi\r\n")


@pytest.fixture
def many_files() -> None:
    """Allow two sockets for each stream, and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STREAMS + 200
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_streams_do_not_starve_each_other() -> None:
    connections: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(connections), "127.0.0.1", 0, backlog=STREAMS)
    port = server.sockets[0].getsockname()[1]
    http = HttpUpstream(f"http://127.0.0.1:{port}/v1")
    upstream = GuardedUpstream(http, Breaker("main", 1, 5.0), Retries(2, 0.1))
    begun, all_begun, numbers = 0, asyncio.Event(), count(1)

    async def stream() -> bytes:
        async with upstream.open(b"{}", {}) as answer, AsyncExitStack() as rest:
            chunks = answer.chunks()
            rest.push_async_callback(chunks.aclose)
            first = await anext(chunks)
            if next(numbers) == STREAMS:
                all_begun.set()
            return first + b"".join([chunk async for chunk in chunks])

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        streams = [tasks.create_task(stream()) for _ in range(STREAMS)]
        await all_begun.wait()
        begun = len(connections)
        async with http.list_models({}) as answer:
            beside = answer.status
        for connection in list(connections):
            connection.write(b"0\r\n\r\n")
    await http.aclose()
    server.close()
    for connection in list(connections):
        connection.abort()
    await server.wait_closed()

    assert (begun, beside) == (STREAMS, 200)
    assert {task.result() for task in streams} == {b"hi"}
