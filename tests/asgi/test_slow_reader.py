"""Clients that do not read: what is held for them is bounded, and after a while they are dropped."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapter.asgi.app import make_sidecar
from adapter.asgi.slow_reader import SlowReader
from adapter.cli.http_protocol import LimitedProtocol
from adapter.cli.socket_protocol import TextsProtocol
from tests.asgi.conftest import Stand, Start
from tests.asgi.many_routes import Put, put
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST
from tests.servers.adapter import serving
from tests.servers.answers import Answer, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

__all__ = ["put"]  # a fixture
pytestmark = pytest.mark.anyio

WORD = chunk({"content": "x" * 60_000})
ENDLESS = stream_answer(*[WORD] * 500, chunk({}, "stop"))  # 30 MB: more than all buffers hold
LIMIT = {"slow_reader_timeout": 0.2}


@asynccontextmanager
async def deaf_client(url: str, path: str, body: Any) -> AsyncIterator[socket.socket]:
    """Send a request over a socket that takes little, and read nothing."""
    host, _, port = url.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, int(port)))
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(data)}\r\n\r\n"
        await loop.sock_sendall(sock, head.encode() + data)
        yield sock


async def test_stream_that_nobody_reads_is_dropped_with_its_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(**LIMIT)
    upstream.reply(ENDLESS)

    async with deaf_client(stand.url, "/v1/responses", REQUEST | {"stream": True}):
        await (await upstream.request(0)).disconnected.wait()


async def test_passed_on_answer_that_nobody_reads_is_dropped_with_its_upstream(
    put: Put, stand: Stand, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, upstream=upstream.url, **LIMIT)
    upstream.reply(ENDLESS)

    async with deaf_client(stand.url, "/v1/chat/completions", REQUEST):
        await (await upstream.request(0)).disconnected.wait()


async def test_client_is_dropped_once_however_long_that_takes() -> None:
    """The timer of a stream looks on until its work has been stopped."""
    dropped: list[str] = []
    reader = SlowReader(0.001, lambda: dropped.append("client"))
    reader.since = asyncio.get_running_loop().time() - 1

    reader.look()
    reader.look()

    assert dropped == ["client"]


async def test_silence_of_the_upstream_is_not_the_clients_fault(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    """It is the send that is timed, not the time between two."""
    start(slow_reader_timeout=0.01, keepalive="off")
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))

    async with deaf_client(stand.url, "/v1/responses", REQUEST | {"stream": True}) as sock:
        await pause.reached.wait()
        loop = asyncio.get_running_loop()
        for _ in range(10):  # looks of the timer
            later = loop.create_future()
            loop.call_later(0.005, later.set_result, None)
            await later
        pause.release()
        got = b""
        async with asyncio.timeout(5):
            while b"[DONE]" not in got:
                got += await loop.sock_recv(sock, 65536)

    assert b"response.completed" in got


async def test_server_lets_go_of_what_a_client_never_read(
    upstream: ScriptedUpstream, put: Put
) -> None:
    """A closed connection would wait for its buffer to be read: it is broken off."""
    app = put(make_sidecar, upstream=upstream.url, slow_reader_timeout=0)
    upstream.reply(ENDLESS)

    class Impatient(LimitedProtocol):
        slow_reader_seconds = 0.2

    body = REQUEST | {"stream": True}
    async with serving(app, http=Impatient) as url, deaf_client(url, "/v1/responses", body):
        await (await upstream.request(0)).disconnected.wait()


async def test_server_lets_go_of_what_a_websocket_never_read(
    upstream: ScriptedUpstream, put: Put
) -> None:
    """As over HTTP; and the app's limit of WebSockets does not count those that it has left."""
    app = put(make_sidecar, upstream=upstream.url, slow_reader_timeout=0)
    upstream.reply(ENDLESS)
    lost = asyncio.Event()

    class Impatient(TextsProtocol):
        slow_reader_seconds = 0.2

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async with serving(app, ws=Impatient) as url, open_socket(url, max_queue=1) as client:
        await client.create()
        client.connection.transport.pause_reading()
        async with asyncio.timeout(5):
            await (await upstream.request(0)).disconnected.wait()
            await lost.wait()
        client.connection.transport.abort()  # or it would wait to be closed in order


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n" + b"x-a: b\r\n" * 20_000,
        b"GET / HTTP/1.1\r\nx-a: " + b"a" * 100_000,
        b"GET /" + b"a" * 100_000,
    ],
    ids=["many", "long", "url"],
)
async def test_server_refuses_a_head_without_end(head: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("no request has come")

    options = {"http": LimitedProtocol, "h11_max_incomplete_event_size": 65536, "lifespan": "off"}
    async with serving(app, **options) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(5):
            writer.write(head)
            line = await reader.readline()
        writer.close()

    assert line.split()[1] == b"431"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nx-a: b\r\n"])
async def test_server_does_not_wait_for_a_head_for_ever(begun: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("no request has come")

    class Impatient(LimitedProtocol):
        head_seconds = 0.1

    async with serving(app, http=Impatient, lifespan="off") as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(begun)
        async with asyncio.timeout(5):
            got = await reader.read()
        writer.close()

    assert got == b""


async def test_server_takes_bodies_of_any_length_and_requests_one_after_the_other(
    upstream: ScriptedUpstream, put: Put
) -> None:
    app = put(make_sidecar, upstream=upstream.url)
    upstream.always(text_answer("Hello"))
    upstream.always(Answer(chunks=[b"ok"]), to="/echo")

    async with serving(app, http=LimitedProtocol, h11_max_incomplete_event_size=2048) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(5):
            for _ in range(3):
                body = b"x" * 100_000
                writer.write(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n")
                writer.write(body)
                assert (await reader.readline()).split()[1] == b"200"
                assert (await reader.readuntil(b"0\r\n\r\n")).endswith(b"ok\r\n0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
