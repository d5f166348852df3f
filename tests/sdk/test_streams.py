"""Streams: legal on the wire, typed for the SDK, and the same in the end as without streaming."""

import json
from typing import Any

import httpx2
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from adapter.asgi.app import ResponsesAPI
from adapter.stream import grammar
from tests.sdk.drivers import LIMIT_SECONDS, Sdk
from tests.sdk.scenes import SCENES, Scene, Script, Upstream, ask, outline
from tests.servers.adapter import serve
from tests.servers.answers import Pause, chunk, stream_answer, text_answer

scenes = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
sdk_event: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def read_raw(url: str, request: dict[str, Any]) -> list[tuple[str, str]]:
    """Return name and data of every event on the wire, read without the SDK."""
    answer = httpx2.post(f"{url}/responses", json=request | {"stream": True}, timeout=LIMIT_SECONDS)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = answer.content.decode().removesuffix("\n\n").split("\n\n")
    return [_read_block(block) for block in blocks]


def _read_block(block: str) -> tuple[str, str]:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return fields.get("event", ""), fields["data"]


@scenes
def test_events_on_the_wire_obey_the_rule_book(upstream: Upstream, scene: Scene) -> None:
    upstream.will_say(scene.answer)

    *blocks, end = read_raw(upstream.url, scene.request)
    events = [json.loads(data) for _, data in blocks]

    assert grammar.check(events) == []
    assert [name for name, _ in blocks] == [event["type"] for event in events]
    assert end == ("", "[DONE]")


@scenes
def test_events_on_the_wire_fit_the_types_of_the_sdk(upstream: Upstream, scene: Scene) -> None:
    """`create(stream=True)` builds its objects without validation; this validates."""
    upstream.will_say(scene.answer)

    *blocks, _ = read_raw(upstream.url, scene.request)
    types = [sdk_event.validate_json(data).type for _, data in blocks]

    assert types == [name for name, _ in blocks]


@scenes
def test_stream_ends_with_the_whole_response(sdk: Sdk, upstream: Upstream, scene: Scene) -> None:
    upstream.will_say(scene.answer)

    events = sdk.create_stream(**scene.request)

    last = events[-1]
    assert last.type == f"response.{scene.status}"
    assert outline(last.response) == scene.output
    assert last.response.id == events[0].response.id


@scenes
def test_deltas_add_up_to_the_output(sdk: Sdk, upstream: Upstream, scene: Scene) -> None:
    upstream.will_say(scene.answer)

    events = sdk.create_stream(**scene.request)

    deltas = [""] * len(scene.output)
    for event in events:
        if event.type.endswith(".delta"):
            deltas[event.output_index] += event.delta
    assert deltas == [content[-1] for content in scene.output]


@pytest.mark.parametrize("name", [name for name in SCENES if name != "incomplete"])
def test_stream_helper_gathers_the_final_response(sdk: Sdk, upstream: Upstream, name: str) -> None:
    """The helper raises on any event that it did not expect at that place."""
    scene = SCENES[name]
    upstream.will_say(scene.answer)

    events, final = sdk.stream(**scene.request)

    assert events[-1].type == "response.completed"
    assert outline(final) == scene.output


def test_stream_helper_gives_every_event_of_an_incomplete_response(
    sdk: Sdk, upstream: Upstream
) -> None:
    """Its `get_final_response` knows completed ones only, as with OpenAI's own service."""
    scene = SCENES["incomplete"]
    upstream.will_say(scene.answer)

    with pytest.raises(RuntimeError, match=r"Didn't receive a `response.completed` event"):
        sdk.stream(**scene.request)


def test_events_arrive_while_the_upstream_is_still_speaking(
    scripted_sdk: Sdk, script: Script
) -> None:
    pause = Pause()
    script.will_say(stream_answer(chunk({"content": "Hel"}), pause, chunk({"content": "lo"})))

    events = scripted_sdk.read_some(5, **ask("Hello"))

    assert not pause.released.is_set()
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ]
    assert events[-1].delta == "Hel"


@pytest.mark.parametrize("helper", [False, True], ids=["create", "helper"])
def test_silence_is_filled_with_an_event_that_does_no_harm(
    any_sdk: Sdk, script: Script, helper: bool
) -> None:
    """Codex takes comments for silence, and other clients know no `keepalive` (openai/codex#31539)."""
    pause = Pause()
    script.will_say(stream_answer(chunk({"content": "Hel"}), pause, chunk({"content": "lo"})))
    types: list[str] = []

    def see(event: Any) -> None:
        types.append(event.type)
        if event.type == "keepalive":
            pause.release()

    with serve(ResponsesAPI(script.url, keepalive_interval=0.02)) as url:
        sdk = any_sdk.at(f"{url}/v1")
        events = (
            sdk.stream(see, **ask("Hello"))[0] if helper else sdk.create_stream(see, **ask("Hello"))
        )

    assert "keepalive" in types
    assert events[-1].response.output_text == "Hello"


def test_streamed_response_is_the_one_that_is_not_streamed(sdk: Sdk, upstream: Upstream) -> None:
    request = ask("What is the capital of France?")
    answer = text_answer("The capital of France is **Paris**.", reasoning="It is Paris.")
    upstream.will_say(answer, answer)

    streamed = sdk.create_stream(**request)[-1].response.to_dict()
    whole = sdk.create(**request).to_dict()

    assert _without_ids(streamed) == _without_ids(whole)


def _without_ids(response: dict[str, Any]) -> dict[str, Any]:
    """Return what must be the same in two responses; a prompt cache changes the usage."""
    volatile = {"id", "created_at", "completed_at", "usage"}
    kept = {name: value for name, value in response.items() if name not in volatile}
    return kept | {"output": [{**item, "id": ""} for item in response["output"]]}
