"""`AsgiUpstream` in front of what people really wrap: Starlette and FastAPI apps, with middleware."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from adapter.errors import UpstreamError
from adapter.upstream.asgi import AsgiUpstream
from tests.upstream.calls import call, opened, soon

pytestmark = pytest.mark.anyio

BODY = b'{"model":"m"}'
EVENTS = [b'data: {"n":%d}\n\n' % number for number in range(5)]


class Engine:
    """Makes events one at a time, as the test lets it, and knows how it ended."""

    def __init__(self) -> None:
        self.steps = asyncio.Queue[bytes]()
        self.waiting = asyncio.Event()
        self.stopped = asyncio.Event()
        self.background_done = asyncio.Event()

    async def generate(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.waiting.set()
                event = await self.steps.get()
                self.waiting.clear()
                if not event:
                    return
                yield event
        finally:
            self.stopped.set()

    async def finish(self) -> None:
        self.background_done.set()


class PassThrough(BaseHTTPMiddleware):
    """What most middleware in the field is."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-seen"] = "1"
        return response


def starlette_app(engine: Engine, *middleware: Middleware) -> ASGIApp:
    async def chat(request: Request) -> Response:
        assert (await request.json()) == {"model": "m"}
        return StreamingResponse(
            engine.generate(),
            media_type="text/event-stream",
            background=BackgroundTask(engine.finish),
        )

    route = Route("/v1/chat/completions", chat, methods=["POST"])
    return Starlette(routes=[route], middleware=list(middleware))


def fastapi_app(engine: Engine, *middleware: Middleware) -> ASGIApp:
    app = FastAPI(middleware=list(middleware))

    @app.post("/v1/chat/completions")
    async def chat(payload: dict[str, str], request: FastAPIRequest) -> StreamingResponse:
        assert payload == {"model": "m"}
        return StreamingResponse(
            engine.generate(),
            media_type="text/event-stream",
            background=BackgroundTask(engine.finish),
        )

    return app


APPS = [
    pytest.param(starlette_app, (), id="starlette"),
    pytest.param(fastapi_app, (), id="fastapi"),
    pytest.param(starlette_app, (Middleware(PassThrough),), id="starlette, BaseHTTPMiddleware"),
    pytest.param(
        fastapi_app, (Middleware(PassThrough), Middleware(PassThrough)), id="fastapi, two of them"
    ),
]
VERSIONS = ["2.3", "2.4"]


def client_scope(spec_version: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/responses",
        "root_path": "",
        "headers": [(b"host", b"adapter")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


def bound(app: ASGIApp, spec_version: str) -> AsgiUpstream:
    return AsgiUpstream(app).for_scope(client_scope(spec_version))


@pytest.mark.parametrize("spec_version", VERSIONS)
@pytest.mark.parametrize(("make", "middleware"), APPS)
async def test_stream_comes_event_by_event(
    make: Any, middleware: tuple[Middleware, ...], spec_version: str
) -> None:
    engine = Engine()
    seen = []
    engine.steps.put_nowait(EVENTS[0])
    async with opened(bound(make(engine, *middleware), spec_version), BODY) as answer:
        async for chunk in answer.chunks():
            seen.append(chunk)
            engine.steps.put_nowait(EVENTS[len(seen)] if len(seen) < len(EVENTS) else b"")

    assert seen == EVENTS
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    await soon(engine.background_done.wait())


@pytest.mark.parametrize("spec_version", VERSIONS)
@pytest.mark.parametrize(("make", "middleware"), APPS)
async def test_leaving_stops_the_generator_while_the_engine_works(
    make: Any, middleware: tuple[Middleware, ...], spec_version: str
) -> None:
    engine = Engine()
    engine.steps.put_nowait(EVENTS[0])
    async with opened(bound(make(engine, *middleware), spec_version), BODY) as answer:
        await anext(answer.chunks())
        await engine.waiting.wait()

    await soon(engine.stopped.wait())


async def test_gzip_middleware_leaves_the_stream_alone() -> None:
    engine = Engine()
    for event in (*EVENTS, b""):
        engine.steps.put_nowait(event)
    app = starlette_app(engine, Middleware(GZipMiddleware, minimum_size=1))

    assert await call(AsgiUpstream(app), body=BODY) == (200, b"".join(EVENTS))


async def test_host_of_the_client_passes_the_check_of_the_app() -> None:
    engine = Engine()
    for event in (*EVENTS, b""):
        engine.steps.put_nowait(event)
    app = starlette_app(engine, Middleware(TrustedHostMiddleware, allowed_hosts=["adapter"]))

    assert (await call(bound(app, "2.3"), body=BODY))[0] == 200
    assert (await call(AsgiUpstream(app)))[0] == 400


async def test_route_of_a_mounted_app_is_found() -> None:
    seen = []

    async def chat(request: Request) -> Response:
        seen.append((request.url.path, request.headers["content-type"]))
        return JSONResponse({"ok": True})

    inner = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])
    results = []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        results.append(await call(AsgiUpstream(inner).for_scope(scope)))

    outer = Starlette(routes=[Mount("/api", app=middleware)])
    await outer(client_scope("2.3") | {"path": "/api/v1/responses"}, None, None)  # type: ignore[arg-type]

    assert results == [(200, b'{"ok":true}')]
    assert seen == [("/api/v1/chat/completions", "application/json")]


async def test_error_of_the_app_is_the_500_that_starlette_makes_of_it() -> None:
    async def chat(request: Request) -> Response:
        raise ValueError("secret")

    app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])

    assert await call(AsgiUpstream(app)) == (500, b"Internal Server Error")


async def test_error_of_the_app_inside_its_middleware_stack_is_an_upstream_error() -> None:
    """Under `add_middleware`, Starlette's 500 is made outside of us."""

    async def chat(request: Request) -> Response:
        raise ValueError("secret")

    app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])
    with pytest.raises(UpstreamError, match="ValueError"):
        await call(AsgiUpstream(app.router))
