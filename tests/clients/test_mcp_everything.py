"""`McpClient` with the protocol's own test server, which is made with the TypeScript SDK."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from adapter.runners.base import McpServer
from adapter.runners.mcp.runner import McpClient
from adapter.types.parts import InputImage
from tests.clients.everything import everything
from tests.clients.install import Clients

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=["stdio", "streamableHttp", "sse"])
def server(request: pytest.FixtureRequest, clients: Clients) -> Iterator[McpServer]:
    with everything(request.param, clients) as server:
        yield server


@pytest.fixture
async def client(server: McpServer) -> AsyncIterator[McpClient]:
    async with asyncio.timeout(30):
        client = McpClient()
        yield client
        await client.aclose()
    assert client.open_sessions == 0


async def test_tools_are_listed_but_for_those_that_ask_the_client(
    client: McpClient, server: McpServer
) -> None:
    tools = {tool.name: tool for tool in await client.list_tools(server)}

    assert {"echo", "get-sum", "get-tiny-image", "get-structured-content"} <= tools.keys()
    assert not {"trigger-sampling-request", "trigger-elicitation-request"} & tools.keys()
    assert tools["get-sum"].annotations is not None
    assert tools["get-sum"].annotations["readOnlyHint"] is True
    assert set(tools["get-sum"].input_schema["properties"]) == {"a", "b"}


async def test_tools_are_called_at_one_time(client: McpClient, server: McpServer) -> None:
    calls = [client.call(server, "get-sum", {"a": n, "b": 1}) for n in range(20)]

    results = await asyncio.gather(*calls)

    assert [result.output for result in results] == [
        f"The sum of {n} and 1 is {n + 1}." for n in range(20)
    ]


async def test_image_is_content(client: McpClient, server: McpServer) -> None:
    result = await client.call(server, "get-tiny-image", {})

    (image,) = [part for part in result.content if isinstance(part, InputImage)]
    assert isinstance(image.image_url, str)
    assert image.image_url.startswith("data:image/png;base64,")
    assert "[image]" in result.output


async def test_resources_are_text(client: McpClient, server: McpServer) -> None:
    links = await client.call(server, "get-resource-links", {"count": 2})
    text = await client.call(
        server, "get-resource-reference", {"resourceType": "Text", "resourceId": 1}
    )
    blob = await client.call(
        server, "get-resource-reference", {"resourceType": "Blob", "resourceId": 2}
    )

    assert links.output.count("](demo://resource/dynamic/") == 2
    assert "This is a plaintext resource" in text.output
    assert "bytes]" in blob.output


async def test_structured_content_is_kept(client: McpClient, server: McpServer) -> None:
    result = await client.call(server, "get-structured-content", {"location": "Chicago"})

    assert result.structured == json.loads(result.output)
    assert result.structured["temperature"] == 36


async def test_wrong_arguments_are_an_error(client: McpClient, server: McpServer) -> None:
    result = await client.call(server, "get-sum", {"a": "one"})

    assert result.error is not None
    assert result.error["type"] in {"mcp_tool_execution_error", "mcp_protocol_error"}


async def test_unknown_tool_is_an_error(client: McpClient, server: McpServer) -> None:
    result = await client.call(server, "no-such-tool", {})

    assert result.error is not None
    assert "no-such-tool" in result.output


async def test_progress_is_told(client: McpClient, server: McpServer) -> None:
    told: list[tuple[float, float | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))

    arguments = {"duration": 0.05, "steps": 2}
    result = await client.call(server, "trigger-long-running-operation", arguments, on_progress)

    assert result.error is None
    assert told == [(1.0, 2.0), (2.0, 2.0)]


async def test_call_is_cancelled(client: McpClient, server: McpServer) -> None:
    arguments = {"duration": 60, "steps": 1}
    call = asyncio.create_task(client.call(server, "trigger-long-running-operation", arguments))
    await client.call(server, "echo", {"message": "behind it"})

    call.cancel()
    await asyncio.wait({call})

    assert (await client.call(server, "echo", {"message": "after it"})).output == "Echo: after it"
