"""What `responses.create` gives back, on both kinds of upstream and with both faces of the SDK."""

from typing import Any

import pytest
from openai.types.responses import Response

from tests.sdk.drivers import Sdk, SyncSdk
from tests.sdk.scenes import NOT_THINKING, SCENES, Scene, Script, Upstream, ask, outline
from tests.servers.answers import chunk, stream_answer, text_answer, whole_answer

scenes = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())


@scenes
def test_response_holds_what_the_model_did(sdk: Sdk, upstream: Upstream, scene: Scene) -> None:
    upstream.will_say(scene.answer)

    response = sdk.create(**scene.request)

    assert (response.status, outline(response)) == (scene.status, scene.output)


@scenes
def test_response_fits_the_types_of_the_sdk(
    sync_sdk: SyncSdk, upstream: Upstream, scene: Scene
) -> None:
    """`create` builds its objects without validation; this validates."""
    upstream.will_say(scene.answer)

    response = sync_sdk.at(upstream.url).create(**scene.request)

    assert Response.model_validate(response.to_dict()).to_dict() == response.to_dict()


def test_usage_is_counted(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("I am a tiny test model."))

    usage = sdk.create(**ask("Who are you?")).usage

    assert usage is not None
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_instructions_are_followed_and_echoed(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("I am a tiny test model."))

    response = sdk.create(**ask("Who are you?", instructions="Be brief."))

    assert response.output_text == "I am a tiny test model."
    assert response.instructions == "Be brief."
    if upstream.script is not None:
        (request,) = upstream.script.requests
        assert request.json["messages"][0] == {"role": "system", "content": "Be brief."}


def test_conversation_may_be_written_as_messages(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("I am a tiny test model."))
    conversation = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello! How can I help you today?"},
        {"role": "user", "content": [{"type": "input_text", "text": "Who are you?"}]},
    ]

    response = sdk.create(**ask(conversation))

    assert response.output_text == "I am a tiny test model."


def test_output_may_be_sent_back_as_it_came(sdk: Sdk, upstream: Upstream) -> None:
    greeting = "Hello! How can I help you today?"
    upstream.will_say(
        text_answer(greeting, reasoning="The user says hello."),
        text_answer("I am a tiny test model."),
    )
    hello: dict[str, Any] = {"role": "user", "content": "Hello"}

    first = sdk.create(**ask([hello]))
    second = sdk.create(**ask([hello, *first.output, {"role": "user", "content": "Who are you?"}]))

    assert first.output_text == greeting
    assert second.output_text == "I am a tiny test model."
    if upstream.script is not None:
        messages = upstream.script.requests[1].json["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant", "user"]
        assert messages[1]["content"] == greeting
        assert messages[1]["reasoning_content"] == "The user says hello."


def test_cut_answer_is_an_incomplete_response(sdk: Sdk, upstream: Upstream) -> None:
    scene = SCENES["incomplete"]
    upstream.will_say(scene.answer)

    response = sdk.create(**scene.request)

    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output[-1].status == "incomplete"
    assert response.output_text == "Once upon a time there was a small fox who"


def test_filtered_answer_is_an_incomplete_response(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Once upon", finish_reason="content_filter"))

    response = scripted_sdk.create(**ask("Tell me a story."))

    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "content_filter"


def test_refusal_is_a_part_of_the_message(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(
        stream_answer(chunk({"refusal": "I can"}), chunk({"refusal": "not."}), chunk({}, "stop"))
    )

    response = scripted_sdk.create(**ask("Help me with a crime."))

    (message,) = response.output
    assert message.type == "message"
    (part,) = message.content
    assert part.type == "refusal"
    assert part.refusal == "I cannot."
    assert response.output_text == ""


def test_log_probabilities_come_with_the_text(sdk: Sdk, upstream: Upstream) -> None:
    tops = [{"token": "I", "logprob": -0.5, "bytes": [73]}, {"token": "It", "logprob": -1.5}]
    entry = {"token": "I", "logprob": -0.5, "bytes": [73], "top_logprobs": tops}
    upstream.will_say(
        stream_answer(
            chunk(
                choices=[{"index": 0, "delta": {"content": "I"}, "logprobs": {"content": [entry]}}]
            ),
            chunk({}, "stop"),
        )
    )

    response = sdk.create(
        **ask("Who are you?", **NOT_THINKING),
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )

    (message,) = response.output
    assert message.type == "message"
    (part,) = message.content
    assert part.type == "output_text"
    assert part.logprobs
    assert "".join(each.token for each in part.logprobs) == part.text
    assert part.logprobs[0].token == part.logprobs[0].top_logprobs[0].token == "I"
    assert [len(each.top_logprobs) for each in part.logprobs] == [2] * len(part.logprobs)


@pytest.mark.parametrize("effort", ["low", "high"])
def test_reasoning_effort_reaches_the_upstream(
    scripted_sdk: Sdk, script: Script, effort: str
) -> None:
    script.will_say(text_answer("Done.", reasoning="Let me see."))

    response = scripted_sdk.create(**ask("Think."), reasoning={"effort": effort})

    assert script.requests[0].json["reasoning_effort"] == effort
    assert response.reasoning is not None
    assert response.reasoning.effort == effort
    assert outline(response) == [("reasoning", "Let me see."), ("message", "Done.")]


def test_upstream_that_does_not_stream_is_understood(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(whole_answer("Hello"))

    assert scripted_sdk.create(**ask("Hello")).output_text == "Hello"
