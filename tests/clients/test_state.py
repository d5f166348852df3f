"""SDKs and agent frameworks that leave the conversation to the server."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.clients.conftest import SEALING_KEYS, GetDriver
from tests.clients.test_frameworks import BOTH_WEATHERS, part_of
from tests.clients.upstream.server import StrictUpstream
from tests.servers.adapter import serve

WALNUT = {"text": "It was walnut."}
WITH_TOOLS = {**WALNUT, "value": BOTH_WEATHERS}
CALLS = ["function_call", "function_call_output"]

SCENES: list[tuple[str, str, dict[str, Any]]] = [
    ("openai-node", "chained", {**WALNUT, "value": ["message"]}),
    ("agents-python", "chained", WALNUT),
    ("agents-python", "chained_tools", {"text": BOTH_WEATHERS}),
    ("agents-python", "in_conversation", WITH_TOOLS),
    ("agents-python", "session", WITH_TOOLS),
    ("agents-python", "websocket", {"text": BOTH_WEATHERS}),
    ("agents-js", "chained", WALNUT),
    ("agents-js", "in_conversation", WITH_TOOLS),
    ("agents-js", "session", WITH_TOOLS),
    ("ai-sdk", "chained", WALNUT),
    ("ai-sdk", "stored_conversation", WITH_TOOLS),
    ("langchain", "chained", WALNUT),
    ("langchain", "conversation", WALNUT),
]


@pytest.fixture(scope="module")
def stored_url(strict_server: StrictUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter with a store."""
    settings = Settings(upstream=strict_server.url, sealing_keys=SEALING_KEYS, store="memory:")
    with serve(make_sidecar(settings)) as address:
        yield f"{address}/v1"


@pytest.mark.parametrize(
    ("client", "scene", "expected"), SCENES, ids=[f"{row[0]}-{row[1]}" for row in SCENES]
)
def test_client_leaves_the_conversation_to_the_server(
    client: str,
    scene: str,
    expected: dict[str, Any],
    driver: GetDriver,
    upstream: StrictUpstream,
    stored_url: str,
) -> None:
    result = driver(client).play(scene, stored_url)

    assert part_of(result, expected) == expected
    assert upstream.refusals == []


def test_session_holds_what_was_said_and_done(
    driver: GetDriver, upstream: StrictUpstream, stored_url: str
) -> None:
    kinds = driver("agents-python").play("session", stored_url)["kinds"]

    without_thoughts = [kind for kind in kinds if kind != "reasoning"]
    assert without_thoughts == ["message"] * 3 + CALLS * 2 + ["message"] * 3
