"""Structured output: `responses.parse` and the stream helper give objects of the caller's class."""

from typing import Any

import msgspec
import pydantic
import pytest

from tests.sdk.drivers import Sdk
from tests.sdk.scenes import Script, Upstream, ask
from tests.servers.answers import chunk, stream_answer, text_answer

REQUEST = ask("Give me JSON for a person named Bob aged 42.")
ANSWER = text_answer('{"name": "Bob", "age": 42}', reasoning="I will write JSON.")


class Person(pydantic.BaseModel):
    name: str
    age: int


def test_parse_gives_an_object_of_the_callers_class(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(ANSWER)

    response = sdk.parse(**REQUEST, text_format=Person)

    assert response.output_parsed == Person(name="Bob", age=42)


def test_stream_helper_gives_an_object_of_the_callers_class(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(ANSWER)

    events, final = sdk.stream(**REQUEST, text_format=Person)

    (done,) = [event for event in events if event.type == "response.output_text.done"]
    assert done.parsed == final.output_parsed == Person(name="Bob", age=42)


def test_schema_reaches_the_upstream_and_is_echoed(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(ANSWER)

    response = scripted_sdk.parse(**REQUEST, text_format=Person)

    sent: Any = script.requests[0].json["response_format"]
    assert sent["type"] == "json_schema"
    assert (sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("Person", True)
    assert sent["json_schema"]["schema"]["required"] == ["name", "age"]
    assert response.text is not None
    assert response.text.format is not None
    assert response.text.format.type == "json_schema"
    assert response.text.format.name == "Person"


def test_json_object_is_asked_of_the_upstream(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer('{"a": 1}'))

    response = scripted_sdk.create(**REQUEST, text={"format": {"type": "json_object"}})

    assert script.requests[0].json["response_format"] == {"type": "json_object"}
    assert msgspec.json.decode(response.output_text) == {"a": 1}


def test_refusal_is_parsed_to_nothing(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(stream_answer(chunk({"refusal": "I cannot."}), chunk({}, "stop")))

    assert scripted_sdk.parse(**REQUEST, text_format=Person).output_parsed is None


def test_cut_json_does_not_parse(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer('{"name": "Bo', finish_reason="length"))

    with pytest.raises(pydantic.ValidationError):
        scripted_sdk.parse(**REQUEST, text_format=Person)
