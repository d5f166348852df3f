"""The SDK's own WebSocket client: `responses.connect()`."""

import json
from typing import Any

import pytest
from openai.types.responses.responses_server_event import ResponsesServerEvent
from pydantic import TypeAdapter
from websockets.sync.client import connect

from adapter.stream import grammar
from tests.sdk.drivers import LIMIT_SECONDS, Sdk
from tests.sdk.scenes import GET_WEATHER, SCENES, Scene, Script, Upstream, ask, outline
from tests.servers.answers import json_answer, text_answer

# The SDK's own way to connect, which websockets 17.1 no longer likes.
pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning")

server_event: TypeAdapter[Any] = TypeAdapter(ResponsesServerEvent)
scenes = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())


@scenes
def test_frames_obey_the_rule_book_and_fit_the_types_of_the_sdk(
    upstream: Upstream, scene: Scene
) -> None:
    """The SDK builds its objects without validation; this validates."""
    upstream.will_say(scene.answer)
    url = f"{upstream.url.replace('http', 'ws', 1)}/responses"
    frames: list[str] = []
    events: list[dict[str, Any]] = [{"type": ""}]

    with connect(url, open_timeout=LIMIT_SECONDS) as connection:
        connection.send(json.dumps({"type": "response.create", **scene.request}))
        while events[-1]["type"] not in {"response.completed", "response.incomplete"}:
            frames.append(str(connection.recv(timeout=LIMIT_SECONDS)))
            events.append(json.loads(frames[-1]))

    assert grammar.check(events[1:]) == []
    types = [server_event.validate_json(frame).type for frame in frames]
    assert types == [event["type"] for event in events[1:]]


@scenes
def test_response_is_that_of_http(sdk: Sdk, upstream: Upstream, scene: Scene) -> None:
    upstream.will_say(scene.answer)

    (events,) = sdk.converse(scene.request)

    assert outline(events[-1].response) == scene.output
    assert events[-1].response.status == scene.status


def test_response_continues_a_warm_up(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello."))
    polite = {"role": "system", "content": "Be polite."}

    warm, turn = scripted_sdk.converse(
        ask([polite], tools=[GET_WEATHER], generate=False), ask("Hi", tools=[GET_WEATHER])
    )

    assert warm[-1].response.output == []
    assert turn[-1].response.output_text == "Hello."
    assert [each["content"] for each in script.requests[0].json["messages"]] == ["Be polite.", "Hi"]


def test_conversation_goes_on(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("One."), text_answer("Two."), text_answer("Three."))
    requests = [ask(word, stream_id="main", max_output_tokens=5) for word in ("a", "b", "c")]

    turns = sdk.converse(*requests)

    ids = [events[-1].response.id for events in turns]
    assert [events[-1].response.previous_response_id for events in turns] == [None, *ids[:2]]
    assert {event.stream_id for events in turns for event in events} == {"main"}


def test_error_has_the_type_of_the_sdk(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(json_answer(429, {"error": {"message": "Slow down."}}, {"retry-after": "3"}))

    ((error,),) = scripted_sdk.converse(ask("Hi"))

    assert (error.type, error.status) == ("error", 429)
    assert error.error.code == "rate_limit_exceeded"
    assert error.error.headers["retry-after"] == "3"
