"""Fixtures of the fault matrix: one server, one scripted model and one MCP server for all of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.types import ASGIApp

from adapter import ResponsesAPI, ResponsesMiddleware
from adapter.config import Settings
from tests.asgi.conftest import Stand, anyio_backend, shared_stand, stand
from tests.chaos.app import ScriptedApp
from tests.chaos.fault import SHORT, Fault
from tests.chaos.ways import TIME_LIMIT_SECONDS, Asking, Ending, Way, in_time
from tests.hosted.asking import mcp
from tests.servers.answers import tool_answer
from tests.servers.mcp_servers import ToolServer, tool_server
from tests.servers.scripted import ScriptedUpstream
from tests.servers.signals import WAIT_LIMIT_SECONDS

__all__ = ["anyio_backend", "shared_stand", "stand"]


@pytest.fixture(scope="package")
async def tools() -> AsyncIterator[ToolServer]:
    async with tool_server() as server:
        yield server


@pytest.fixture
async def bench(stand: Stand, tools: ToolServer) -> AsyncIterator["Bench"]:
    async with (
        ScriptedUpstream() as upstream,
        httpx2.AsyncClient(base_url=stand.url, timeout=TIME_LIMIT_SECONDS, verify=False) as client,
    ):
        yield Bench(stand, upstream, tools, client)


class Bench:
    """Puts up adapters before upstreams with faults.

    Attributes:
        url: of what is served.
        upstream: the one over HTTP.
        tools: the MCP server.
        client: of what is served.
    """

    def __init__(
        self,
        stand: Stand,
        upstream: ScriptedUpstream,
        tools: ToolServer,
        client: httpx2.AsyncClient,
    ) -> None:
        self.url = stand.url
        self.upstream = upstream
        self._stand = stand
        self.tools = tools
        self.client = client

    async def over_http(self, fault: Fault, way: Way) -> Ending:
        """Ask an adapter before an upstream over HTTP."""
        self.upstream.always(fault.answer)
        async with self.serving(ResponsesAPI(self.upstream.url, settings=self.settings(fault))):
            return await in_time(way, self.asking())

    async def in_second_turn(self, fault: Fault, way: Way) -> Ending:
        """Ask with an MCP server whose tool the model calls, before it does what it should not."""
        self.upstream.reply(tool_answer(("get_weather", {"city": "Paris"})))
        self.upstream.always(fault.answer)
        async with self.serving(ResponsesAPI(self.upstream.url, settings=self.settings(fault))):
            return await in_time(way, self.asking(mcp(self.tools)))

    async def in_process(self, fault: Fault, way: Way) -> Ending:
        """Ask the middleware around an app."""
        app = ScriptedApp(fault.answer)
        async with self.serving(ResponsesMiddleware(app, settings=self.settings(fault))):
            ending = await in_time(way, self.asking())
        assert (app.running, app.asked > 0) == (0, True)
        return ending

    def asking(self, *tools: Any) -> Asking:
        return Asking(self.url, self.client, tools)

    def settings(self, fault: Fault, **more: Any) -> Settings:
        short = {"first_byte_timeout": SHORT, "idle_timeout": SHORT} if fault.hangs else {}
        fetch = self.fetch(self.tools.url)
        limits = {
            "store": "memory:",
            "upstream_retry_wait": 0.01,
            "background_drain": 0.0,
            "fetch": fetch,
        }
        return Settings.load(environ={}, **limits | short | dict(fault.settings) | more)

    @staticmethod
    def fetch(url: str) -> dict[str, Any]:
        """Return the setting that lets one server here be asked."""
        port = urlsplit(url).port
        return {"allow_http": True, "allow_private": True, "allowed_ports": [port]}

    @asynccontextmanager
    async def serving(self, app: Any) -> AsyncIterator[None]:
        """Serve an app, and see that nothing stays of it."""
        before = asyncio.all_tasks()
        self._stand.app = app
        yield
        await close(app)
        left = asyncio.all_tasks() - before
        if left:
            _, left = await asyncio.wait(left, timeout=WAIT_LIMIT_SECONDS)
        assert left == set()


async def close(app: ASGIApp) -> None:
    """Shut an app down as a server does."""
    if isinstance(app, ResponsesAPI):
        await app.aclose()
        return
    messages: Any = asyncio.Queue()
    for type in ("lifespan.startup", "lifespan.shutdown"):
        messages.put_nowait({"type": type})
    await app({"type": "lifespan"}, messages.get, _ignore)


async def _ignore(message: Any) -> None:
    pass
