"""Clients that go, in every way of asking and at every moment: what is done for them stops.

Source: issue 8, "Disconnects": the upstream is cancelled within half a second in all modes, but for
runs in the background. How long it takes is for `benchmarks/soak.py`; here it is that it happens.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapter import ResponsesAPI, ResponsesMiddleware
from tests.asgi.sockets import open_socket
from tests.chaos.app import ScriptedApp
from tests.chaos.conftest import Bench
from tests.chaos.fault import SSE, Fault, good_chunks
from tests.hosted.asking import mcp
from tests.servers.answers import Answer, Hang, sse, tool_answer
from tests.servers.mcp_servers import ToolServer
from tests.servers.signals import Signal

pytestmark = pytest.mark.anyio

MOMENTS = {
    "before an answer": Answer(before=[Hang()]),
    "behind the headers": Answer(headers=SSE, chunks=[Hang()]),
    "in the answer": Answer(headers=SSE, chunks=sse(*good_chunks()[:3], Hang())),
    "in an error": Answer(500, {"content-type": "application/json"}, [b'{"er', Hang()]),
}
each_moment = pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in MOMENTS.items()]
)


@asynccontextmanager
async def asked_over_http(url: str, **fields: Any) -> AsyncIterator[None]:
    """Have asked over a connection of one's own, which breaks at the end of the block."""
    body = json.dumps({"model": "m", "input": "Hi", **fields}).encode()
    head = f"POST /v1/responses HTTP/1.1\r\nhost: h\r\ncontent-length: {len(body)}\r\n\r\n"
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head.encode() + body)
    try:
        yield
    finally:
        writer.transport.abort()


@asynccontextmanager
async def asked_over_websocket(url: str, **fields: Any) -> AsyncIterator[None]:
    async with open_socket(url) as socket:
        await socket.create(**fields)
        try:
            yield
        finally:
            socket.connection.transport.abort()


def streamed(url: str, **fields: Any) -> Any:
    return asked_over_http(url, stream=True, **fields)


ASKED = {"stream": streamed, "whole": asked_over_http, "websocket": asked_over_websocket}
each_way = pytest.mark.parametrize(
    "asked", [pytest.param(asked, id=name) for name, asked in ASKED.items()]
)
Asked = Callable[..., Any]


@each_way
@each_moment
async def test_upstream_is_left(bench: Bench, answer: Answer, asked: Asked) -> None:
    fault = Fault("gone", answer)
    bench.upstream.always(answer)
    async with bench.serving(ResponsesAPI(bench.upstream.url, settings=bench.settings(fault))):
        async with asked(bench.url):
            request = await bench.upstream.request(0)
        await request.disconnected.wait()

        assert len(bench.upstream.requests) == 1


@each_way
@each_moment
async def test_wrapped_app_is_stopped(bench: Bench, answer: Answer, asked: Asked) -> None:
    app = ScriptedApp(answer)
    settings = bench.settings(Fault("gone", answer))
    async with bench.serving(ResponsesMiddleware(app, settings=settings)):
        async with asked(bench.url):
            await app.begun.wait()
        async with asyncio.timeout(5):
            await app.idle.wait()

        assert app.asked == 1


@each_way
async def test_call_of_a_tool_is_cancelled(bench: Bench, asked: Asked) -> None:
    tools = bench.tools
    tools.waiting, tools.cancelled = Signal(), Signal()
    bench.upstream.reply(tool_answer(("wait_for_ever", {})))
    settings = bench.settings(Fault("gone", Answer()))
    async with bench.serving(ResponsesAPI(bench.upstream.url, settings=settings)):
        async with asked(bench.url, tools=[mcp(tools)]):
            await tools.waiting.wait()
        await tools.cancelled.wait()

        assert len(bench.upstream.requests) == 1


@each_way
async def test_second_turn_is_left(bench: Bench, asked: Asked) -> None:
    bench.upstream.reply(tool_answer(("get_weather", {"city": "Paris"})), MOMENTS["in the answer"])
    settings = bench.settings(Fault("gone", Answer()))
    async with bench.serving(ResponsesAPI(bench.upstream.url, settings=settings)):
        async with asked(bench.url, tools=[mcp(bench.tools)]):
            request = await bench.upstream.request(1)
        await request.disconnected.wait()


@each_way
async def test_list_of_tools_is_left(bench: Bench, asked: Asked) -> None:
    """The server takes the request for its list, and never answers."""
    bench.upstream.always(Answer(before=[Hang()]), to="/mcp")
    settings = bench.settings(Fault("gone", Answer()), fetch=bench.fetch(bench.upstream.url))
    server = ToolServer()
    server.url = bench.upstream.url.removesuffix("/v1") + "/mcp"
    async with bench.serving(ResponsesAPI(bench.upstream.url, settings=settings)):
        async with asked(bench.url, tools=[mcp(server)]):
            request = await bench.upstream.request(0)
        await request.disconnected.wait()


@pytest.mark.parametrize("stream", [True, False])
async def test_run_in_the_background_goes_on(bench: Bench, stream: bool) -> None:
    answer = MOMENTS["in the answer"]
    bench.upstream.always(answer)
    settings = bench.settings(Fault("gone", answer))
    async with bench.serving(ResponsesAPI(bench.upstream.url, settings=settings)):
        async with asked_over_http(bench.url, background=True, stream=stream):
            request = await bench.upstream.request(0)
        for _ in range(20):  # round trips in the same loop, in which a break would show
            assert (await bench.client.get("/v1/responses/resp_none")).status_code == 404

        assert not request.disconnected.is_set()
