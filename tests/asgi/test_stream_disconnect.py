"""Clients that leave, and clients that do not read: the upstream feels it, and nothing stays behind.

Source: `design.md` §4: no queue between, a disconnect cancels and so stops generation.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.asgi.conftest import Stand, Start
from tests.asgi.recorder import Recorder
from tests.asgi.streams import REQUEST, open_stream, read_stream
from tests.servers.answers import Answer, Hang, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

WORD = chunk({"content": "Hello"})
SILENT = [
    pytest.param(Answer(before=[Hang()]), id="silent"),
    pytest.param(
        Answer(headers={"content-type": "text/event-stream"}, chunks=[Hang()]), id="headers-only"
    ),
]
# More than all buffers between the upstream and the client hold, those of the system included.
FLOOD = [chunk({"content": "x" * 64_000})] * 800


@asynccontextmanager
async def no_task_stays() -> AsyncIterator[None]:
    """Check that every task that the block has caused ends within the limit."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before
    if left:
        _, left = await asyncio.wait(left, timeout=5)
    assert left == set()


async def test_leaving_in_the_middle_stops_the_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(WORD, Hang()))

    async with no_task_stays():
        async with open_stream(client) as stream:
            await stream.until("response.output_text.delta")
        request = await upstream.request(0)
        await request.disconnected.wait()

    assert upstream.connections_open == 0


@pytest.mark.parametrize("answer", SILENT)
async def test_leaving_before_the_first_word_stops_the_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, answer: Answer
) -> None:
    start(start_grace=0)
    upstream.reply(answer)

    async with no_task_stays():
        async with open_stream(client) as stream:
            await stream.until("response.in_progress")
            request = await upstream.request(0)
        await request.disconnected.wait()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("answer", SILENT)
async def test_leaving_before_anything_was_sent_stops_the_upstream(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    stream: bool,
) -> None:
    start(start_grace=60)
    upstream.reply(answer)

    async with no_task_stays():
        asking = asyncio.create_task(
            client.post("/v1/responses", json=REQUEST | {"stream": stream})
        )
        request = await upstream.request(0)
        asking.cancel()
        await request.disconnected.wait()


async def test_leaving_while_an_answer_is_collected_stops_the_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, WORD, Hang()))

    async with no_task_stays():
        asking = asyncio.create_task(client.post("/v1/responses", json=REQUEST))
        await pause.reached.wait()
        pause.release()
        asking.cancel()
        request = await upstream.request(0)
        await request.disconnected.wait()


async def test_leaving_between_keepalives_stops_the_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=0.001)
    upstream.reply(stream_answer(WORD, Hang()))

    async with no_task_stays():
        async with open_stream(client) as stream:
            await stream.until("keepalive")
        request = await upstream.request(0)
        await request.disconnected.wait()


async def test_leaving_before_the_request_is_whole_asks_nothing_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    recorder = stand.app = Recorder(start())

    async with no_task_stays():
        _, writer = await asyncio.open_connection(*_address(stand))
        writer.write(b"POST /v1/responses HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n{")
        await recorder.called.wait()
        writer.transport.abort()

    assert recorder.messages == []
    assert upstream.requests == []


async def test_whole_answers_leave_a_connection_for_the_next_request(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(text_answer("Hello"))

    async with no_task_stays():
        for _ in range(3):
            await read_stream(client)

    assert upstream.connections_opened == 1
    assert not any(request.disconnected.is_set() for request in upstream.requests)


async def test_send_that_does_not_return_stops_the_upstream_from_sending(
    start: Start, stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    recorder = stand.app = Recorder(start())
    upstream.reply(stream_answer(*FLOOD, chunk({}, "stop")))

    async with open_stream(client) as stream:
        await stream.until("response.created")
        recorder.gate.clear()
        request = await upstream.request(0)
        await request.stalled.wait()
        await _let_others_run(client)  # until the buffers of the system are full too
        sends, stalls = len(recorder.parts), request.stalls
        await _let_others_run(client)

        assert (len(recorder.parts), request.stalls) == (sends, stalls)
        assert not request.completed.is_set()
        recorder.gate.set()


async def test_client_that_never_reads_and_leaves_stops_the_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(*FLOOD, chunk({}, "stop")))

    async with no_task_stays():
        _, writer = await asyncio.open_connection(*_address(stand), limit=1024)
        body = b'{"model": "m", "input": "Hi", "stream": true}'
        head = b"POST /v1/responses HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        request = await upstream.request(0)
        await request.stalled.wait()
        assert not request.disconnected.is_set()
        writer.transport.abort()
        await request.disconnected.wait()

    assert not request.completed.is_set()


async def _let_others_run(client: httpx2.AsyncClient) -> None:
    """Make many round trips in the same loop, in which an unbounded reader would read on."""
    for _ in range(100):
        answer = await client.get("/v1/nothing")
        assert answer.status_code == 404


def _address(stand: Stand) -> tuple[str, int]:
    parts = urlsplit(stand.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
