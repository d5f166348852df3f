"""Every way in which an app in this process can fail is an `UpstreamError`."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.asgi import AsgiUpstream
from adapter.upstream.base import Upstream
from tests.upstream.apps import START, Recorder, body, saying, turns
from tests.upstream.calls import call, opened, soon

pytestmark = pytest.mark.anyio


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
        async with opened(upstream) as answer:
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

    assert result == (200, b"ok")
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
    await soon(app.disconnected.wait())


async def test_slow_reader_is_no_timeout_of_the_app() -> None:
    clock = AsgiUpstream(Recorder(START, body(b"ok")), idle_timeout=0.05)
    app = saying(START, body(b"one"), body(b"two"), body(b"three", more=False))
    upstream = AsgiUpstream(app, idle_timeout=0.02)
    seen = []
    async with opened(upstream) as answer:
        async for chunk in answer.chunks():
            seen.append(chunk)
            with pytest.raises(UpstreamTimeoutError):  # longer than the limit of the other
                await call(clock)

    assert seen == [b"one", b"two", b"three"]
