"""`AsgiUpstream` tells its app when the reader leaves, and stops it; and lets it end when it may."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from adapter.upstream.asgi import AsgiUpstream
from tests.upstream.apps import START, Recorder, body, saying, scope_of, turns
from tests.upstream.calls import call, opened, soon

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("version", ["2.0", "2.3", "2.4"])
async def test_leaving_early_says_disconnect_at_once(version: str) -> None:
    app = Recorder(START, body(b"one"))
    upstream = AsgiUpstream(app).for_scope(scope_of(version))
    async with opened(upstream) as answer:
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

    async with opened(AsgiUpstream(app)):
        pass

    assert not cancelled.is_set()
    await soon(cancelled.wait())


async def test_pending_send_fails_after_leaving_since_asgi_2_4() -> None:
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three"))
    upstream = AsgiUpstream(app).for_scope(scope_of("2.4"))
    async with opened(upstream) as answer:
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

    async with opened(AsgiUpstream(app).for_scope(scope_of("2.4"))):
        pass
    await turns()

    assert len(failed) == 1


async def test_send_is_held_after_leaving_before_asgi_2_4() -> None:
    """An app that never asks for the disconnect must not run on as if somebody listened."""
    app = Recorder(START, body(b"one"), body(b"two"), body(b"three"))
    upstream = AsgiUpstream(app).for_scope(scope_of("2.3"))
    async with opened(upstream) as answer:
        await anext(answer.chunks())
        await turns()
    await turns()
    sent = app.sent
    await soon(app.cancelled.wait())

    assert sent == app.sent == 2


async def test_cancelling_the_caller_disconnects_the_app() -> None:
    app = Recorder()
    task = asyncio.create_task(call(AsgiUpstream(app)))
    await turns()
    task.cancel()

    await soon(app.disconnected.wait())
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

    await soon(done.wait())


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


async def test_closing_an_upstream_that_was_not_used_does_nothing() -> None:
    await AsgiUpstream(saying()).aclose()


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
    await soon(closing)

    assert done.is_set()
