"""Calls of hosted tools are counted by kind and by how they ended."""

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from tests.asgi.conftest import Stand
from tests.hosted.asking import Asker, mcp
from tests.observe.scrape import scrape
from tests.servers.answers import text_answer, tool_answer
from tests.servers.mcp_servers import tool_server
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def test_hosted_tools_are_told_by_kind(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    async with tool_server() as tools:
        port = int(tools.url.rsplit(":", 1)[1].split("/")[0])
        fetch = {"allow_http": True, "allow_private": True, "allowed_ports": [port]}
        settings = Settings.load(environ={}, metrics=True, fetch=fetch, store="none")
        stand.app = app = ResponsesAPI(upstream.url, settings=settings)
        calls = [("get_weather", {"city": "Paris"}), ("fail", {"reason": "because"})]
        upstream.reply(tool_answer(*calls), text_answer("Sunny"))

        await Asker(stand.url, upstream)("Weather?", tools=[mcp(tools)])
        told = await scrape(client)
        await app.aclose()

    assert told.value("tool_calls_total", kind="mcp", outcome="ok") == 1
    assert told.value("tool_calls_total", kind="mcp", outcome="failed") == 1
    assert told.value("tool_seconds_count", kind="mcp") == 2
    assert told.value("upstream_requests_total", operation="chat") == 2
    assert told.value("responses_total", outcome="completed") == 1
    assert "get_weather" not in told.text
