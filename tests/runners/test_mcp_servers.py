"""`McpClient` with the official SDK's servers, over every transport and in both of its eras."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapter.runners.base import ListFailedError, McpServer
from adapter.runners.mcp.runner import McpClient, McpLimits
from adapter.types.hosted import ToolResult
from adapter.types.parts import AudioData, InputAudio, InputImage, InputText
from tests.runners.scripts import ended
from tests.servers.mcp_servers import PNG, WAV, Era, ToolServer, Transport, to_base64, tool_server

pytestmark = pytest.mark.anyio

STDIO = str(Path(__file__).parent / "stdio_server.py")


def named(server: ToolServer, **headers: str) -> McpServer:
    return McpServer(label="tools", url=server.url, headers=headers, is_configured=True)


@pytest.fixture
async def client() -> AsyncIterator[McpClient]:
    async with asyncio.timeout(20):
        client = McpClient()
        yield client
        await client.aclose()
    assert client.open_sessions == 0


@pytest.fixture(params=["2026", "2025", "2025-json", "2025-stateless", "sse"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ToolServer]:
    era, _, way = request.param.partition("-")
    options: dict[str, Any] = {}
    if way:
        options = {"json": {"json_response": True}, "stateless": {"stateless_http": True}}[way]
    transport = "sse" if era == "sse" else "http"
    async with tool_server(transport, "2025" if era == "sse" else era, **options) as server:
        yield server


async def test_tools_are_listed(server: ToolServer, client: McpClient) -> None:
    tools = {tool.name: tool for tool in await client.list_tools(named(server))}

    weather = tools["get_weather"]
    assert weather.description == "Get the current weather in a city."
    assert weather.input_schema["required"] == ["city"]
    assert weather.annotations == {"readOnlyHint": True}
    assert tools["add"].annotations is None


async def test_tool_is_called(server: ToolServer, client: McpClient) -> None:
    result = await client.call(named(server), "get_weather", {"city": "Rome"})

    assert result == ToolResult(
        "It is sunny in Rome.", structured={"result": "It is sunny in Rome."}
    )
    assert server.calls == [("get_weather", {"city": "Rome"})]


async def test_calls_at_one_time_have_their_own_results(
    server: ToolServer, client: McpClient
) -> None:
    calls = [client.call(named(server), "add", {"a": n, "b": n}) for n in range(40)]

    results = await asyncio.gather(*calls)

    assert [result.output for result in results] == [str(2 * n) for n in range(40)]
    assert client.open_sessions == 1


async def test_cancelled_call_returns_at_once_and_is_cancelled_at_the_server(
    server: ToolServer, client: McpClient
) -> None:
    call = asyncio.create_task(client.call(named(server), "wait_for_ever", {}))
    await server.waiting.wait()

    call.cancel()
    await asyncio.wait({call})

    assert call.cancelled()
    await server.cancelled.wait()


async def test_call_over_its_time_limit_is_an_error_and_cancelled_at_the_server(
    server: ToolServer,
) -> None:
    client = McpClient(McpLimits(call_seconds=0.5))

    result = await client.call(named(server), "wait_for_ever", {})

    message = "The MCP server did not answer within 0.5 s."
    assert result.error == {"type": "mcp_protocol_error", "code": -32001, "message": message}
    await client.aclose()
    await server.cancelled.wait()


async def test_call_goes_on_after_another_was_given_up(
    server: ToolServer, client: McpClient
) -> None:
    call = asyncio.create_task(client.call(named(server), "wait_for_ever", {}))
    await server.waiting.wait()
    call.cancel()

    result = await client.call(named(server), "add", {"a": 1, "b": 1})

    assert result.output == "2"


async def test_failure_of_a_tool_is_an_execution_error(
    server: ToolServer, client: McpClient
) -> None:
    result = await client.call(named(server), "fail", {"reason": "no luck"})

    assert result.error is not None
    assert result.error["type"] == "mcp_tool_execution_error"
    assert result.error["content"] == [{"type": "text", "text": result.output}]
    assert "no luck" in result.output


@pytest.mark.parametrize(
    ("transport", "era"), [("http", "2026"), ("http", "2025"), ("sse", "2025")]
)
async def test_progress_is_told(transport: Transport, era: Era) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with tool_server(transport, era) as server:
        client = McpClient()
        result = await client.call(named(server), "count", {"steps": 2}, on_progress)
        await client.aclose()

    assert result.output == "counted to 2"
    assert told == [(1.0, 2.0, "step 1"), (2.0, 2.0, "step 2")]


async def test_question_of_the_server_is_declined(server: ToolServer, client: McpClient) -> None:
    result = await client.call(named(server), "ask_name", {})

    assert result.error is not None


async def test_headers_are_sent_with_every_request(server: ToolServer, client: McpClient) -> None:
    await client.call(named(server, Authorization="Bearer t", Host="evil.example"), "draw", {})

    assert {headers.get("authorization") for _, _, headers in server.requests} == {"Bearer t"}
    assert not any("evil" in headers["host"] for _, _, headers in server.requests)


@pytest.mark.parametrize("lists", [True, False])
async def test_argument_that_a_tool_wants_in_a_header_is_there(lists: bool) -> None:
    """MCP 2026-07-28: the server refuses the call otherwise."""
    async with tool_server() as server:
        client = McpClient()
        if lists:
            await client.list_tools(named(server))

        calls = [client.call(named(server), "route", {"region": "eu"}) for _ in range(3)]
        results = await asyncio.gather(*calls)
        await client.aclose()

    headers = [headers for _, _, headers in server.requests]
    assert [result.output for result in results] == ["eu"] * 3
    assert [each.get("mcp-param-region") for each in headers].count("eu") == 3
    assert [each.get("mcp-method") for each in headers].count("tools/list") == 1


async def test_tool_that_is_known_to_want_no_header_is_called_at_once() -> None:
    async with tool_server() as server:
        client = McpClient(McpLimits(idle_seconds=0.0))
        await client.list_tools(named(server))
        await ended(client)
        await client.call(named(server), "add", {"a": 1, "b": 1})
        await client.aclose()

    methods = [headers.get("mcp-method") for _, _, headers in server.requests]
    assert methods.count("server/discover") == 2
    assert methods.count("tools/list") == 1


async def test_images_are_content_for_the_model(server: ToolServer, client: McpClient) -> None:
    result = await client.call(named(server), "draw", {})

    image = InputImage(f"data:image/png;base64,{to_base64(PNG)}")
    assert result == ToolResult("A dot:\n[image]", (InputText("A dot:"), image))


async def test_every_other_kind_of_content_is_kept(server: ToolServer, client: McpClient) -> None:
    heard = await client.call(named(server), "sing", {})
    read = await client.call(named(server), "read_files", {})
    measured = await client.call(named(server), "measure", {})

    assert heard == ToolResult("[audio]", (InputAudio(AudioData(to_base64(WAV), "wav")),))
    assert read.output.split("\n") == [
        "one",
        "[image]",
        "[file:///a.zip application/octet-stream, 4 bytes]",
        "[b](https://example.com/b): another",
    ]
    assert len(read.content) == 4
    assert measured == ToolResult(
        json.dumps({"width": 3}, separators=(",", ":")), structured={"width": 3}
    )


async def test_result_over_the_limit_is_an_error(server: ToolServer) -> None:
    client = McpClient(McpLimits(max_output_bytes=1000))

    result = await client.call(named(server), "say_much", {"count": 1000})

    message = "The MCP server sent more than 1000 bytes."
    assert result.error == {"type": "mcp_protocol_error", "code": -32603, "message": message}
    await client.aclose()


async def test_answer_of_five_megabytes_is_refused_on_the_way(
    server: ToolServer, client: McpClient
) -> None:
    result = await client.call(named(server), "say_much", {"count": 5_000_000})

    assert result.error is not None
    assert result.error["message"].startswith("The MCP server sent more than ")


@pytest.fixture
def program() -> McpServer:
    return McpServer(label="tools", command=(sys.executable, STDIO), is_configured=True)


async def test_program_is_started_called_and_stopped(client: McpClient, program: McpServer) -> None:
    tools = await client.list_tools(program)
    result = await client.call(program, "get_pid", {})
    await client.aclose()

    assert "get_pid" in {tool.name for tool in tools}
    with pytest.raises(ProcessLookupError):
        os.kill(int(result.output), 0)


async def test_program_that_dies_in_a_call_is_an_error_and_started_anew(
    client: McpClient, program: McpServer
) -> None:
    died = await client.call(program, "die", {})
    alive = await client.call(program, "get_pid", {})

    message = "The MCP server broke off the connection."
    assert died.error == {"type": "mcp_protocol_error", "code": -32000, "message": message}
    assert alive.error is None


async def test_program_that_cannot_be_started_is_an_error(client: McpClient) -> None:
    missing = McpServer(label="tools", command=("/no/such/program",), is_configured=True)

    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(missing)

    assert caught.value.error["type"] == "http_error"


async def test_program_gets_its_environment_and_not_ours(
    client: McpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_SECRET", "ours")
    server = McpServer(
        label="tools",
        command=(sys.executable, STDIO),
        env={"MINE": "given"},
        is_configured=True,
    )

    result = await client.call(server, "get_environment", {})

    assert "given" in result.output
    assert "ADAPTER_SECRET" not in result.output
