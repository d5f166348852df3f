"""The load generator's WebSocket: a request after the other, every frame an event."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from benchmarks.load import Load, run_load
from benchmarks.load_client import Tally
from benchmarks.load_socket import SocketClient

pytestmark = pytest.mark.anyio

ASKED = '{"type":"response.create"}'
DELTA = '{"type":"response.output_text.delta","delta":" token"}'

Handler = Callable[[ServerConnection], Awaitable[None]]
Refusal = Callable[[ServerConnection, Request], Awaitable[Response]]


class Written(asyncio.Transport):
    """A transport that goes nowhere."""

    def write(self, data: Any) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def serving(handler: Handler, refusal: Refusal | None = None) -> AsyncGenerator[str]:
    options: dict[str, Any] = {"compression": None, "max_size": None}
    async with serve(handler, "127.0.0.1", 0, process_request=refusal, **options) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/responses"


def last(kind: str, size: int = 0) -> str:
    return f'{{"type":"{kind}","response":"{"x" * size}"}}'


async def answer_all(socket: ServerConnection, end: str = "response.completed") -> None:
    async for asked in socket:
        assert asked == ASKED
        await socket.send(DELTA)
        await socket.send(last(end))


async def load(handler: Handler, refusal: Refusal | None = None, **options: Any) -> dict[str, Any]:
    async with serving(handler, refusal) as url:
        return await run_load(Load(url=url, body=ASKED.encode(), **options))


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete"])
async def test_every_socket_makes_its_rounds(end: str) -> None:
    result = await load(lambda socket: answer_all(socket, end), streams=4, rounds=3)

    assert (result["requests"], result["completed"], result["errors"]) == (12, 12, {})
    assert result["events"] == 24
    assert 0 < result["first_event_ms"]["p50"] <= result["first_delta_ms"]["p50"]
    assert result["first_delta_ms"]["p50"] <= result["stream_ms"]["p50"]


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 1_000_000])
async def test_frames_of_all_lengths_are_one_event_each(size: int) -> None:
    async def handler(socket: ServerConnection) -> None:
        assert await socket.recv() == ASKED
        await socket.send("x" * size)
        await socket.send(last("response.completed", size))
        await socket.wait_closed()

    result = await load(handler)

    assert (result["events"], result["completed"], result["errors"]) == (2, 1, {})


async def test_frame_that_comes_in_pieces_is_read_when_it_is_whole() -> None:
    payload = last("response.completed", 300).encode()
    whole = b"\x81\x7e" + len(payload).to_bytes(2) + payload
    tally = Tally()
    client = SocketClient(urlsplit("ws://host/path"), b"", 1, tally)
    client.connection_made(Written())

    for piece in (b"HTTP/1.1 ", b"101 Switching Protocols\r\n\r\n"):
        client.data_received(piece)
    client.start()
    seen = []
    for piece in (whole[:1], whole[1:3], whole[3:200], whole[200:]):
        client.data_received(piece)
        seen.append(tally.events)

    assert seen == [0, 0, 0, 1]
    assert client.done.done()
    assert not tally.errors


async def test_ping_is_answered() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await (await socket.ping(b"there?"))
        await socket.send(last("response.completed"))
        await socket.wait_closed()

    result = await load(handler)

    assert (result["events"], result["errors"]) == (1, {})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param('{"type":"error","status":400}', "failed response", id="error"),
        pytest.param(last("response.failed"), "failed response", id="failed"),
        pytest.param(b"binary", "unexpected frame 0x82", id="binary"),
        pytest.param(None, "closed with 1000", id="closed"),
    ],
)
async def test_what_is_no_answer_is_an_error(said: str | bytes | None, reason: str) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        if said is not None:
            await socket.send(said)
            await socket.wait_closed()

    result = await load(handler, streams=2, rounds=2)

    assert (result["completed"], result["errors"]) == (0, {reason: 2})


async def test_refused_handshake_is_an_error_with_its_status() -> None:
    async def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(HTTPStatus.UPGRADE_REQUIRED, "no")

    result = await load(answer_all, refuse, streams=2)

    assert result["errors"] == {"status 426": 2}


async def test_frame_of_a_client_is_masked_and_has_its_length() -> None:
    async def handler(socket: ServerConnection) -> None:
        asked = json.loads(await socket.recv())
        await socket.send(last("response.completed" if len(asked) == size else "error"))
        await socket.wait_closed()

    for size in (1, 200, 70_000):
        async with serving(handler) as url:
            result = await run_load(Load(url=url, body=json.dumps("x" * size).encode()))

        assert result["errors"] == {}
