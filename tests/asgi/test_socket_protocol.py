"""The WebSocket protocol that `serve` runs: its message for many frames, by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from adapter.asgi.socket_frames import SEND_TEXTS
from adapter.cli.socket_protocol import TextsProtocol, text_frames
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import Socket, open_socket
from tests.servers.adapter import serving
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio
TEXTS = [b"a", "ä".encode(), b"b" * 70_000]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70_000])
def test_frame_is_the_librarys(size: int) -> None:
    text = b"x" * size

    assert text_frames([text]) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_frames_follow_one_another() -> None:
    assert text_frames(TEXTS) == b"".join(bytes(text_frames([text])) for text in TEXTS)
    assert text_frames([]) == b""


class Sender:
    """Accepts a WebSocket and sends one message; keeps what came of it.

    Args:
        before: done between the two.
    """

    def __init__(self, before: Callable[[Receive, Send], Awaitable[None]] | None = None) -> None:
        self._before = before
        self.ended = asyncio.Event()
        self.error: OSError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self._before is not None:
            await self._before(receive, send)
        try:
            await send({"type": SEND_TEXTS, "texts": TEXTS})
        except OSError as exc:
            self.error = exc
        self.ended.set()


async def wait_until_gone(receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "websocket.disconnect"


async def close(receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 1000})


async def test_each_text_is_a_frame(shared_socket_stand: Stand) -> None:
    shared_socket_stand.app = Sender()

    async with open_socket(shared_socket_stand.url) as socket, asyncio.timeout(5):
        got = [await socket.connection.recv(decode=False) for _ in TEXTS]

    assert got == TEXTS


@pytest.mark.parametrize("is_abrupt", [False, True])
async def test_client_that_has_gone_is_an_error(
    shared_socket_stand: Stand, is_abrupt: bool
) -> None:
    """ASGI 2.4, as for any other message."""
    shared_socket_stand.app = sender = Sender(wait_until_gone)

    async with open_socket(shared_socket_stand.url) as socket:
        if is_abrupt:
            socket.connection.transport.abort()
        else:
            await socket.connection.close()
        async with asyncio.timeout(5):
            await sender.ended.wait()

    assert sender.error is not None


async def test_nothing_follows_the_end(shared_socket_stand: Stand) -> None:
    shared_socket_stand.app = sender = Sender(close)

    async with open_socket(shared_socket_stand.url) as socket:
        code = await socket.closed()

    assert (code, sender.error is not None) == (1000, True)


@pytest.mark.parametrize("is_on", [False, True])
@pytest.mark.parametrize("is_asked_for", [False, True])
async def test_message_is_offered_where_nothing_is_compressed(
    start: Start, upstream: ScriptedUpstream, is_on: bool, is_asked_for: bool
) -> None:
    app = start()
    upstream.reply(text_answer("Hello"))
    is_offered = None

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal is_offered
        is_offered = SEND_TEXTS in scope["extensions"]
        await app(scope, receive, send)

    options = {"ws": TextsProtocol, "ws_per_message_deflate": is_on, "lifespan": "off"}
    async with serving(looking, **options) as url:
        place = url.replace("http", "ws") + "/v1/responses"
        async with connect(place, compression="deflate" if is_asked_for else None) as connection:
            response = await Socket(connection).ask()
            is_compressed = bool(connection.protocol.extensions)

    assert is_compressed is (is_on and is_asked_for)
    assert is_offered is not is_compressed
    assert response["status"] == "completed"
