"""Sessions are shared, kept, closed when they rest, and leave nothing; lists are kept for a while."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from adapter.errors import ToolError
from adapter.fetch.guard import UrlPolicy
from adapter.runners.base import ListFailedError, McpServer
from adapter.runners.mcp.connection import Connection
from adapter.runners.mcp.runner import McpClient, McpLimits
from tests.runners.scripts import HANG, INITIALIZED, TOOL, Script, ended, event, result, text
from tests.servers.answers import Answer, Hang
from tests.servers.mcp_servers import tool_server_in_thread
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

SECRET = "sk-very-secret"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def client() -> AsyncIterator[McpClient]:
    client = McpClient()
    yield client
    await client.aclose()


async def test_session_is_shared_by_who_has_the_same_credentials(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream)

    await client.list_tools(script.server(authorization="Bearer a"))
    await client.call(script.server(Authorization="Bearer a"), "get_weather", {})

    assert script.methods.count("initialize") == 1
    assert client.open_sessions == 1


async def test_session_is_not_shared_by_who_has_other_credentials(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream)

    for token in ["a", "b"]:
        await client.list_tools(script.server(authorization=token))

    assert script.methods.count("initialize") == 2
    assert script.methods.count("tools/list") == 2
    sent = [each.headers.get("authorization") for each in upstream.requests]
    assert sent == ["a"] * (len(sent) // 2) + ["b"] * (len(sent) // 2)


async def test_session_of_a_client_is_not_that_of_the_operator(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream)
    await client.list_tools(script.server())

    with pytest.raises(ListFailedError):
        await client.list_tools(script.named())


async def test_session_that_rests_is_closed(upstream: ScriptedUpstream) -> None:
    client = McpClient(McpLimits(idle_seconds=0.01))
    script = Script(upstream, initialize=result(INITIALIZED, **{"mcp-session-id": "s"}))

    await client.list_tools(script.server())
    await ended(client)

    assert script.methods[-1] == "DELETE"
    await client.aclose()


async def test_session_that_is_used_is_not_closed(upstream: ScriptedUpstream) -> None:
    client = McpClient(McpLimits(idle_seconds=0.05, list_ttl_seconds=0))
    script = Script(upstream)

    async with asyncio.timeout(5):
        for _ in range(30):
            await client.list_tools(script.server())

    assert script.methods.count("initialize") == 1
    await client.aclose()


async def test_session_that_rests_makes_room_for_another(upstream: ScriptedUpstream) -> None:
    client = McpClient(McpLimits(max_sessions=1))
    script = Script(upstream)

    for token in ["a", "b", "c"]:
        await client.list_tools(script.server(authorization=token))
        await asyncio.sleep(0)

    await client.aclose()
    assert script.methods.count("initialize") == 3


async def test_too_many_sessions_are_an_error(upstream: ScriptedUpstream) -> None:
    client = McpClient(McpLimits(max_sessions=1))
    script = Script(upstream, tools_call=HANG)
    busy = asyncio.create_task(client.call(script.server(), "get_weather", {}))
    await script.asked("tools/call")

    failed = await client.call(script.server(authorization="b"), "get_weather", {})

    message = "Too many sessions with MCP servers are open."
    assert failed.error == {"type": "http_error", "code": 503, "message": message}
    busy.cancel()
    await asyncio.wait({busy})
    await client.aclose()


async def test_servers_that_clients_name_leave_room_for_configured_ones(
    upstream: ScriptedUpstream,
) -> None:
    script = Script(upstream, tools_call=HANG)
    port = urlsplit(script.url).port
    assert port is not None
    policy = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=(port,))
    client = McpClient(McpLimits(max_sessions=4), policy)
    named = [
        msgspec.structs.replace(script.named(), headers={"x-user": str(number)})
        for number in range(4)
    ]
    busy = [asyncio.create_task(client.call(server, "get_weather", {})) for server in named[:3]]
    await asyncio.sleep(0)
    await script.asked("tools/call")

    refused = await client.call(named[3], "get_weather", {})
    listed = await client.list_tools(script.server())

    assert refused.error is not None
    assert refused.error["code"] == 503
    assert listed
    for task in busy:
        task.cancel()
    await asyncio.wait(busy)
    await client.aclose()


async def test_calls_at_one_time_are_limited(upstream: ScriptedUpstream) -> None:
    at_once: list[int] = []
    open_calls: set[Request] = set()

    def reply(request: Request) -> Answer:
        open_calls.add(request)
        waiting = [each for each in open_calls if not each.completed.is_set()]
        at_once.append(len(waiting))
        answer = text("ok")
        assert not isinstance(answer, Answer)
        return answer(request)

    client = McpClient(McpLimits(calls_at_once=3))
    script = Script(upstream, tools_call=reply)

    await asyncio.gather(*(client.call(script.server(), "get_weather", {}) for _ in range(20)))

    assert len(at_once) == 20
    assert max(at_once) <= 3
    await client.aclose()


async def test_list_is_kept_until_its_time(upstream: ScriptedUpstream) -> None:
    clock = Clock()
    client = McpClient(McpLimits(list_ttl_seconds=100), clock=clock)
    script = Script(upstream)
    asked = []

    for clock.now in (0.0, 99.0, 100.0):
        await client.list_tools(script.server())
        asked.append(script.methods.count("tools/list"))

    assert asked == [1, 1, 2]
    await client.aclose()


async def test_list_that_failed_is_not_kept(upstream: ScriptedUpstream, client: McpClient) -> None:
    answers = iter([Answer(500), result({"tools": [TOOL]})])

    def reply(request: Request) -> Answer:
        answer = next(answers)
        return answer if isinstance(answer, Answer) else answer(request)

    script = Script(upstream, tools_list=reply)
    with pytest.raises(ListFailedError):
        await client.list_tools(script.server())

    assert len(await client.list_tools(script.server())) == 1


async def test_list_is_forgotten_when_the_server_says_that_it_changed(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    changed = event({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})

    def reply(request: Request) -> Answer:
        done = {"jsonrpc": "2.0", "id": request.json["id"], "result": {"content": []}}
        return Answer(headers={"content-type": "text/event-stream"}, chunks=[changed, event(done)])

    script = Script(upstream, tools_call=reply)
    await client.list_tools(script.server())
    await client.call(script.server(), "get_weather", {})
    await client.list_tools(script.server())

    assert script.methods.count("tools/list") == 2


async def test_all_pages_are_listed_and_each_name_once(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    def reply(request: Request) -> Answer:
        cursor = int(request.json.get("params", {}).get("cursor", 0))
        more = {"nextCursor": str(cursor + 1)} if cursor < 2 else {}
        tools = [TOOL | {"name": f"tool_{cursor}"}, TOOL]
        answer = result({"tools": tools} | more)
        assert not isinstance(answer, Answer)
        return answer(request)

    script = Script(upstream, tools_list=reply)

    tools = await client.list_tools(script.server())

    assert [tool.name for tool in tools] == ["tool_0", "get_weather", "tool_1", "tool_2"]


async def test_closing_ends_what_is_being_asked(upstream: ScriptedUpstream) -> None:
    client = McpClient()
    script = Script(upstream, tools_call=Answer(chunks=[Hang()]))
    call = asyncio.create_task(client.call(script.server(), "get_weather", {}))
    await script.asked("tools/call")

    await client.aclose()
    failed = await call

    message = "The session was closed."
    assert failed.error == {"type": "mcp_protocol_error", "code": -32000, "message": message}
    assert client.open_sessions == 0


async def test_client_can_be_used_again_after_closing(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream)
    await client.call(script.server(), "get_weather", {})
    await client.aclose()

    assert (await client.call(script.server(), "get_weather", {})).output == "ok"


def test_sessions_of_a_loop_that_is_gone_are_forgotten() -> None:
    """As with Starlette's `TestClient`, which may have a loop for each request."""
    client = McpClient()

    async def use() -> str:
        async with ScriptedUpstream() as upstream, asyncio.timeout(10):
            done = await client.call(Script(upstream).server(), "get_weather", {})
            return done.output

    assert [asyncio.run(use()), asyncio.run(use())] == ["ok", "ok"]


async def test_no_secret_is_logged_or_told(
    upstream: ScriptedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = McpClient()
    session_id = f"{SECRET}-session"
    script = Script(
        upstream,
        initialize=result(INITIALIZED, **{"mcp-session-id": session_id}),
        tools_list=Answer(500),
        tools_call=Answer(headers={"content-type": "application/json"}, chunks=[SECRET.encode()]),
    )
    server = script.server(f"{script.url}?key={SECRET}", authorization=f"Bearer {SECRET}")

    failed = await client.call(server, "get_weather", {"password": SECRET})
    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(server)
    await client.aclose()

    assert SECRET not in caplog.text
    assert SECRET not in repr((failed, caught.value, caught.value.error, server, client))
    assert any(SECRET in request.target for request in upstream.requests)


async def test_other_use_of_the_libraries_is_still_logged(
    upstream: ScriptedUpstream, client: McpClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.call(Script(upstream).server(), "get_weather", {})
    caplog.set_level(logging.INFO)

    logging.getLogger("httpx2").info("of someone else")

    assert "of someone else" in caplog.text


@pytest.mark.parametrize(
    ("transport", "era", "calls"),
    [("http", "2025", 1000), ("http", "2026", 200), ("sse", "2025", 200)],
)
async def test_a_thousand_calls_leave_nothing(transport: Any, era: Any, calls: int) -> None:
    with tool_server_in_thread(transport, era) as tools:
        server = McpServer(label="tools", url=tools.url, is_configured=True)
        before = things()
        async with asyncio.timeout(100):
            await use(server, calls)
            # The server, in its thread, closes its ends of the connections in its own time.
            while things() != before:
                await asyncio.wait({asyncio.create_task(asyncio.to_thread(gc.collect))})


async def use(server: McpServer, calls: int) -> None:
    """Call a server that often, in all ways, with sessions that come and go."""
    client = McpClient(McpLimits(max_sessions=64, idle_seconds=0.01))

    async def call(number: int) -> None:
        mine = msgspec.structs.replace(server, headers={"x-user": str(number % 3)})
        match number % 20:
            case 0:
                waiting = asyncio.create_task(client.call(mine, "wait_for_ever", {}))
                await asyncio.wait({waiting}, timeout=0.01)
                waiting.cancel()
                await asyncio.wait({waiting})
            case 1:
                assert (await client.call(mine, "fail", {"reason": "x"})).error
            case 2:
                await client.list_tools(mine)
            case _:
                done = await client.call(mine, "add", {"a": number, "b": 1})
                assert done.output == str(number + 1), done

    for first in range(0, calls, 20):
        await asyncio.gather(*map(call, range(first, first + 20)))
    await client.aclose()
    assert client.open_sessions == 0


def things() -> dict[str, int]:
    """Count what may be left: tasks, open files and sockets, and sessions."""
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "sockets": sum(map(is_socket, Path("/proc/self/fd").iterdir())),
        "sessions": sum(isinstance(each, Connection) for each in gc.get_objects()),
    }


def is_socket(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except FileNotFoundError:  # that of the listing itself
        return False


async def test_missing_sdk_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "adapter.runners.mcp.transports", None)

    with pytest.raises(ToolError, match=r"pip install 'responses-adapter\[mcp\]'"):
        await McpClient().call(McpServer(label="x", url="http://x", is_configured=True), "a", {})
