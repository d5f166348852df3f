"""`AsgiUpstream`: an app in this process, streamed with backpressure and told of disconnects."""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.asgi import AsgiUpstream
from adapter.upstream.base import Upstream

pytestmark = pytest.mark.anyio

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    async with asyncio.timeout(5):
        yield


async def call(upstream: Upstream) -> tuple[int, list[bytes]]:
    async with upstream.open(b"{}", {}) as answer:
        return answer.status, [chunk async for chunk in answer.chunks()]


def saying(*messages: Message) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an app that sends these messages and returns."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


class Recorder:
    """An app that keeps what it was given, and what its `receive` says after the body."""

    def __init__(self, *messages: Message, spec_version: str = "2.3") -> None:
        self.scope: Scope = {}
        self.received: list[Message] = []
        self.sent = 0
        self.sends_failed: list[BaseException] = []
        self.cancelled = asyncio.Event()
        self.disconnected = asyncio.Event()
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.received.append(await receive())
        watcher = asyncio.create_task(self._watch(receive))
        try:
            for message in self._messages:
                await send(message)
                self.sent += 1
            await watcher
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        except OSError as exc:
            self.sends_failed.append(exc)
        finally:
            watcher.cancel()

    async def _watch(self, receive: Receive) -> None:
        self.received.append(await receive())
        self.disconnected.set()


async def turns(count: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_status_headers_and_body_come_through() -> None:
    headers = [(b"Content-Type", b"text/event-stream"), (b"x-one", b"1"), (b"x-one", b"2")]
    start = {"type": "http.response.start", "status": 429, "headers": headers}
    app = saying(start, body(b"one"), body(b""), body(b"two"), body(b"three", more=False))
    async with AsgiUpstream(app).open(b"{}", {}) as answer:
        chunks = [chunk async for chunk in answer.chunks()]

    assert answer.status == 429
    assert answer.headers == {"content-type": "text/event-stream", "x-one": "2"}
    assert chunks == [b"one", b"two", b"three"]


async def test_app_gets_the_body_whole_and_then_waits_for_the_end() -> None:
    app = Recorder(START, body(b"ok"))
    async with AsgiUpstream(app).open(b'{"model":"m"}', {}) as answer:
        await anext(answer.chunks())
        await turns()
        before = list(app.received)

    assert before == [{"type": "http.request", "body": b'{"model":"m"}', "more_body": False}]


async def test_receive_tells_of_the_end_once_the_answer_is_complete() -> None:
    app = Recorder(START, body(b"ok", more=False))

    assert await call(AsgiUpstream(app)) == (200, [b"ok"])
    await app.disconnected.wait()
    assert app.received[-1] == {"type": "http.disconnect"}


async def test_send_returns_when_its_chunk_was_taken() -> None:
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three", more=False))
    progress = []
    async with AsgiUpstream(app).open(b"{}", {}) as answer:
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
    async with upstream.open(b"{}", {}) as answer:
        await turns()
        ahead = app.sent
        chunks = [chunk async for chunk in answer.chunks()]

    assert ahead == 1
    assert max(len(chunk) for chunk in chunks) <= 1100
    assert b"".join(chunks) == b"x" * 10_000


async def test_chunks_sent_from_several_tasks_are_all_delivered() -> None:
    """An SSE library that sends its pings from a task of their own does so."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(send(body(b"%d" % number)))
        await send(body(b"", more=False))

    _, chunks = await call(AsgiUpstream(app))

    assert b"".join(chunks) == b"0123456789"


async def test_memoryview_is_copied() -> None:
    buffer = bytearray(b"one")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(memoryview(buffer)))  # type: ignore[arg-type]
        buffer[:] = b"two"
        await send(body(b"", more=False))

    assert await call(AsgiUpstream(app)) == (200, [b"one"])


@pytest.mark.parametrize("version", ["2.0", "2.3", "2.4"])
async def test_leaving_early_says_disconnect_at_once(version: str) -> None:
    app = Recorder(START, body(b"one"))
    upstream = AsgiUpstream(app).for_scope(scope_of(version))
    async with upstream.open(b"{}", {}) as answer:
        await anext(answer.chunks())
    await turns()

    assert app.disconnected.is_set()
    assert app.received[-1] == {"type": "http.disconnect"}
    assert not app.cancelled.is_set()


async def test_app_that_does_not_ask_is_cancelled_after_the_grace() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with AsgiUpstream(app).open(b"{}", {}):
        pass

    assert not cancelled.is_set()
    await cancelled.wait()


async def test_pending_send_fails_after_leaving_since_asgi_2_4() -> None:
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three"))
    upstream = AsgiUpstream(app).for_scope(scope_of("2.4"))
    async with upstream.open(b"{}", {}) as answer:
        await anext(answer.chunks())
        await turns()
    await turns()

    assert [type(exc) for exc in app.sends_failed] == [OSError]


async def test_later_send_fails_after_leaving_since_asgi_2_4() -> None:
    failed: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await receive()
        try:
            await send(body(b"late"))
        except OSError as exc:
            failed.append(exc)

    async with AsgiUpstream(app).for_scope(scope_of("2.4")).open(b"{}", {}):
        pass
    await turns()

    assert len(failed) == 1


async def test_send_is_held_after_leaving_before_asgi_2_4() -> None:
    """An app that never asks for the disconnect must not run on as if somebody listened."""
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three"))
    upstream = AsgiUpstream(app).for_scope(scope_of("2.3"))
    async with upstream.open(b"{}", {}) as answer:
        await anext(answer.chunks())
        await turns()
    await turns()
    sent = app.sent
    await app.cancelled.wait()

    assert sent == app.sent == 2


async def test_cancelling_the_caller_disconnects_the_app() -> None:
    app = Recorder()
    task = asyncio.create_task(call(AsgiUpstream(app)))
    await turns()
    task.cancel()

    await app.disconnected.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_background_work_behind_a_complete_answer_goes_on() -> None:
    released, done = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"ok", more=False))
        await released.wait()
        done.set()

    await call(AsgiUpstream(app))
    released.set()

    await done.wait()


async def test_closing_cancels_what_does_not_end() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(START)
            await send(body(b"ok", more=False))
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    upstream = AsgiUpstream(app, close_grace=0.05)
    await call(upstream.for_scope(scope_of("2.3")))
    await upstream.aclose()

    assert cancelled.is_set()


async def test_closing_waits_for_work_that_ends() -> None:
    released, done = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"ok", more=False))
        await released.wait()
        done.set()

    upstream = AsgiUpstream(app)
    await call(upstream)
    closing = asyncio.create_task(upstream.aclose())
    await turns()
    released.set()
    await closing

    assert done.is_set()


async def test_chunk_of_a_send_that_was_given_up_is_still_delivered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        sending = asyncio.create_task(send(body(b"one")))
        await turns()
        sending.cancel()
        await send(body(b"two", more=False))

    async with AsgiUpstream(app).open(b"{}", {}) as answer:
        await turns(50)
        chunks = [chunk async for chunk in answer.chunks()]

    assert b"".join(chunks) == b"onetwo"


class AppError(Exception):
    """What the wrapped app raises."""


def failing(*messages: Message) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        raise AppError("secret")

    return app


async def failure(upstream: Upstream) -> tuple[UpstreamError, list[bytes]]:
    """Call until it fails; return how, and what had come."""
    seen: list[bytes] = []
    try:
        async with upstream.open(b"{}", {}) as answer:
            async for chunk in answer.chunks():
                seen.append(chunk)  # noqa: PERF401  # kept when it fails
    except UpstreamError as error:
        return error, seen
    raise AssertionError("the call did not fail")


@pytest.mark.parametrize(
    ("app", "chunks", "expected"),
    [
        pytest.param(failing(), 0, "failed before it answered (AppError)", id="raises first"),
        pytest.param(
            failing(START), 0, "failed in the middle of its answer (AppError)", id="raises later"
        ),
        pytest.param(
            failing(START, body(b"ok")), 1, "failed in the middle of its answer", id="in the body"
        ),
        pytest.param(saying(), 0, "returned without an answer", id="says nothing"),
        pytest.param(saying(START), 0, "before its answer was complete", id="no body"),
        pytest.param(saying(START, body(b"ok")), 1, "before its answer was", id="half a body"),
        pytest.param(saying(body(b"ok")), 0, "(RuntimeError)", id="body before start"),
        pytest.param(saying(START, START), 0, "(RuntimeError)", id="two starts"),
        pytest.param(
            saying(START, {"type": "http.response.pathsend", "path": "x"}),
            0,
            "(RuntimeError)",
            id="message that was not offered",
        ),
        pytest.param(lambda scope: None, 0, "(TypeError)", id="not ASGI 3"),
        pytest.param(
            saying(START | {"headers": [(b"content-encoding", b"gzip")]}),
            0,
            "compressed its answer (gzip)",
            id="compressed",
        ),
    ],
)
async def test_fault_of_the_app_is_an_upstream_error(app: Any, chunks: int, expected: str) -> None:
    error, seen = await failure(AsgiUpstream(app))

    assert expected in error.message
    assert "secret" not in error.message
    assert error.status == 502
    assert len(seen) == chunks


async def test_fault_of_the_app_keeps_its_cause() -> None:
    with pytest.raises(UpstreamError) as caught:
        await call(AsgiUpstream(failing()))

    assert isinstance(caught.value.__cause__, AppError)


async def test_fault_after_the_answer_is_logged_and_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Starlette sends its 500 and raises again, for the server to log it."""
    result = await call(AsgiUpstream(failing(START, body(b"ok", more=False))))
    await turns()

    assert result == (200, [b"ok"])
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [
        (logging.ERROR, True)
    ]


@pytest.mark.parametrize(
    ("limits", "messages", "expected"),
    [
        pytest.param({"first_byte_timeout": 0.05}, (), "0.05 s (first-byte", id="no start"),
        pytest.param({"first_byte_timeout": 0.05}, (START,), "0.05 s (first-byte", id="no body"),
        pytest.param({"idle_timeout": 0.05}, (START, body(b"ok")), "nothing for 0.05 s", id="idle"),
    ],
)
async def test_silence_is_a_timeout_and_disconnects_the_app(
    limits: dict[str, float], messages: tuple[Message, ...], expected: str
) -> None:
    app = Recorder(*messages)
    with pytest.raises(UpstreamTimeoutError) as caught:
        await call(AsgiUpstream(app, **limits))  # type: ignore[arg-type]

    assert expected in caught.value.message
    assert caught.value.status == 504
    await app.disconnected.wait()


async def test_slow_reader_is_no_timeout_of_the_app() -> None:
    clock = AsgiUpstream(Recorder(START, body(b"ok")), idle_timeout=0.05)
    app = saying(START, body(b"one"), body(b"two"), body(b"three", more=False))
    upstream = AsgiUpstream(app, idle_timeout=0.02)
    seen = []
    async with upstream.open(b"{}", {}) as answer:
        async for chunk in answer.chunks():
            seen.append(chunk)
            with pytest.raises(UpstreamTimeoutError):  # longer than the limit of the other
                await call(clock)

    assert seen == [b"one", b"two", b"three"]


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


def scope_of(spec_version: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/responses",
        "root_path": "",
        "headers": [(b"host", b"adapter")],
    }
