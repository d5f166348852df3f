"""SDKs and agent frameworks whose MCP tools are called by the adapter, with approvals and without."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from adapter.runners.mcp.settings import McpServerSettings
from tests.clients.conftest import SEALING_KEYS, GetDriver
from tests.clients.drivers.prompts import tell_weather
from tests.clients.test_frameworks import BOTH_WEATHERS, part_of
from tests.clients.upstream.server import StrictUpstream
from tests.servers.adapter import serve
from tests.servers.mcp_servers import low_level_server

GET_WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
BOTH = {"text": BOTH_WEATHERS}
ONE = {"text": f"The weather: {tell_weather('Paris')}."}
CALLS = ["mcp_list_tools", "mcp_call", "mcp_call", "message"]

SCENES: list[tuple[str, str, dict[str, Any]]] = [
    ("openai-node", "mcp", {**BOTH, "kinds": CALLS}),
    ("openai-node", "mcp_approved", ONE),
    ("agents-python", "mcp", BOTH),
    ("agents-python", "mcp_stream", BOTH),
    ("agents-python", "mcp_approved", ONE),
    ("agents-python", "mcp_interrupted", {**BOTH, "value": 2}),
    ("agents-js", "mcp", BOTH),
    ("agents-js", "mcp_stream", BOTH),
    ("agents-js", "mcp_approved", ONE),
    ("ai-sdk", "mcp", {**BOTH, "streamed": BOTH_WEATHERS}),
]


@pytest.fixture(scope="module")
def hosting_url(strict_server: StrictUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter whose settings know an MCP server."""
    with serve(low_level_server(GET_WEATHER, tell_weather)) as tools:
        settings = Settings(
            upstream=strict_server.url,
            sealing_keys=SEALING_KEYS,
            mcp={"weather": McpServerSettings(url=f"{tools}/mcp")},
        )
        with serve(make_sidecar(settings)) as address:
            yield f"{address}/v1"


@pytest.mark.parametrize(
    ("client", "scene", "expected"), SCENES, ids=[f"{row[0]}-{row[1]}" for row in SCENES]
)
def test_client_has_its_mcp_tools_called(
    client: str,
    scene: str,
    expected: dict[str, Any],
    driver: GetDriver,
    upstream: StrictUpstream,
    hosting_url: str,
) -> None:
    result = driver(client).play(scene, hosting_url)

    assert part_of(result, expected) == expected
    assert upstream.refusals == []


@pytest.mark.parametrize("client", ["agents-python", "agents-js"])
def test_what_the_user_refuses_is_not_called(
    client: str, driver: GetDriver, upstream: StrictUpstream, hosting_url: str
) -> None:
    result = driver(client).play("mcp_refused", hosting_url)

    assert "not approved" in result["text"]
