"""Function tools: calls with their ids, results sent back, choices."""

import json
from typing import Any

import pytest

from tests.sdk.drivers import Sdk
from tests.sdk.scenes import GET_TIME, GET_WEATHER, SCENES, Script, Upstream, ask, outline
from tests.servers.answers import text_answer

WEATHER = {"Paris": "It is sunny in Paris.", "London": "It is rainy in London."}
ANSWER = "The weather in Paris is sunny. The weather in London is rainy."


def outputs_of(response: Any) -> list[dict[str, Any]]:
    """Run the calls of a response."""
    return [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": WEATHER[json.loads(item.arguments)["city"]],
        }
        for item in response.output
        if item.type == "function_call"
    ]


def test_parallel_calls_have_ids_of_their_own(sdk: Sdk, upstream: Upstream) -> None:
    scene = SCENES["parallel calls"]
    upstream.will_say(scene.answer)

    _, first, second = sdk.create(**scene.request).output

    assert first.type == second.type == "function_call"
    assert first.call_id != second.call_id
    assert first.id != second.id


def test_model_answers_from_the_results_of_its_calls(sdk: Sdk, upstream: Upstream) -> None:
    scene = SCENES["parallel calls"]
    upstream.will_say(scene.answer, text_answer(ANSWER, reasoning="I will answer now."))
    conversation: list[Any] = [{"role": "user", "content": scene.request["input"]}]

    calls = sdk.create(**scene.request)
    conversation += [*calls.output, *outputs_of(calls)]
    answer = sdk.create(**(scene.request | {"input": conversation}))

    assert answer.output_text == ANSWER


def test_model_answers_from_results_in_a_stream(sdk: Sdk, upstream: Upstream) -> None:
    scene = SCENES["parallel calls"]
    upstream.will_say(scene.answer, text_answer(ANSWER, reasoning="I will answer now."))
    conversation: list[Any] = [{"role": "user", "content": scene.request["input"]}]

    _, calls = sdk.stream(**scene.request)
    # Parsed items carry what only the helper knows, so they go back as the API has them.
    conversation += [item.to_dict() for item in calls.output] + outputs_of(calls)
    for item in conversation:
        item.pop("parsed_arguments", None)
    _, answer = sdk.stream(**(scene.request | {"input": conversation}))

    assert answer.output_text == ANSWER


def test_upstream_sees_calls_and_results_as_chat_messages(
    scripted_sdk: Sdk, script: Script
) -> None:
    scene = SCENES["parallel calls"]
    script.will_say(scene.answer, text_answer(ANSWER))

    calls = scripted_sdk.create(**scene.request)
    question = {"role": "user", "content": scene.request["input"]}
    scripted_sdk.create(
        **(scene.request | {"input": [question, *calls.output, *outputs_of(calls)]})
    )

    _, assistant, *results = script.requests[1].json["messages"]
    assert [call["id"] for call in assistant["tool_calls"]] == ["call_0", "call_1"]
    assert results == [
        {"role": "tool", "content": WEATHER["Paris"], "tool_call_id": "call_0"},
        {"role": "tool", "content": WEATHER["London"], "tool_call_id": "call_1"},
    ]


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param("required", id="required"),
        pytest.param({"type": "function", "name": "get_weather"}, id="named"),
    ],
)
def test_forced_call_is_made_and_the_choice_is_echoed(
    sdk: Sdk, upstream: Upstream, choice: Any
) -> None:
    scene = SCENES["one call"]
    upstream.will_say(scene.answer)

    response = sdk.create(**scene.request, tool_choice=choice)

    echoed = response.tool_choice
    assert (echoed if isinstance(echoed, str) else echoed.to_dict()) == choice
    assert outline(response)[-1] == ("function_call", "get_weather", '{"city": "Paris"}')


def test_tools_are_echoed_as_they_were_sent(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello"))

    response = scripted_sdk.create(**ask("Hello"), tools=[GET_WEATHER, GET_TIME | {"strict": True}])

    echoed = [tool.to_dict(exclude_none=True) for tool in response.tools]
    assert [tool["name"] for tool in echoed] == ["get_weather", "get_time"]
    assert [tool["parameters"] for tool in echoed] == [
        GET_WEATHER["parameters"],
        GET_TIME["parameters"],
    ]
    assert echoed[1]["strict"] is True
