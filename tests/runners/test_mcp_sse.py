"""Servers of the older transport (SSE), scripted: when it is tried, and how it goes wrong."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from adapter.runners.base import McpServer
from adapter.runners.mcp.runner import McpClient, McpLimits
from adapter.types.hosted import ToolResult
from tests.runners.scripts import INITIALIZED, event
from tests.servers.answers import Answer, Hang, Pause, Reset, Step
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

ACCEPTED = Answer(202, framing="length")
DONE = {"jsonrpc": "2.0", "id": 3, "result": {"content": [{"type": "text", "text": "ok"}]}}


class SseScript:
    """A server at `/sse` that knows what it will be asked: discover (1), initialize (2), call (3).

    Args:
        upstream: that plays it.
        answer: what the stream says to the call.
        posts: what the POST of the call is answered with.
        endpoint: where the stream says that POSTs go.
        post_status: what streamable HTTP gets.
    """

    def __init__(
        self,
        upstream: ScriptedUpstream,
        answer: Sequence[Step] = (event(DONE),),
        *,
        posts: Answer = ACCEPTED,
        endpoint: str = "/messages",
        post_status: int = 405,
    ) -> None:
        self.upstream = upstream
        self.server = McpServer(
            label="old", url=upstream.url.removesuffix("/v1") + "/sse", is_configured=True
        )
        self._asked = [Pause(), Pause(), Pause()]
        self._posts = posts
        unknown: Any = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}
        opened = {"jsonrpc": "2.0", "id": 2, "result": INITIALIZED}
        first, second, third = self._asked
        steps = [event(endpoint, "endpoint"), first, event(unknown), second, event(opened), third]
        stream = Answer(
            headers={"content-type": "text/event-stream"}, chunks=[*steps, *answer, Hang()]
        )
        upstream.always(
            lambda request: stream if request.method == "GET" else Answer(post_status), to="/sse"
        )
        upstream.always(self._take, to="/messages")

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(request.method, request.path) for request in self.upstream.requests]

    def _take(self, request: Request) -> Answer:
        id = request.json.get("id")
        if id is not None:
            self._asked[id - 1].release()
        return self._posts if id == 3 else ACCEPTED


async def call(script: SseScript, seconds: float = 3.0) -> ToolResult:
    client = McpClient(McpLimits(call_seconds=seconds))
    result = await client.call(script.server, "get_weather", {})
    async with asyncio.timeout(5):
        await client.aclose()
    assert client.open_sessions == 0
    return result


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_sse_is_spoken_where_streamable_http_is_not(
    status: int, upstream: ScriptedUpstream
) -> None:
    script = SseScript(upstream, post_status=status)

    result = await call(script)

    assert result == ToolResult("ok")
    assert ("GET", "/sse") in script.asked


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_other_refusals_are_not_taken_for_another_transport(
    status: int, upstream: ScriptedUpstream
) -> None:
    script = SseScript(upstream, post_status=status)

    result = await call(script)

    assert result.error is not None
    assert result.error["code"] == status
    assert ("GET", "/sse") not in script.asked


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        pytest.param({"answer": [Reset()]}, -32000, "broke off", id="reset"),
        pytest.param({"answer": [event({**DONE, "id": 9})]}, -32001, "not answer", id="wrong_id"),
        pytest.param({"answer": [event("hello")]}, -32001, "not answer", id="no_json"),
        pytest.param(
            {"answer": [event({**DONE, "result": "x" * 1_100_000})]},
            -32603,
            "sent more than 1048576 bytes",
            id="too_large",
        ),
        pytest.param({"posts": Answer(500)}, 500, "HTTP status 500", id="post_refused"),
        pytest.param({"posts": Answer(before=[Reset()])}, 424, "reached", id="post_reset"),
        pytest.param(
            {"posts": Answer(307, {"location": "http://localhost/"})},
            307,
            "not followed",
            id="post_redirected",
        ),
        pytest.param(
            {"endpoint": "http://169.254.169.254/messages"}, -32001, "not answer", id="elsewhere"
        ),
    ],
)
async def test_evil_server_is_an_error(
    more: dict[str, Any], code: int, message: str, upstream: ScriptedUpstream
) -> None:
    script = SseScript(upstream, **more)

    result = await call(script, 1.0)

    assert result.error is not None
    assert result.error["code"] == code
    assert message in result.error["message"]
