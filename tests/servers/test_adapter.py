"""Apps run under real uvicorn, on real sockets, and stop in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tests.servers.adapter import serve, serving

pytestmark = pytest.mark.anyio


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def test_app_answers_from_a_thread() -> None:
    with serve(Starlette(routes=[Route("/", hello)])) as url:
        answer = httpx2.get(url, timeout=5)

    assert answer.text == "hello"
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, timeout=5)


async def test_app_in_the_running_loop_streams_and_sees_the_client_leave() -> None:
    left = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            left.set()

    async def stream(_request: Request) -> StreamingResponse:
        return StreamingResponse(drip())

    async with (
        serving(Starlette(routes=[Route("/", stream)])) as url,
        httpx2.AsyncClient(timeout=5) as client,
    ):
        async with client.stream("GET", url) as answer:
            first = await anext(answer.aiter_raw())
        async with asyncio.timeout(5):
            await left.wait()

    assert first == b"one"


def test_lifespan_runs_to_its_end() -> None:
    seen = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        seen.append("start")
        yield
        seen.append("stop")

    with serve(Starlette(lifespan=lifespan)):
        assert seen == ["start"]

    assert seen == ["start", "stop"]


@asynccontextmanager
async def failing_lifespan(_app: Starlette) -> AsyncIterator[None]:
    raise LookupError("on purpose")
    yield


def test_failed_lifespan_is_an_error_in_a_thread() -> None:
    with (
        pytest.raises(RuntimeError, match="lifespan"),
        serve(Starlette(lifespan=failing_lifespan)),
    ):
        pass


async def test_failed_lifespan_is_an_error_in_the_running_loop() -> None:
    with pytest.raises(RuntimeError, match="lifespan"):
        async with serving(Starlette(lifespan=failing_lifespan)):
            pass
