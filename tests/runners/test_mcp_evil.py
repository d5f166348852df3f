"""Servers that lie, hang, break off and go on for ever: an error each time, and nothing left."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from adapter.runners.base import ListFailedError
from adapter.runners.mcp.runner import McpClient, McpLimits
from tests.runners.scripts import (
    HANG,
    INITIALIZED,
    TOOL,
    Reply,
    Script,
    error,
    event,
    events,
    result,
    text,
)
from tests.servers.answers import Answer, Eof, Hang, Reset, json_answer, raw
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream
from tests.servers.signals import Signal

pytestmark = pytest.mark.anyio

LIMITS = McpLimits(list_seconds=3.0, call_seconds=0.3, max_tools=3, max_output_bytes=1000)
QUICK = -32001
JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}


@pytest.fixture
async def client() -> AsyncIterator[McpClient]:
    before = asyncio.all_tasks()
    client = McpClient(LIMITS)
    yield client
    await client.aclose()
    assert client.open_sessions == 0
    left = {task for task in asyncio.all_tasks() - before if "adapter" in repr(task)}
    assert not left


def played(reply: Reply, request: Request) -> Answer:
    return reply if isinstance(reply, Answer) else reply(request)


def pages() -> Reply:
    number = count()
    return lambda request: result({"tools": [], "nextCursor": f"{next(number)}"})(request)


def many(names: int) -> Reply:
    return result({"tools": [TOOL | {"name": f"tool_{n}"} for n in range(names)]})


LISTS = [
    pytest.param(pages(), -32603, "lists more than 64 pages of tools", id="pages_for_ever"),
    pytest.param(
        result({"tools": [], "nextCursor": "same"}),
        -32603,
        "sent a list of tools that does not follow the protocol",
        id="pages_in_a_circle",
    ),
    pytest.param(many(4), -32603, "lists more than 3 tools", id="too_many_tools"),
    pytest.param(
        result({"tools": "none"}), -32603, "does not follow the protocol", id="wrong_type"
    ),
    pytest.param(
        result({"tools": [{"name": "x"}]}), -32603, "does not follow the protocol", id="no_schema"
    ),
    pytest.param(
        result({"tools": [TOOL | {"description": "x" * 3_000_000}]}),
        -32603,
        "sent more than 2097152 bytes",
        id="too_large",
    ),
    pytest.param(error(-32000, "Go away"), -32000, "Go away", id="error"),
    pytest.param(error(-32602, "Bad cursor", 400), -32602, "Bad cursor", id="error_with_status"),
    pytest.param(Answer(500), 500, "HTTP status 500 (Internal Server Error)", id="status_500"),
    pytest.param(
        error(-32000, "secret", 503), 503, "HTTP status 503 (Service Unavailable)", id="status_503"
    ),
    pytest.param(
        Answer(307, {"location": "http://127.0.0.1:1/"}), 307, "not followed", id="redirect"
    ),
]


@pytest.mark.parametrize(("reply", "code", "message"), LISTS)
async def test_list_of_an_evil_server_is_an_error(
    reply: Reply, code: int, message: str, upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream, tools_list=reply)

    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(script.server())

    assert caught.value.error["code"] == code
    assert message in caught.value.error["message"]
    assert caught.value.message.startswith(
        "Error retrieving tool list from MCP server: 'scripted'. "
    )


def wrong_id(request: Request) -> Answer:
    return json_answer(200, {"jsonrpc": "2.0", "id": 99, "result": {"content": []}})


CALLS = [
    pytest.param(HANG, QUICK, "did not answer within 0.3 s", id="hangs_before_its_answer"),
    pytest.param(
        Answer(headers=JSON, chunks=[b"{", Hang()]), QUICK, "did not answer", id="hangs_in_json"
    ),
    pytest.param(
        Answer(headers=STREAM, chunks=[b": hello\n\n", Hang()]),
        QUICK,
        "did not answer",
        id="hangs_in_a_stream",
    ),
    pytest.param(wrong_id, QUICK, "did not answer", id="wrong_id"),
    pytest.param(raw(b"HTTP/1.1 200 OK\r\n\r\n"), -32600, "content type", id="no_content_type"),
    pytest.param(raw(b"hello"), 424, "could not be reached", id="garbage"),
    pytest.param(Answer(before=[Reset()]), 424, "could not be reached", id="reset"),
    pytest.param(
        Answer(headers=JSON, chunks=[b'{"jsonrpc"', Eof()]), -32000, "broke off", id="cut"
    ),
    pytest.param(Answer(headers=JSON, chunks=[b"hello"]), -32603, "does not follow", id="no_json"),
    pytest.param(
        Answer(headers=STREAM, chunks=[event("hello")]),
        -32603,
        "does not follow",
        id="no_json_in_a_stream",
    ),
    pytest.param(
        Answer(headers=STREAM, chunks=[b": hello\n\n"]),
        -32000,
        "broke off",
        id="stream_without_an_answer",
    ),
    pytest.param(
        Answer(headers=JSON | {"content-encoding": "gzip"}, chunks=[b"\x1f\x8b"]),
        -32603,
        "compressed",
        id="compressed",
    ),
    pytest.param(text("x" * 1001), -32603, "sent more than 1000 bytes", id="too_large"),
    pytest.param(
        text("x" * 5_000_000), -32603, "sent more than 2097152 bytes", id="five_megabytes"
    ),
    pytest.param(
        events(lambda request: {"jsonrpc": "2.0", "id": 1, "result": "x" * 5_000_000}),
        -32603,
        "sent more than 2097152 bytes",
        id="five_megabytes_in_an_event",
    ),
    pytest.param(result({}), -32603, "does not follow the protocol", id="no_content"),
    pytest.param(result([]), -32603, "does not follow", id="result_is_a_list"),
    pytest.param(
        result({"content": [{"type": "hologram"}]}), -32603, "does not follow", id="unknown_content"
    ),
    pytest.param(
        result({"content": [{"type": "text", "text": 5}]}), -32603, "does not", id="wrong_type"
    ),
    pytest.param(
        Answer(
            headers=JSON,
            chunks=[
                b'{"jsonrpc":"2.0","id":3,"result":{"content":[{"type":"text","text":"\\ud800"}]}}'
            ],
        ),
        -32603,
        "does not follow the protocol",
        id="lone_surrogate",
    ),
    pytest.param(
        Answer(
            headers=JSON,
            chunks=[
                b'{"jsonrpc":"2.0","id":3,"result":{"content":[],"structuredContent":{"a":'
                + b"[" * 5000
                + b"]" * 5000
                + b"}}}"
            ],
        ),
        -32603,
        "does not follow the protocol",
        id="too_deep",
    ),
    pytest.param(error(-32602, "No such tool"), -32602, "No such tool", id="error"),
    pytest.param(Answer(401), 401, "HTTP status 401 (Unauthorized)", id="status_401"),
    pytest.param(Answer(799), 799, "HTTP status 799.", id="status_799"),
    pytest.param(Answer(202, framing="length"), -32600, "202", id="status_202"),
]


@pytest.mark.parametrize(("reply", "code", "message"), CALLS)
async def test_call_of_an_evil_server_is_an_error(
    reply: Reply, code: int, message: str, upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream, tools_call=reply)

    failed = await client.call(script.server(), "get_weather", {})

    assert failed.error is not None
    assert failed.error["code"] == code
    assert message in failed.error["message"]
    assert failed.output == failed.error["message"]


@pytest.mark.parametrize("stage", ["server_discover", "initialize", "tools_list"])
async def test_server_that_hangs_before_it_lists_is_an_error(
    stage: str, upstream: ScriptedUpstream
) -> None:
    script = Script(upstream, **{stage: HANG})
    client = McpClient(McpLimits(list_seconds=0.2))

    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(script.server())

    assert caught.value.error == {
        "type": "mcp_protocol_error",
        "code": QUICK,
        "message": "The MCP server did not answer within 0.2 s.",
    }
    await client.aclose()
    assert client.open_sessions == 0


async def give_up(client: McpClient, script: Script) -> None:
    """Make a call, and cancel it once the server has it."""
    call = asyncio.create_task(client.call(script.server(), "get_weather", {}))
    await script.asked("tools/call")
    call.cancel()
    await asyncio.wait({call})


async def test_server_that_hangs_at_a_cancellation_is_left(upstream: ScriptedUpstream) -> None:
    client = McpClient()
    script = Script(upstream, tools_call=HANG, notifications_cancelled=HANG, DELETE=HANG)

    await give_up(client, script)
    async with asyncio.timeout(10):
        await client.aclose()

    assert "notifications/cancelled" in script.methods
    assert client.open_sessions == 0


async def test_server_is_told_of_a_call_that_is_given_up(upstream: ScriptedUpstream) -> None:
    client = McpClient()
    script = Script(upstream, tools_call=HANG)

    await give_up(client, script)
    await client.aclose()

    (call,) = script.bodies("tools/call")
    (cancelled,) = script.bodies("notifications/cancelled")
    assert cancelled["params"]["requestId"] == call["id"]


@pytest.mark.parametrize("value", ["\ud800", object()], ids=["surrogate", "object"])
async def test_arguments_that_are_no_json_are_an_error_of_one_call(
    value: object, upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream)

    failed = await client.call(script.server(), "get_weather", {"a": value})

    assert failed.error is not None
    assert failed.error["message"] == "The arguments cannot be sent as JSON."
    assert script.methods == []


async def test_login_that_is_wanted_is_asked_for_once(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(upstream, server_discover=Answer(401))

    failed = await client.call(script.server(), "get_weather", {})

    assert failed.error == {
        "type": "http_error",
        "code": 401,
        "message": "The MCP server answered with HTTP status 401 (Unauthorized).",
    }
    assert script.methods == ["server/discover"]


async def test_session_that_the_server_forgot_is_opened_anew(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    """MCP 2025-11-25, "Session management": on a 404, the client must start a new session."""
    answers = iter([text("one"), Answer(404), text("two")])
    script = Script(
        upstream,
        initialize=result(INITIALIZED, **{"mcp-session-id": "s"}),
        tools_call=lambda request: played(next(answers), request),
    )

    one = await client.call(script.server(), "get_weather", {})
    two = await client.call(script.server(), "get_weather", {})

    assert (one.output, two.output) == ("one", "two")
    assert script.methods.count("initialize") == 2


async def test_session_that_is_forgotten_at_once_is_an_error(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    script = Script(
        upstream,
        initialize=result(INITIALIZED, **{"mcp-session-id": "s"}),
        tools_call=Answer(404),
    )

    failed = await client.call(script.server(), "get_weather", {})

    assert failed.error is not None
    assert failed.error["code"] == 404
    assert script.methods.count("tools/call") == 1


async def test_one_failed_connection_leaves_the_other_calls_alone(
    upstream: ScriptedUpstream,
) -> None:
    client = McpClient()

    def reply(request: Request) -> Answer:
        if request.json["params"]["name"] == "fail":
            return Answer(before=[Reset()])
        return played(text("well"), request)

    script = Script(upstream, tools_call=reply)
    calls = [client.call(script.server(), name, {}) for name in ["fail", "well", "fail", "well"]]

    results = await asyncio.gather(*calls)

    assert [each.error is None for each in results] == [False, True, False, True]
    await client.aclose()


async def test_requests_of_the_server_are_declined(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    asked = [("sampling/createMessage", {"messages": [], "maxTokens": 1}), ("roots/list", {})]
    messages = [
        event({"jsonrpc": "2.0", "id": method, "method": method, "params": params})
        for method, params in asked
    ]
    answered = [Signal(), Signal()]
    waiting = iter(answered)

    def declined(request: Request) -> Answer:
        next(waiting).set()
        return Answer(202, framing="length")

    def done(request: Request) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": request.json["id"], "result": {"content": []}}

    script = Script(upstream, tools_call=events(*messages, done), answer=declined)

    result = await client.call(script.server(), "get_weather", {})
    for signal in answered:
        await signal.wait()

    answers = {body["id"]: body["error"]["message"] for body in script.bodies("answer")}
    assert result.error is None
    assert answers == {
        "sampling/createMessage": "Sampling not supported",
        "roots/list": "List roots not supported",
    }


MODERN = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "private",
}


async def test_tool_that_wants_input_is_an_error(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    """MCP 2026-07-28, "Multi round-trip requests"."""
    wants = {"method": "roots/list", "params": {}}
    script = Script(
        upstream,
        server_discover=result(MODERN),
        tools_list=Answer(500),
        tools_call=result({"resultType": "input_required", "inputRequests": {"a": wants}}),
    )

    failed = await client.call(script.server(), "get_weather", {})

    assert failed.output == "The tool asks for input, which nobody is there to give."


async def test_modern_server_is_told_of_a_call_that_is_given_up_by_its_end(
    upstream: ScriptedUpstream,
) -> None:
    """MCP 2026-07-28: over HTTP, to close the stream of a request is to cancel it."""
    client = McpClient()
    script = Script(upstream, server_discover=result(MODERN), tools_call=HANG)

    await give_up(client, script)
    await (await script.asked("tools/call")).disconnected.wait()
    await client.aclose()

    assert "notifications/cancelled" not in script.methods


async def test_pages_that_are_large_together_are_an_error(
    upstream: ScriptedUpstream, client: McpClient
) -> None:
    number = count()
    script = Script(
        upstream,
        tools_list=lambda request: played(
            result(
                {
                    "tools": [TOOL | {"description": "x" * 1_500_000}],
                    "nextCursor": str(next(number)),
                }
            ),
            request,
        ),
    )

    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(script.server())

    assert caught.value.error["message"] == "The MCP server sent more than 2097152 bytes."
