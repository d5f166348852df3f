"""A real model in the loop: llama.cpp with the tiny model calls a tool of a real MCP server.

The tool's schema is the one that the model was trained on.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from adapter import ResponsesAPI
from adapter.config import Settings
from tests.asgi.conftest import Stand
from tests.hosted.asking import arguments
from tests.servers.adapter import serving
from tests.servers.mcp_servers import low_level_server

pytestmark = pytest.mark.anyio

GET_WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
async def weather_url() -> AsyncIterator[str]:
    """Serve `get_weather` over streamable HTTP."""
    app = low_level_server(GET_WEATHER, lambda city: f"It is sunny in {city}.")
    async with serving(app) as base:
        yield f"{base}/mcp"


@pytest.fixture
async def client(stand: Stand, llama_url: str) -> AsyncIterator[AsyncOpenAI]:
    app = ResponsesAPI(
        llama_url,
        settings=Settings.load(
            environ={},
            dialect="llama.cpp",
            fetch={
                "allow_http": True,
                "allow_private": True,
                "allowed_ports": list(range(1, 65536)),
            },
        ),
    )
    stand.app = app
    async with AsyncOpenAI(base_url=f"{stand.url}/v1", api_key="none") as client:
        yield client
    await app.aclose()


def _tools(url: str) -> Any:
    return [{"type": "mcp", "server_label": "w", "server_url": url, "require_approval": "never"}]


async def test_the_model_calls_and_answers(client: AsyncOpenAI, weather_url: str) -> None:
    response = await client.responses.create(
        model="tiny",
        input="What is the weather in Paris?",
        tools=_tools(weather_url),
        temperature=0,
        reasoning={"effort": "none"},
    )

    calls = [item for item in response.output if item.type == "mcp_call"]
    assert [(call.name, call.output) for call in calls] == [
        ("get_weather", "It is sunny in Paris.")
    ]
    assert response.output_text == "The weather in Paris is sunny."


async def test_the_model_calls_twice_at_once(client: AsyncOpenAI, weather_url: str) -> None:
    """Streamed, through the SDK's strict accumulator."""
    async with client.responses.stream(
        model="tiny",
        input="What is the weather in Paris and London?",
        tools=_tools(weather_url),
        temperature=0,
    ) as stream:
        response = await stream.get_final_response()

    calls = [item for item in response.output if item.type == "mcp_call"]
    cities = [arguments(call.to_dict())["city"] for call in calls]
    assert cities == ["Paris", "London"]
    assert [call.output for call in calls] == [f"It is sunny in {city}." for city in cities]
    assert response.output_text
