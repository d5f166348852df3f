"""A fault of the client's is not taken for a lesson: it is told, and nothing is left out for it."""

from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.learning.bodies import (
    detail,
    fastapi,
    gemini,
    in_stream,
    llama_cpp,
    mistral,
    openai,
    sglang,
    vllm,
)
from tests.learning.strict import TEXT, ask, fail
from tests.servers.answers import Answer, json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

TOOL = {
    "type": "function",
    "name": "f",
    "strict": True,
    "parameters": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"a": {"type": "objekt"}},
    },
}
FORMAT = {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "objekt"}}
EVERYTHING: dict[str, Any] = {
    "instructions": "Be brief.",
    "temperature": 0.5,
    "top_p": 0.5,
    "frequency_penalty": 0.5,
    "top_logprobs": 2,
    "max_output_tokens": 9,
    "reasoning": {"effort": "low"},
    "text": {"format": FORMAT},
    "tools": [TOOL],
    "parallel_tool_calls": True,
    "top_k": -5,
    "min_p": 7,
    "stop": ["a", "b", "c", "d", "e"],
    "logit_bias": {"a": 1},
    "seed": -1,
}  # fmt: skip

# (what the upstream says, our status)
FAULTS: dict[str, Answer] = {
    "number": vllm(
        "temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)",
        "temperature",
    ),
    "number in range": openai("temperature must be between 0 and 2", "temperature"),
    "number of pydantic": fastapi(
        "Input should be greater than or equal to 0", "temperature", kind="greater_than_equal"
    ),
    "top_k": vllm("top_k must be 0 (disable), or at least 1, got -5.", "top_k"),
    "min_p": vllm("min_p must be in [0, 1], got 7.", "min_p"),
    "seed": fastapi("Input should be greater than or equal to 0", "seed", kind="greater"),
    "type of logit_bias": openai(
        "Invalid type for 'logit_bias.a': expected an integer, but got a string.", "logit_bias"
    ),
    "key of logit_bias": openai(
        "Invalid key in 'logit_bias': a. You should only be submitting non-negative integers.",
        "logit_bias",
    ),
    "stop": openai(
        "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array "
        "with length 5 instead.",
        "stop",
        "array_above_max_length",
    ),
    "value without a reason": openai("Invalid value for 'top_k'.", "top_k"),
    "output limit": openai(
        "max_tokens is too large: 9. This model supports at most 8 completion tokens.", "max_tokens"
    ),
    "schema of a function": openai(
        "Invalid schema for function 'f': 'objekt' is not valid under any of the given schemas.",
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    "schema of a strict function": openai(
        "Invalid schema for function 'f': In context=(), 'required' is required to be supplied and "
        "to be an array including every key in properties. Missing 'a'.",
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    "additionalProperties is missing": openai(
        "Invalid schema for function 'f': In context=('properties', 'a'), 'additionalProperties' is "
        "required to be supplied and to be false.",
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    "schema of a function of Gemini": gemini(
        "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[a].items: "
        "missing field."
    ),
    "schema of a format": openai(
        "Invalid schema for response_format 'n': schema must be a JSON Schema of 'type: \"object\"', "
        "got 'type: \"objekt\"'.",
        "response_format",
    ),
    "grammar": in_stream("Grammar error: Invalid type: objekt"),
    "grammar of llama.cpp": llama_cpp(
        "Failed to initialize samplers: JSON schema conversion failed: Unrecognized type objekt"
    ),
    "bare": openai("Bad request."),
    "content": mistral("Input should be a valid string", "messages", 0, "content", kind="string"),
    "plain words": openai("We stop here: your system, tools and format ask for too much thinking."),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", FAULTS)
async def test_fault_of_the_client_is_told(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    name: str,
    stream: bool,
) -> None:
    start(dialect="generic")
    upstream.always(FAULTS[name])

    status, *_, message = await fail(client, stream=stream, **EVERYTHING)

    assert status in (400, 422)
    assert message.partition(" (body")[0] in _said(FAULTS[name])
    assert len(upstream.requests) == 1


def _said(answer: Answer) -> str:
    body = b"".join(step for step in answer.chunks if isinstance(step, bytes)).decode()
    return body.replace('\\"', '"')


OVERFLOW = "This model's maximum context length is 2048 tokens. However, you requested 4000 tokens"


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (vllm(OVERFLOW, "input_tokens"), (400, "context_length_exceeded")),
        (
            sglang(f"Requested token count exceeds the model's maximum context length. {OVERFLOW}"),
            (400, "context_length_exceeded"),
        ),
        (
            json_answer(404, {"error": {"message": "The model `m` does not exist.", "code": 404}}),
            (404, "model_not_found"),
        ),
        (openai("The model `m` does not exist", "model"), (400, "model_not_found")),
        (detail("Model m not found"), (422, None)),
        (
            json_answer(401, {"error": {"message": "temperature not allowed"}}),
            (401, "invalid_api_key"),
        ),
        (json_answer(403, {"error": {"message": "Unknown parameter: temperature"}}), (403, None)),
        (
            json_answer(429, {"error": {"message": "Unknown parameter: temperature"}}),
            (429, "rate_limit_exceeded"),
        ),
        (
            json_answer(500, {"error": {"message": "Unknown parameter: temperature"}}),
            (502, "server_error"),
        ),
    ],
)
async def test_what_is_no_refusal_of_a_field_is_passed_on(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    refusal: Answer,
    expected: tuple[int, str | None],
) -> None:
    start(dialect="generic")
    upstream.always(refusal)

    status, code, *_ = await fail(client, **EVERYTHING)

    assert len(upstream.requests) == 1
    if expected[1] is not None:
        assert (status, code) == expected


async def test_fault_behind_a_lesson_is_told_and_nothing_is_remembered(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """Whether the lesson was right, nobody knows: the request still failed."""
    start(dialect="generic")
    upstream.reply(openai("Unknown parameter: 'seed'"), openai("top_k must be at least 0", "top_k"))
    upstream.always(text_answer(TEXT))

    status, _, param, message = await fail(client, seed=1, top_k=-5)
    await ask(client, seed=1)

    assert (status, param, message) == (400, "top_k", "top_k must be at least 0")
    assert upstream.requests[-1].json["seed"] == 1


async def test_upstream_that_refuses_everything_is_not_asked_for_ever(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")
    fields = ["temperature", "top_p", "seed", "top_k", "min_p", "top_a", "typical_p", "priority"]
    fields += ["min_tokens", "ignore_eos", "bad_words", "regex", "ebnf", "grammar", "mirostat"]

    def refuse(request: Any) -> Answer:
        sent = [field for field in fields if field in request.json]
        return openai(f"Unknown parameter: '{sent[0]}'" if sent else "No.")

    upstream.always(refuse)

    status, *_ = await fail(client, **dict.fromkeys(fields, 1))

    assert status == 400
    assert len(upstream.requests) <= 13
