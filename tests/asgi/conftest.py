"""Fixtures of the tests of the ASGI shell: one real server for all, and a scripted model server."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from adapter import ResponsesAPI
from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.http import read_headers
from adapter.asgi.service import Service
from adapter.asgi.websocket import WebSocketResponses
from adapter.cli.socket_protocol import TextsProtocol
from adapter.config import Settings
from tests.asgi.sockets import Socket, open_socket
from tests.servers.adapter import serving
from tests.servers.scripted import ScriptedUpstream

Start = Callable[..., ResponsesAPI]
Limit = Callable[..., None]


class Stand:
    """Serves the app that the running test puts up: uvicorn takes a third of a second to stop."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="package")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="package")
async def shared_stand() -> AsyncIterator[Stand]:
    stand = Stand()
    async with serving(stand, lifespan="off") as stand.url:
        yield stand


@pytest.fixture(scope="package")
async def shared_socket_stand() -> AsyncIterator[Stand]:
    """As `serve` has WebSockets: many frames in one write, and none compressed."""
    stand = Stand()
    options = {"ws": TextsProtocol, "ws_per_message_deflate": False}
    async with serving(stand, lifespan="off", **options) as stand.url:
        yield stand


@pytest.fixture
def stand(shared_stand: Stand) -> Iterator[Stand]:
    """The server under test, in the test's own loop: `app` is what it serves, `url` where."""
    yield shared_stand
    shared_stand.app = None


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
async def start(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Start]:
    """Put up a `ResponsesAPI` before the scripted upstream, with these settings."""
    started: list[ResponsesAPI] = []

    def put_up(**options: object) -> ResponsesAPI:
        settings = Settings.load(environ={}, **options)
        stand.app = app = ResponsesAPI(upstream.url, settings=settings)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


@pytest.fixture
async def limit(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Limit]:
    """Put up nothing but WebSockets before the scripted upstream, with these limits."""
    services: list[Service] = []

    def put_up(limits: ConnectionLimits, **options: object) -> None:
        service = Service(upstream.url, Settings.load(environ={}, **options))
        services.append(service)
        sockets = WebSocketResponses(service, limits)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await sockets(scope, receive, send, read_headers(scope))

        stand.app = app

    yield put_up
    for service in services:
        await service.aclose()


@pytest.fixture
async def socket(stand: Stand, start: Start) -> AsyncIterator[Socket]:
    """A WebSocket to a `ResponsesAPI` with default settings."""
    start()
    async with open_socket(stand.url) as socket:
        yield socket


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the server under test."""
    # Without `verify`, because to load all certificates takes longer than most of the tests.
    async with httpx2.AsyncClient(base_url=stand.url, timeout=5, verify=False) as client:
        yield client
