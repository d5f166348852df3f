"""The context as the SDK sees it: counted, truncated, and compacted when it has become too long."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.sdk.drivers import Sdk
from tests.sdk.scenes import GET_WEATHER, Script, Upstream, ask
from tests.servers.adapter import serve
from tests.servers.answers import json_answer, text_answer

MESSAGES: list[Any] = [
    {"role": "user", "content": "Who are you?"},
    {"role": "assistant", "content": "I am a tiny test model."},
    {"role": "user", "content": "Hello"},
]
CALLED: list[Any] = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {
        "type": "function_call",
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": '{"city": "Paris"}',
    },
    {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."},
]
QUIET = {"reasoning": {"effort": "none"}}
# The context of the toy model is 2,048 tokens, and this some 500.
LONG = "Once upon a time there was a small fox. " * 50
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


@pytest.mark.parametrize(
    "request_fields",
    [
        pytest.param({"input": "Hello"}, id="a message"),
        pytest.param({"input": "Hello", **QUIET}, id="without reasoning"),
        pytest.param({"input": MESSAGES, "instructions": "Be brief."}, id="a conversation"),
        pytest.param({"input": "Hello", "tools": [GET_WEATHER]}, id="tools"),
        pytest.param(
            {
                "input": CALLED,
                "tools": [GET_WEATHER],
                "tool_choice": "auto",
                "parallel_tool_calls": True,
                "text": {"format": {"type": "text"}},
                "truncation": "auto",
            },
            id="calls",
        ),
    ],
)
def test_count_is_what_a_real_call_costs(
    any_sdk: Sdk, demo_url: str, request_fields: dict[str, Any]
) -> None:
    sdk = any_sdk.at(demo_url)

    count = sdk.count_input_tokens(model="tiny", **request_fields)

    response = sdk.create(model="tiny", max_output_tokens=16, **request_fields)
    assert response.usage is not None
    assert count == response.usage.input_tokens


@pytest.fixture(scope="module")
def older_url(llama_url: str) -> Iterator[str]:
    """Yield the base URL of an adapter that asks the toy model's server as older ones are asked."""
    older = {"base": "llama.cpp", "token_counters": ["apply_template"]}
    settings = Settings(
        upstream=llama_url, dialect="older", dialects={"older": older}, count_by_call=False
    )
    with serve(make_sidecar(settings)) as url:
        yield f"{url}/v1"


def test_count_of_an_older_llama_cpp_is_the_same(
    any_sdk: Sdk, demo_url: str, older_url: str
) -> None:
    asked = {"model": "tiny", "input": CALLED, "tools": [GET_WEATHER], "instructions": "Be brief."}

    counts = [any_sdk.at(url).count_input_tokens(**asked) for url in (demo_url, older_url)]

    assert counts[0] == counts[1] > 100


def test_count_may_come_from_the_usage_of_a_call(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hi", usage=USAGE))

    assert scripted_sdk.count_input_tokens(model="tiny", input="Hello") == 5
    assert script.requests[0].json["max_tokens"] == 1


def test_what_does_not_fit_is_truncated(any_sdk: Sdk, demo_url: str) -> None:
    """A real overflow: the toy model's server refuses what is longer than its context."""
    sdk = any_sdk.at(demo_url)
    turns = [{"role": role, "content": LONG} for _ in range(5) for role in ("user", "assistant")]
    asked = ask([*turns, {"role": "user", "content": "Who are you?"}], **QUIET)

    response, headers = sdk.create_raw(
        **asked, instructions="Be brief.", truncation="auto", max_output_tokens=50
    )

    assert (response.status, response.truncation) in {
        ("completed", "auto"),
        ("incomplete", "auto"),
    }
    assert response.usage is not None
    assert 500 < response.usage.input_tokens < 2048 - 50
    assert headers["x-adapter-dropped"].startswith("input[0], input[1]")
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.create(**asked)
    assert caught.value.code == "context_length_exceeded"


def test_last_message_is_never_truncated(any_sdk: Sdk, demo_url: str) -> None:
    sdk = any_sdk.at(demo_url)

    with pytest.raises(openai.BadRequestError) as caught:
        sdk.create(model="tiny", input=LONG * 5, truncation="auto")

    assert caught.value.code == "context_length_exceeded"


def test_long_conversation_is_compacted_and_goes_on(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(
        text_answer("I am a tiny test model."),
        text_answer("It is a tiny test model."),
        text_answer("Hello"),
    )
    management = [{"type": "compaction", "compact_threshold": 1}]

    events, response = sdk.stream(**ask("Who are you?", **QUIET), context_management=management)
    again = sdk.create(
        model="tiny",
        input=[*response.output, {"role": "user", "content": "Hello"}],
    )

    assert [item.type for item in response.output][-1] == "compaction"
    assert events[-1].type == "response.completed"
    assert again.status == "completed"


def test_conversation_that_does_not_fit_is_compacted_first(
    scripted_sdk: Sdk, script: Script
) -> None:
    script.will_say(
        json_answer(400, {"error": {"message": "Prompt too long"}}),
        text_answer("A model was asked who it is."),
        text_answer("I am a tiny test model."),
    )

    response = scripted_sdk.create(
        model="tiny", input=MESSAGES, context_management=[{"type": "compaction"}]
    )

    assert [item.type for item in response.output] == ["compaction", "message"]
