"""How connections end, and clients that do not read: the upstream feels it, and nothing stays.

Source: sheet §9 for the limit of an hour; `design.md` §4 for the rest.
"""

import asyncio
import gc

import pytest
from starlette.types import Message

from adapter.asgi.connection_limits import ConnectionLimits
from tests.asgi.conftest import Limit, Stand, Start
from tests.asgi.socket_stands import stand
from tests.asgi.sockets import Socket, open_socket
from tests.asgi.streams import types
from tests.asgi.test_slow_reader import ENDLESS
from tests.asgi.test_slow_reader import LIMIT as SLOW_READER_LIMIT
from tests.asgi.test_stream_disconnect import FLOOD, SILENT, WORD, no_task_stays
from tests.servers.answers import Answer, Hang, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

__all__ = ["stand"]  # a fixture
pytestmark = pytest.mark.anyio

CREATE = '{"type": "response.create", "model": "m", "input": "Hi"}'
EXPIRED = "websocket_connection_limit_reached"


async def test_leaving_in_the_middle_stops_the_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(stream_answer(WORD, Hang()))

    async with no_task_stays():
        async with open_socket(stand.url) as socket:
            for lane in (None, "a"):
                await socket.create(stream_id=lane)
                await socket.create(stream_id=lane)
                await socket.until("response.output_text.delta", lane)
        for request in upstream.requests:
            await request.disconnected.wait()

    assert len(upstream.requests) == 2
    assert upstream.connections_open == 0


@pytest.mark.parametrize("answer", SILENT)
async def test_leaving_before_the_first_word_stops_the_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream, answer: Answer
) -> None:
    start(start_grace=60)
    upstream.reply(answer)

    async with no_task_stays():
        async with open_socket(stand.url) as socket:
            await socket.create()
            request = await upstream.request(0)
        await request.disconnected.wait()


async def test_leaving_without_a_word_stops_the_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(WORD, Hang()))

    async with no_task_stays(), open_socket(stand.url) as socket:
        await socket.create()
        await socket.until("response.output_text.delta")
        socket.connection.transport.abort()
        request = await upstream.request(0)
        await request.disconnected.wait()


async def test_leaving_between_keepalives_leaves_nothing(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=0.001)
    upstream.reply(stream_answer(WORD, Hang()))

    async with no_task_stays():
        async with open_socket(stand.url) as socket:
            await socket.create()
            await socket.until("keepalive")
        await (await upstream.request(0)).disconnected.wait()


async def test_idle_connection_leaves_nothing(start: Start, stand: Stand) -> None:
    start()

    async with no_task_stays(), open_socket(stand.url) as socket:
        await socket.connection.ping()


async def test_connections_to_the_upstream_are_used_again(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        for _ in range(3):
            await socket.ask()

    assert upstream.connections_opened == 1


async def test_client_that_does_not_read_stops_the_upstream_from_sending(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(*FLOOD, chunk({}, "stop")))

    async with no_task_stays(), open_socket(stand.url, max_queue=1) as socket:
        await socket.create()
        request = await upstream.request(0)
        await request.stalled.wait()
        assert not request.completed.is_set()
        await socket.until("response.completed")

    assert request.completed.is_set()


async def test_client_that_never_reads_and_leaves_stops_the_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(*FLOOD, chunk({}, "stop")))

    async with no_task_stays(), open_socket(stand.url, max_queue=1) as socket:
        await socket.create()
        request = await upstream.request(0)
        await request.stalled.wait()
        socket.connection.transport.abort()
        await request.disconnected.wait()

    assert not request.completed.is_set()


async def test_frame_over_the_limit_ends_the_connection(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(max_body_bytes=1000)
    upstream.reply(stream_answer(WORD, Hang()))

    async with no_task_stays(), open_socket(stand.url) as socket:
        await socket.create()
        await socket.until("response.output_text.delta")
        await socket.send("x" * 1001)
        frame = await socket.error()
        code = await socket.closed()
        await (await upstream.request(0)).disconnected.wait()

    assert (frame["status"], frame["error"]["code"], code) == (413, "request_too_large", 1009)


async def test_websocket_that_nobody_reads_is_dropped_with_its_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(**SLOW_READER_LIMIT)
    upstream.reply(ENDLESS)

    async with open_socket(stand.url, max_queue=1) as client:
        await client.create()
        client.connection.transport.pause_reading()
        await (await upstream.request(0)).disconnected.wait()
        client.connection.transport.abort()  # or it would wait to be closed in order


async def test_limit_counts_bytes(start: Start, stand: Stand, upstream: ScriptedUpstream) -> None:
    start(max_body_bytes=1000)

    async with open_socket(stand.url) as socket:
        await socket.send("ä" * 501)
        frame = await socket.error()

    assert frame["status"] == 413


async def test_time_is_up_for_an_idle_connection(limit: Limit, stand: Stand) -> None:
    limit(ConnectionLimits(seconds=0.001))

    async with no_task_stays(), open_socket(stand.url) as socket:
        frame = await socket.error()
        code = await socket.closed()

    assert (frame["status"], frame["error"]["code"], code) == (400, EXPIRED, 1000)
    assert "stream_id" not in frame


async def test_events_do_not_wait_for_one_another(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    """A frame is sent when its event is there, not when the response is over."""
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, chunk({}, "stop")))

    await socket.create()
    await pause.reached.wait()
    events = [await socket.next() for _ in range(5)]
    pause.release()

    assert types(events)[-1] == "response.output_text.delta"
    assert not (await upstream.request(0)).completed.is_set()
    async with asyncio.timeout(5):
        await socket.until("response.completed")


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        pytest.param(CREATE, stream_answer(WORD, Hang()), id="event"),
        pytest.param(CREATE, Answer(before=[Hang()]), id="start-beside-a-silent-upstream"),
        pytest.param("?", None, id="error"),
    ],
)
async def test_client_that_cannot_be_sent_to_is_gone(
    start: Start,
    upstream: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
    frame: str,
    answer: Answer | None,
) -> None:
    """ASGI 2.4: servers raise an `OSError` from `send` when there is nobody."""
    app = start(start_grace=0)
    if answer is not None:
        upstream.reply(answer)
    said = asyncio.Event()
    incoming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": frame},
    ]

    async def receive() -> Message:
        if not incoming:
            await said.wait()
            return {"type": "websocket.disconnect", "code": 1006}
        return incoming.pop(0)

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            said.set()
            raise OSError("nobody is there")

    scope = {"type": "websocket", "path": "/v1/responses", "headers": []}
    async with asyncio.timeout(5), no_task_stays():
        await app(scope, receive, send)

    gc.collect()  # with a task goes what nobody asked it for
    assert said.is_set()
    assert caplog.records == []
