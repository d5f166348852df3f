"""Fixtures of the tests of hosted tools: an adapter before a scripted model, and real MCP servers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from tests.asgi.conftest import Stand, anyio_backend, shared_stand, stand, upstream
from tests.hosted.asking import Asker
from tests.servers.mcp_servers import ToolServer, tool_server
from tests.servers.scripted import ScriptedUpstream

__all__ = ["anyio_backend", "shared_stand", "stand", "upstream"]

Ask = Callable[..., Asker]
Serve = Callable[..., Awaitable[ToolServer]]


@pytest.fixture
async def serve_tools() -> AsyncIterator[Serve]:
    """Put up an MCP server."""
    async with AsyncExitStack() as servers:

        async def put_up(**options: Any) -> ToolServer:
            return await servers.enter_async_context(tool_server(**options))

        yield put_up


@pytest.fixture
async def asker(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Ask]:
    """Put up an adapter before the scripted model, and return what asks it."""
    started: list[ResponsesAPI] = []

    def put_up(
        *servers: ToolServer, tools: Any = (), settings_tools: Any = None, **options: Any
    ) -> Asker:
        ports = [port for server in servers if (port := urlsplit(server.url).port)]
        fetch = {"allow_http": True, "allow_private": True, "allowed_ports": ports or [1]}
        options = {"fetch": fetch, "tools": settings_tools, **options}
        settings = Settings.load(environ={}, **options)
        stand.app = app = ResponsesAPI(upstream.url, settings=settings, tools=tools)
        started.append(app)
        return Asker(stand.url, upstream)

    yield put_up
    for app in started:
        await app.aclose()
