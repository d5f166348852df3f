"""Failures: the SDK raises the class that its users catch, with `param`, `code` and headers."""

from typing import Any

import openai
import pytest

from adapter.asgi.app import ResponsesAPI
from tests.sdk.drivers import OPTIONS, Sdk
from tests.sdk.scenes import Script, Upstream, ask
from tests.servers.adapter import serve
from tests.servers.answers import (
    Answer,
    Eof,
    Hang,
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)

HELLO = ask("Hello")

REFUSED = [
    pytest.param({"temperature": 3}, "temperature", "decimal_above_max_value", id="range"),
    pytest.param({"max_output_tokens": "ten"}, "max_output_tokens", "invalid_type", id="type"),
    pytest.param({"input": []}, "input", "missing_required_parameter", id="no input"),
    pytest.param(
        {"previous_response_id": "resp_1"},
        "previous_response_id",
        "unsupported_parameter",
        id="previous response",
    ),
    pytest.param({"background": True}, "background", "unsupported_value", id="background"),
    pytest.param(
        {"tools": [{"type": "hologram"}]},
        "tools[0].type",
        "unsupported_value",
        id="tool type",
    ),
    pytest.param(
        {"input": [{"type": "function_call_output", "call_id": "call_a", "output": "1"}]},
        "input[0].call_id",
        "invalid_value",
        id="output without call",
    ),
    pytest.param(
        {"input": [{"role": "user", "content": [{"type": "input_hologram"}]}]},
        "input[0].content[0].type",
        "invalid_value",
        id="part type",
    ),
]

# Status and body of an upstream, and what the SDK makes of what we make of it.
FAILED = [
    pytest.param(400, openai.BadRequestError, None, id="400"),
    pytest.param(401, openai.AuthenticationError, "invalid_api_key", id="401"),
    pytest.param(403, openai.PermissionDeniedError, None, id="403"),
    pytest.param(404, openai.NotFoundError, "model_not_found", id="404"),
    pytest.param(422, openai.UnprocessableEntityError, None, id="422"),
    pytest.param(429, openai.RateLimitError, "rate_limit_exceeded", id="429"),
    pytest.param(500, openai.InternalServerError, None, id="500"),
    pytest.param(503, openai.InternalServerError, None, id="503"),
]


@pytest.mark.parametrize(("given", "param", "code"), REFUSED)
def test_bad_request_names_parameter_and_code(
    scripted_sdk: Sdk, script: Script, given: Any, param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        scripted_sdk.create(**(HELLO | given))

    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"
    assert param in str(caught.value) or "call_a" in str(caught.value)
    assert script.requests == []


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("status", "kind", "code"), FAILED)
def test_upstream_status_becomes_the_class_that_users_catch(
    scripted_sdk: Sdk,
    script: Script,
    status: int,
    kind: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    script.will_say(json_answer(status, {"error": {"message": "the reason"}}))
    call = scripted_sdk.create_stream if streamed else scripted_sdk.create

    with pytest.raises(kind, match="the reason") as caught:
        call(**HELLO)

    assert type(caught.value) is kind
    assert code in (None, caught.value.code)


def test_prompt_that_does_not_fit_has_a_code_of_its_own(sdk: Sdk, upstream: Upstream) -> None:
    said = "This model's maximum context length is 2048 tokens."
    upstream.will_say(json_answer(400, {"error": {"message": said, "type": "BadRequestError"}}))

    with pytest.raises(openai.BadRequestError) as caught:
        sdk.create(**ask("Hello " * 5000))

    assert caught.value.code == "context_length_exceeded"


def test_rate_limit_says_when_to_come_back(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(json_answer(429, {"error": {"message": "slow"}}, {"retry-after": "7"}))

    with pytest.raises(openai.RateLimitError) as caught:
        scripted_sdk.create(**HELLO)

    assert caught.value.response.headers["retry-after"] == "7"


def test_sdk_comes_back_by_itself_when_it_is_told_to(
    script: Script, scripted_url: str, any_sdk: Sdk
) -> None:
    """`retry-after-ms` is what the SDK looks at first."""
    script.will_say(
        json_answer(429, {"error": {"message": "slow"}}, {"retry-after-ms": "1"}),
        text_answer("Hello"),
    )
    sdk = any_sdk.at(scripted_url, max_retries=1)

    response = sdk.create(**HELLO)

    assert response.output_text == "Hello"
    assert len(script.requests) == 2


def test_upstream_that_is_not_there_is_a_502_that_names_it(any_sdk: Sdk) -> None:
    with serve(ResponsesAPI("http://127.0.0.1:9/v1")) as url:
        sdk = any_sdk.at(f"{url}/v1")
        with pytest.raises(openai.InternalServerError, match=r"127\.0\.0\.1:9") as caught:
            sdk.create(**HELLO)

    assert (caught.value.status_code, caught.value.code) == (502, "server_error")


def test_upstream_that_is_too_slow_is_a_504(script: Script, any_sdk: Sdk) -> None:
    script.will_say(Answer(before=[Hang()]))
    with serve(ResponsesAPI(script.url, first_byte_timeout=0.05)) as url:
        sdk = any_sdk.at(f"{url}/v1")
        with pytest.raises(openai.InternalServerError) as caught:
            sdk.create(**HELLO)

    assert (caught.value.status_code, caught.value.code) == (504, "server_error")


def test_unknown_path_of_a_mounted_app_is_not_found() -> None:
    with (
        serve(ResponsesAPI("http://127.0.0.1:9/v1")) as url,
        openai.OpenAI(base_url=f"{url}/v1", **OPTIONS) as client,
        pytest.raises(openai.NotFoundError) as caught,
    ):
        client.embeddings.create(model="m", input="Hi", encoding_format="float")

    assert caught.value.code == "unknown_url"


def test_response_is_not_found_where_nothing_is_stored() -> None:
    with (
        serve(ResponsesAPI("http://127.0.0.1:9/v1")) as url,
        openai.OpenAI(base_url=f"{url}/v1", **OPTIONS) as client,
        pytest.raises(openai.NotFoundError) as caught,
    ):
        client.responses.retrieve("resp_1")

    assert caught.value.code == "no_store"


# How an answer ends that is not complete, and what is said of it.
BROKEN = [
    pytest.param(Eof(), "broke", id="connection"),
    pytest.param('{"error": {"message": "engine died"}}', "engine died", id="error event"),
]


@pytest.mark.parametrize(("end", "reason"), BROKEN)
def test_failure_in_the_middle_of_a_stream_is_raised_after_what_was_said(
    scripted_sdk: Sdk, script: Script, end: Any, reason: str
) -> None:
    pause = Pause()
    script.will_say(stream_answer(chunk({"content": "Hel"}), pause, end))

    seen: list[Any] = []

    def see(event: Any) -> None:
        seen.append(event)
        if event.type == "response.output_text.delta":
            pause.release()

    with pytest.raises(openai.APIError, match=reason) as caught:
        scripted_sdk.create_stream(see, **HELLO)

    assert "Hel" in [getattr(event, "delta", "") for event in seen]
    assert caught.value.code == "server_error"


@pytest.mark.parametrize(("end", "reason"), BROKEN)
def test_failure_in_the_middle_of_an_answer_that_is_not_streamed_is_a_502(
    scripted_sdk: Sdk, script: Script, end: Any, reason: str
) -> None:
    script.will_say(stream_answer(chunk({"content": "Hel"}), end))

    with pytest.raises(openai.InternalServerError, match=reason) as caught:
        scripted_sdk.create(**HELLO)

    assert caught.value.status_code == 502


@pytest.mark.parametrize(("end", "reason"), BROKEN)
def test_stream_helper_raises_what_went_wrong(
    scripted_sdk: Sdk, script: Script, end: Any, reason: str
) -> None:
    script.will_say(stream_answer(chunk({"content": "Hel"}), end))

    with pytest.raises(openai.APIError, match=reason):
        scripted_sdk.stream(**HELLO)
