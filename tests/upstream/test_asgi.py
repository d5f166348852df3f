"""`AsgiUpstream` streams from an app in this process, with its backpressure."""

import asyncio
import contextvars
from time import monotonic

import pytest
from starlette.types import Receive, Scope, Send

from adapter.upstream.asgi import AsgiUpstream
from tests.upstream.apps import START, Recorder, body, saying, turns
from tests.upstream.calls import call, opened, soon

pytestmark = pytest.mark.anyio


async def test_status_headers_and_body_come_through() -> None:
    headers = [(b"Content-Type", b"text/event-stream"), (b"x-one", b"1"), (b"x-one", b"2")]
    start = {"type": "http.response.start", "status": 429, "headers": headers}
    app = saying(start, body(b"one"), body(b""), body(b"two"), body(b"three", more=False))
    async with opened(AsgiUpstream(app)) as answer:
        chunks = [chunk async for chunk in answer.chunks()]

    assert answer.status == 429
    assert answer.headers == {"content-type": "text/event-stream", "x-one": "2"}
    assert chunks == [b"one", b"two", b"three"]


async def test_app_gets_the_body_whole_and_then_waits_for_the_end() -> None:
    app = Recorder(START, body(b"ok"))
    async with opened(AsgiUpstream(app), b'{"model":"m"}') as answer:
        await anext(answer.chunks())
        await turns()
        before = list(app.received)

    assert before == [{"type": "http.request", "body": b'{"model":"m"}', "more_body": False}]


async def test_receive_tells_of_the_end_once_the_answer_is_complete() -> None:
    app = Recorder(START, body(b"ok", more=False))

    assert await call(AsgiUpstream(app)) == (200, b"ok")
    await soon(app.disconnected.wait())
    assert app.received[-1] == {"type": "http.disconnect"}


async def test_send_returns_when_its_chunk_was_taken() -> None:
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three", more=False))
    progress = []
    async with opened(AsgiUpstream(app)) as answer:
        await turns()
        progress.append(app.sent)
        async for _ in answer.chunks():
            await turns()
            progress.append(app.sent)

    # The start, then a chunk at a time: each is held until the reader comes for it.
    assert progress == [1, 2, 3, 4]


async def test_reading_ahead_is_bounded_and_joins_chunks() -> None:
    app = Recorder(START, *[body(b"x" * 100)] * 100, body(b"", more=False))
    upstream = AsgiUpstream(app, read_ahead_bytes=1000)
    async with opened(upstream) as answer:
        await turns()
        ahead = app.sent
        chunks = [chunk async for chunk in answer.chunks()]

    assert 1 <= ahead <= 12
    assert max(len(chunk) for chunk in chunks) <= 1100
    assert b"".join(chunks) == b"x" * 10_000


def work() -> None:
    """Be away for longer than a burst allows, without letting others run."""
    until = monotonic() + 0.001
    while monotonic() < until:
        pass


async def test_app_that_lets_nobody_run_is_read_chunk_by_chunk() -> None:
    """What it has sent must not wait for the next chunk, which it is still computing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        for number in range(5):
            work()
            await send(body(b"%d" % number))
        await send(body(b"", more=False))

    async with opened(AsgiUpstream(app, read_ahead_bytes=1000)) as answer:
        chunks = [chunk async for chunk in answer.chunks()]

    assert chunks == [b"0", b"1", b"2", b"3", b"4"]


async def test_app_that_lets_others_run_is_not_held_while_all_is_read() -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        for number in range(4):
            work()
            await send(body(b"%d" % number))
            sent += 1
            await turns()
        await send(body(b"", more=False))

    progress = []
    async with opened(AsgiUpstream(app, read_ahead_bytes=1000)) as answer:
        await turns(50)
        progress.append(sent)
        chunks = [await anext(answer.chunks())]
        await turns(200)
        progress.append(sent)
        chunks += [chunk async for chunk in answer.chunks()]

    # The first is held, as nothing is known of the app; the third, as the second lies unread.
    assert progress == [0, 2]
    assert chunks[0] == b"0"
    assert b"".join(chunks) == b"0123"


async def test_app_that_lets_nobody_run_any_more_is_held_again() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        work()
        await send(body(b"0"))
        await turns()
        for number in range(1, 6):
            work()
            await send(body(b"%d" % number))
        await send(body(b"", more=False))

    async with opened(AsgiUpstream(app, read_ahead_bytes=1000)) as answer:
        chunks = [chunk async for chunk in answer.chunks()]

    assert chunks == [b"0", b"12", b"3", b"4", b"5"]


async def test_chunks_sent_from_several_tasks_are_all_delivered() -> None:
    """An SSE library that sends its pings from a task of their own does so."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(send(body(b"%d" % number)))
        await send(body(b"", more=False))

    assert await call(AsgiUpstream(app)) == (200, b"0123456789")


async def test_memoryview_is_copied() -> None:
    buffer = bytearray(b"one")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(memoryview(buffer)))  # type: ignore[arg-type]
        buffer[:] = b"two"
        await send(body(b"", more=False))

    assert await call(AsgiUpstream(app)) == (200, b"one")


async def test_chunk_of_a_send_that_was_given_up_is_still_delivered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        sending = asyncio.create_task(send(body(b"one")))
        await turns()
        sending.cancel()
        await send(body(b"two", more=False))

    async with opened(AsgiUpstream(app)) as answer:
        await turns(50)
        chunks = [chunk async for chunk in answer.chunks()]

    assert b"".join(chunks) == b"onetwo"


async def test_app_runs_in_the_context_of_the_caller() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(variable.get())
        variable.set("by the app")
        await send(START)
        await send(body(b"", more=False))

    variable.set("by the caller")
    await call(AsgiUpstream(app))

    assert seen == ["by the caller"]
    assert variable.get() == "by the caller"
