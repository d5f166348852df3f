"""Request bodies that `Proxy` passes on while they still come."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from adapter.asgi.proxy import Proxy
from tests.asgi.conftest import Stand
from tests.asgi.proxies import put_up
from tests.upstream.calls import soon

pytestmark = pytest.mark.anyio


class ReadingServer:
    """Takes one request apart as it comes; answers when told to."""

    def __init__(self) -> None:
        self.received = b""
        self.changed = asyncio.Condition()
        self.closed = asyncio.Event()
        self.writer: asyncio.StreamWriter

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        while data := await reader.read(65536):
            async with self.changed:
                self.received += data
                self.changed.notify_all()
        self.closed.set()
        writer.close()

    async def until(self, end: bytes) -> None:
        async with self.changed:
            await soon(self.changed.wait_for(lambda: self.received.endswith(end)))

    def answer(self) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


@pytest.fixture
async def reading(stand: Stand) -> AsyncIterator[ReadingServer]:
    upstream = ReadingServer()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy = Proxy(f"http://127.0.0.1:{port}/v1")
    async with server:
        async with put_up(stand, proxy):
            yield upstream
        await soon(upstream.closed.wait())


@pytest.mark.parametrize("framing", ["chunks", "length"])
async def test_upload_streams_with_one_framing(
    reading: ReadingServer, client: httpx2.AsyncClient, framing: str
) -> None:
    go_on = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"second"

    headers = {"content-length": "11"} if framing == "length" else {}
    task = asyncio.create_task(client.post("/upload", content=parts(), headers=headers))
    await reading.until(b"first" if framing == "length" else b"5\r\nfirst\r\n")
    go_on.set()
    await reading.until(b"second" if framing == "length" else b"6\r\nsecond\r\n0\r\n\r\n")
    reading.answer()
    response = await task
    head = reading.received.partition(b"\r\n\r\n")[0].lower()

    assert response.content == b"ok"
    assert head.startswith(b"post /upload http/1.1")
    assert (b"content-length: 11" in head) == (framing == "length")
    assert (b"transfer-encoding: chunked" in head) == (framing == "chunks")


async def test_client_that_leaves_during_its_upload_ends_it_at_once(
    reading: ReadingServer, client: httpx2.AsyncClient
) -> None:
    request = b"POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\nfirst"
    _reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(request)
    await reading.until(b"first")
    writer.close()

    await soon(reading.closed.wait())
    assert reading.received.endswith(b"first")


async def test_answer_during_the_upload_is_passed_back(
    reading: ReadingServer, client: httpx2.AsyncClient
) -> None:
    request = b"POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\nfirst"
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(request)
    await reading.until(b"first")
    reading.answer()
    answer = await soon(reader.readuntil(b"ok"))
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
