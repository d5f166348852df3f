"""SDKs and agent frameworks, each through its own interface: text, streams, tools, and the rest."""

from typing import Any

import pytest

from tests.clients.conftest import GetDriver
from tests.clients.driver import DRIVERS
from tests.clients.upstream.coding import PATCH_TEXT
from tests.clients.upstream.rules import (
    Rule,
    nine_character_ids,
    no_reasoning,
    no_strict,
    no_system,
    no_user_after_tool,
    plain_parameters,
    reasoning_with_calls,
    roles_alternate,
)
from tests.clients.upstream.scenes import GREETING, PARIS, REFLECTION
from tests.clients.upstream.server import StrictUpstream
from tests.clients.upstream.styles import STYLES

PARIS_WEATHER = "The weather: It is sunny in Paris.."
BOTH_WEATHERS = "The weather: It is sunny in Paris.; It is sunny in London.."

# scene → what comes of it with every client
SCENES: dict[str, dict[str, Any]] = {
    "text": {"text": GREETING},
    "stream": {"text": GREETING},
    "tools": {"text": PARIS_WEATHER},
    "parallel_tools": {"text": BOTH_WEATHERS},
    "tools_in_steps": {"text": BOTH_WEATHERS},
    "stream_tools": {"text": BOTH_WEATHERS},
    "structured": {"value": PARIS},
    "image": {"text": "Pictures: data:image/png."},
    "conversation": {"text": "It was walnut."},
}


def both(text: str) -> dict[str, str]:
    """Return what comes of asking for a whole answer, and for a stream."""
    return {"text": text, "streamed": text}


UPDATE = ["update_file", "a.txt", "@@\n-a\n+b\n"]

# What only some of them have.
OWN_SCENES: list[tuple[str, str, dict[str, Any]]] = [
    ("openai-node", "stream_helper", {"text": GREETING, "thoughts": True}),
    ("openai-node", "custom_tool", {"text": PATCH_TEXT, "same": True}),
    (
        "openai-node",
        "refused",
        {"status": 400, "param": "input[0].type", "kind": "BadRequestError"},
    ),
    ("agents-python", "handoff", {"text": "The weather desk is here."}),
    ("agents-python", "shell", {"text": "It printed: one\ntwo\n"}),
    ("agents-python", "apply_patch", {"text": "Edited: update_file a.txt", "value": [UPDATE]}),
    ("agents-python", "custom_tool", {"text": "Patched: applied", "value": [PATCH_TEXT]}),
    ("agents-python", "local_shell", {"text": "It printed: one\n"}),
    ("agents-python", "computer", {"text": "Pictures: 1.", "value": [[3, 4, "left"]]}),
    ("agents-python", "namespace", {"text": PARIS_WEATHER}),
    ("agents-python", "forced_tool", {"text": PARIS_WEATHER}),
    ("agents-python", "hosted_tools", {"text": PARIS_WEATHER}),
    ("agents-python", "websocket", {"text": BOTH_WEATHERS}),
    ("agents-js", "handoff", {"text": "The weather desk is here."}),
    ("agents-js", "shell", {"text": "It printed: one\n\ntwo\n"}),
    ("agents-js", "apply_patch", {"text": "Edited: update_file a.txt", "value": [UPDATE]}),
    ("agents-js", "computer", {"text": "Pictures: 1.", "value": [[3, 4, "left"]]}),
    ("agents-js", "forced_tool", {"text": PARIS_WEATHER}),
    ("agents-js", "hosted_tools", {"text": PARIS_WEATHER}),
    ("agents-js", "websocket", {"text": BOTH_WEATHERS}),
    ("ai-sdk", "forced_tool", {"value": [{"city": "Paris"}]}),
    ("ai-sdk", "picture_of_tool", {"text": "Pictures: 1."}),
    ("ai-sdk", "hosted_tools", both(PARIS_WEATHER)),
    ("ai-sdk", "custom_tool", both("Patched: applied 7 lines")),
    ("ai-sdk", "local_shell", both("It printed: echo one")),
    ("ai-sdk", "shell", both("It printed: echo one\necho two")),
    ("ai-sdk", "apply_patch", both("Edited: update_file a.txt")),
    ("ai-sdk", "sealed_conversation", {"text": "It was walnut."}),
    ("ai-sdk-open-responses", "picture_of_tool", {"text": "Pictures: 1."}),
    ("ai-sdk", "reasoning", {"text": REFLECTION}),
    ("ai-sdk-open-responses", "reasoning", {"text": REFLECTION}),
    ("langchain", "structured_by_call", {"value": PARIS}),
    ("langchain", "custom_tool", {"text": "Patched: applied 6 lines"}),
    ("langchain", "forced_tool", {"value": [{"city": "Paris"}]}),
    ("langchain", "hosted_tools", {"value": [{"city": "Paris"}]}),
    ("pydantic-ai", "structured_by_call", {"value": PARIS}),
    ("pydantic-ai", "picture_of_tool", {"text": "Pictures: 1."}),
]
RULES: list[Rule] = [
    roles_alternate,
    no_user_after_tool,
    no_system,
    no_reasoning,
    reasoning_with_calls,
    nine_character_ids,
    no_strict,
    plain_parameters,
]


def part_of(result: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return what a result says of what is expected."""
    return {name: result.get(name) for name in expected}


@pytest.mark.parametrize("client", DRIVERS)
@pytest.mark.parametrize("scene", SCENES)
def test_client_gets_what_it_asks_for(
    client: str, scene: str, driver: GetDriver, upstream: StrictUpstream, url: str
) -> None:
    result = driver(client).play(scene, url)

    assert part_of(result, SCENES[scene]) == SCENES[scene]
    assert upstream.refusals == []


@pytest.mark.parametrize(
    ("client", "scene", "expected"), OWN_SCENES, ids=[f"{row[0]}-{row[1]}" for row in OWN_SCENES]
)
def test_client_gets_what_only_it_asks_for(
    client: str,
    scene: str,
    expected: dict[str, Any],
    driver: GetDriver,
    upstream: StrictUpstream,
    url: str,
) -> None:
    result = driver(client).play(scene, url)

    assert part_of(result, expected) == expected
    assert upstream.refusals == []


@pytest.mark.parametrize("client", DRIVERS)
def test_streamed_text_comes_in_pieces(
    client: str, driver: GetDriver, upstream: StrictUpstream, url: str
) -> None:
    assert driver(client).play("stream", url)["pieces"] > 1


@pytest.mark.parametrize("client", ["ai-sdk", "ai-sdk-open-responses", "langchain", "openai-node"])
def test_client_is_told_what_it_cost(
    client: str, driver: GetDriver, upstream: StrictUpstream, url: str
) -> None:
    assert driver(client).play("text", url)["tokens"] == 15


@pytest.mark.parametrize("client", DRIVERS)
@pytest.mark.parametrize("style", STYLES)
def test_client_does_not_notice_how_the_upstream_streams(
    client: str, style: str, driver: GetDriver, upstream: StrictUpstream, url: str
) -> None:
    upstream.style = STYLES[style]
    # The legacy field holds one call at a time.
    scenes = ["tools_in_steps"] if style == "legacy_call" else ["stream_tools", "tools_in_steps"]
    said = {scene: driver(client).play(scene, url)["text"] for scene in scenes}

    assert said == dict.fromkeys(scenes, BOTH_WEATHERS)
    assert upstream.refusals == []


@pytest.mark.parametrize("client", DRIVERS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_client_does_not_notice_what_the_upstream_refuses(
    client: str, rule: Rule, driver: GetDriver, upstream: StrictUpstream, new_url: str
) -> None:
    upstream.rules = (rule,)
    results = {
        scene: driver(client).play(scene, new_url)
        for scene in ("parallel_tools", "conversation", "image")
    }

    assert {scene: result["text"] for scene, result in results.items()} == {
        scene: SCENES[scene]["text"] for scene in results
    }


@pytest.mark.parametrize("client", DRIVERS)
def test_client_talks_to_the_toy_model(client: str, driver: GetDriver, toy_url: str) -> None:
    said = {scene: driver(client).play(scene, toy_url)["text"] for scene in ("text", "stream")}
    tools = driver(client).play("stream_tools", toy_url)["text"]

    assert said == dict.fromkeys(said, "I am a tiny test model.")
    assert tools == "The weather in Paris is sunny. The weather in London is sunny."
