"""What users of vLLM rely on, with the adapter in it and before it: the same claims for both.

The prompts and what the model says to them are those of `tests/sdk`.
"""

import asyncio
import http.client
import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx2
import openai
import pydantic
import pytest
from openai.types.responses import ResponseStreamEvent

from adapter.probe import probe
from adapter.stream import grammar
from tests.sdk.scenes import GET_TIME, GET_WEATHER, NOT_THINKING, SCENES, Scene, ask, outline
from tests.vllm.servers import KEY, LIMIT_SECONDS, MAX_MODEL_LEN, Server

pytestmark = pytest.mark.timeout(300)  # the first test of each server waits for its start

HEADERS = {"authorization": f"Bearer {KEY}"}
BOB = ask("Give me JSON for a person named Bob aged 42.")
BAD_SCHEMA = {"type": "json_schema", "name": "bad", "schema": {"type": "objekt"}}
sdk_event: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(ResponseStreamEvent)
scenes = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


class Person(pydantic.BaseModel):
    name: str
    age: int


def post(url: str, request: dict[str, Any], headers: dict[str, str] = HEADERS) -> httpx2.Response:
    return httpx2.post(f"{url}/responses", json=request, headers=headers, timeout=LIMIT_SECONDS)


def read_stream(url: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a stream, read without the SDK."""
    answer = post(url, request | {"stream": True})
    assert answer.status_code == 200, answer.text
    *blocks, end = answer.content.decode().removesuffix("\n\n").split("\n\n")
    assert end == "data: [DONE]"
    return [json.loads(block.partition("\ndata: ")[2]) for block in blocks]


def stripped(items: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return an outline without the blanks around texts: vLLM leaves the template's in them."""
    return [tuple(text.strip() for text in item) for item in items]


# What the model says


@scenes
def test_stream_obeys_the_rule_book_and_fits_the_types_of_the_sdk(
    server: Server, scene: Scene
) -> None:
    events = read_stream(server.url, scene.request)

    assert grammar.check(events) == []
    assert [sdk_event.validate_python(event).type for event in events] == [
        event["type"] for event in events
    ]


@scenes
def test_stream_ends_with_what_the_model_did(sdk: openai.OpenAI, scene: Scene) -> None:
    with sdk.responses.create(stream=True, **scene.request) as stream:
        *_, last = stream

    assert last.type == f"response.{scene.status}"
    assert stripped(outline(last.response)) == stripped(scene.output)


@scenes
def test_response_that_is_not_streamed_holds_what_the_model_did(
    sdk: openai.OpenAI, scene: Scene
) -> None:
    response = sdk.responses.create(**scene.request)

    assert response.status == scene.status
    assert stripped(outline(response)) == stripped(scene.output)
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_reasoning_tokens_are_counted(sdk: openai.OpenAI) -> None:
    thinking = sdk.responses.create(**ask("Who are you?")).usage
    not_thinking = sdk.responses.create(**ask("Who are you?", **NOT_THINKING)).usage

    assert thinking is not None
    assert not_thinking is not None
    assert thinking.output_tokens_details.reasoning_tokens > 0
    assert not_thinking.output_tokens_details.reasoning_tokens == 0


def test_log_probabilities_spell_the_text(sdk: openai.OpenAI) -> None:
    response = sdk.responses.create(
        **ask("Who are you?"), include=["message.output_text.logprobs"], top_logprobs=2
    )

    message: Any = response.output[-1]
    (part,) = message.content
    assert "".join(entry.token for entry in part.logprobs) == part.text
    assert all(len(entry.top_logprobs) == 2 for entry in part.logprobs)


def test_field_that_only_vllm_has_reaches_it(sdk: openai.OpenAI) -> None:
    response = sdk.responses.create(
        **ask("Hello", **NOT_THINKING), extra_body={"structured_outputs": {"choice": ["blue"]}}
    )

    assert response.output_text == "blue"


# Tools


def test_model_answers_from_the_results_of_its_calls(sdk: openai.OpenAI) -> None:
    said = {"Paris": "It is sunny in Paris.", "London": "It is rainy in London."}
    request = SCENES["parallel calls"].request
    calls = sdk.responses.create(**request).output
    results = [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": said[json.loads(call.arguments)["city"]],
        }
        for call in calls
        if call.type == "function_call"
    ]
    question = {"role": "user", "content": request["input"]}

    answer = sdk.responses.create(**(request | {"input": [question, *calls, *results]}))

    expected = "The weather in Paris is sunny. The weather in London is rainy."
    assert answer.output_text.strip() == expected


@pytest.mark.parametrize(
    ("prompt", "choice", "name"),
    [
        pytest.param("What is the weather in Paris?", "required", "get_weather", id="required"),
        pytest.param(
            "What time is it in Oslo?",
            {"type": "function", "name": "get_time"},
            "get_time",
            id="named",
        ),
        pytest.param(
            "What is the weather in Paris?",
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "get_weather"}],
            },
            "get_weather",
            id="allowed",
        ),
    ],
)
@streamed_or_not
def test_forced_call_is_made(
    server: Server, prompt: str, choice: Any, name: str, stream: bool
) -> None:
    request = ask(prompt, tools=[GET_WEATHER, GET_TIME], tool_choice=choice)

    response = (
        read_stream(server.url, request)[-1]["response"]
        if stream
        else post(server.url, request).json()
    )

    assert response["status"] == "completed"
    assert [item.get("name") for item in response["output"] if item["type"] != "reasoning"] == [
        name
    ]


def test_only_one_call_is_made_where_parallel_ones_are_not_wanted(sdk: openai.OpenAI) -> None:
    request = SCENES["parallel calls"].request

    response = sdk.responses.create(**request, parallel_tool_calls=False)

    calls = [item for item in outline(response) if item[0] == "function_call"]
    assert calls == [("function_call", "get_weather", '{"city": "Paris"}')]


# Structured output


def test_parse_gives_an_object_of_the_callers_class(sdk: openai.OpenAI) -> None:
    response = sdk.responses.parse(**BOB, text_format=Person)

    assert response.output_parsed == Person(name="Bob", age=42)


def test_stream_helper_gives_an_object_of_the_callers_class(sdk: openai.OpenAI) -> None:
    with sdk.responses.stream(**BOB, text_format=Person) as stream:
        final = stream.get_final_response()

    assert final.output_parsed == Person(name="Bob", age=42)


# Errors

REFUSED = [
    pytest.param({"model": "nobody"}, 404, "model", "model_not_found", id="unknown model"),
    pytest.param(
        {"input": "Hello " * MAX_MODEL_LEN}, 400, None, "context_length_exceeded", id="overflow"
    ),
    # vLLM finds out when its headers have left, and says so in the stream.
    pytest.param({"text": {"format": BAD_SCHEMA}}, 400, None, None, id="bad schema"),
]


@streamed_or_not
@pytest.mark.parametrize(("given", "status", "param", "code"), REFUSED)
def test_refusal_of_vllm_is_an_http_error(
    server: Server, given: Any, status: int, param: str | None, code: str | None, stream: bool
) -> None:
    answer = post(server.url, ask("Hello", stream=stream) | given)

    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert param in (None, error["param"])
    assert code in (None, error["code"])


@streamed_or_not
@pytest.mark.parametrize("key", [None, "another"], ids=["no key", "wrong key"])
def test_only_the_key_of_the_server_opens_it(server: Server, key: str | None, stream: bool) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}

    answer = post(server.url, ask("Hello", stream=stream), headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


# Everything else is vLLM's


def test_api_answers_wherever_vllm_has_it(server: Server) -> None:
    answers = [post(url, ask("Who are you?", **NOT_THINKING)) for url in server.base_urls]
    beside = post(f"{server.root}/other/v1", ask("Who are you?"))

    assert {answer.json()["object"] for answer in answers} == {"response"}
    assert beside.status_code == 404


def test_rest_of_the_openai_api_is_vllms(sdk: openai.OpenAI) -> None:
    models = [model.id for model in sdk.models.list()]
    chat = sdk.chat.completions.create(
        model="tiny", temperature=0, messages=[{"role": "user", "content": "Hello"}]
    )

    assert models == ["tiny"]
    assert chat.choices[0].message.content is not None
    assert chat.choices[0].message.content.strip() == "Hello! How can I help you today?"


def test_paths_of_vllms_own_are_passed_on(server: Server) -> None:
    with httpx2.Client(base_url=server.root, headers=HEADERS, timeout=LIMIT_SECONDS) as client:
        health = client.get("/health")
        metrics = client.get("/metrics")
        tokens = client.post("/tokenize", json={"model": "tiny", "prompt": "Hello"})
        nothing = client.get("/nothing")

    assert (health.status_code, health.content) == (200, b"")
    assert "vllm:num_requests_running" in metrics.text
    assert tokens.json()["count"] == 1
    assert nothing.status_code == 404


# Disconnects


def read_metric(server: Server, name: str) -> float:
    """Return a metric of vLLM's."""
    text = httpx2.get(f"{server.root}/metrics", timeout=LIMIT_SECONDS).text
    (value,) = re.findall(rf"^{name}{{.*}} (\S+)$", text, re.MULTILINE)
    return float(value)


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask again and again; each time is a request to the server."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline


@streamed_or_not
def test_client_that_leaves_stops_generation(server: Server, stream: bool) -> None:
    running, generated = "vllm:num_requests_running", "vllm:generation_tokens_total"
    generated_before = read_metric(server, generated)
    wanted = MAX_MODEL_LEN - 100  # tokens; they take some ten seconds
    request = ask("Tell me a story.", stream=stream, ignore_eos=True, min_tokens=wanted)
    host = server.root.removeprefix("http://")

    with closing(http.client.HTTPConnection(host, timeout=LIMIT_SECONDS)) as client:
        client.request("POST", "/v1/responses", json.dumps(request), HEADERS)
        wait_until(lambda: read_metric(server, running) == 1)

    wait_until(lambda: read_metric(server, running) == 0)
    assert read_metric(server, generated) < generated_before + wanted


# The context


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(ask("Hello"), id="text"),
        pytest.param(ask("Hello", **NOT_THINKING), id="without reasoning"),
        pytest.param(ask("Hello", reasoning={"effort": "high"}), id="effort"),
        pytest.param(ask("Hello", tools=[GET_WEATHER, GET_TIME]), id="tools"),
        pytest.param(ask("Hello", instructions="Be brief."), id="instructions"),
    ],
)
def test_count_is_what_a_real_call_costs(sdk: openai.OpenAI, asked: dict[str, Any]) -> None:
    del (counted := dict(asked))["temperature"]  # shapes the answer alone

    count = sdk.responses.input_tokens.count(**counted)

    usage = sdk.responses.create(max_output_tokens=1, **asked).usage
    assert usage is not None
    assert count.input_tokens == usage.input_tokens


def test_what_does_not_fit_is_truncated(server: Server) -> None:
    """It counts no further than its context, so what is left out is found by halves."""
    turns = [
        {"role": role, "content": "Hello " * (MAX_MODEL_LEN // 8)}
        for _ in range(6)
        for role in ("user", "assistant")
    ]
    request = ask([*turns, {"role": "user", "content": "Who are you?"}], **NOT_THINKING)

    answer = post(server.url, request | {"truncation": "auto"})

    assert answer.status_code == 200, answer.text
    assert 0 < answer.json()["usage"]["input_tokens"] < MAX_MODEL_LEN
    assert answer.headers["x-adapter-dropped"].startswith("input[0], input[1]")


# What a probe finds

# (check, beginning of the finding); the adapter passes the questions on as they are.
FINDINGS = {
    "server": "vllm, told by its list of models",
    "output limit": "max_tokens obeyed, max_completion_tokens obeyed",
    "reasoning": "in reasoning",
    "effort none": "obeyed",
    "tool calls": 'get_weather({"city": "Paris"}), in ',
    "tool_choice none": "the model sees the tools, and writes its call as text",
    "tool_choice required": "obeyed",
    "tool_choice named": "obeyed, finish_reason stop",
    "parallel_tool_calls": "obeyed: 1 call in place of 2",
    "earlier reasoning": "read in reasoning_content and reasoning",
    "json_schema": "obeyed",
    "logprobs with tools": "taken",
    "image part": "refused (400): ",
    "context overflow": "refused (400): ",
}


def test_probe_finds_what_vllm_does(server: Server) -> None:
    report = asyncio.run(probe(server.url, api_key=KEY))

    found = {each.check: each.finding for each in report.findings}
    assert {check: found[check][: len(start)] for check, start in FINDINGS.items()} == FINDINGS
    assert report.facts == {"late_system": "system", "parts": {"input_audio", "video_url"}}
