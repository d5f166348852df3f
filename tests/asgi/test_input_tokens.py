"""`POST /responses/input_tokens`: asked of the upstream's tokenizer, or else of its usage.

Source: sheet §1; issue 6; the endpoints of vLLM 0.32 and llama.cpp b11434.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from adapter.upstream.http import HttpCall, HttpUpstream
from tests.asgi.conftest import Stand, Start
from tests.servers.answers import Answer, Hang, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

PATH = "/v1/responses/input_tokens"
CHAT = "/v1/chat/completions"
LLAMA = "/v1/chat/completions/input_tokens"
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
ASKED: dict[str, Any] = {"model": "m", "input": "Hi", "instructions": "Be brief."}


def counted(count: int) -> Answer:
    return json_answer(200, {"count": count, "max_model_len": 8, "tokens": [1] * count})


def refused(status: int) -> Answer:
    return json_answer(status, {"detail": "No."})


def paths(upstream: ScriptedUpstream) -> list[str]:
    return [request.path for request in upstream.requests]


async def test_vllm_is_asked_with_the_translated_request(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm")
    upstream.reply(counted(41), to="/tokenize")

    answer = await client.post(
        PATH,
        json=ASKED
        | {
            "tools": [TOOL],
            "tool_choice": "auto",
            "text": {"format": {"type": "text"}},
            "reasoning": {"effort": "none"},
            "truncation": "auto",
            "parallel_tool_calls": True,
            "personality": "friendly",
            "conversation": None,
            "previous_response_id": None,
        },
        headers={"authorization": "Bearer sk-1"},
    )

    assert (answer.status_code, answer.json()) == (
        200,
        {"object": "response.input_tokens", "input_tokens": 41},
    )
    (asked,) = upstream.requests
    assert asked.json == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "chat_template_kwargs": {"reasoning_effort": "none", "enable_thinking": False},
    }
    assert asked.headers["authorization"] == "Bearer sk-1"


async def test_llama_cpp_is_asked_under_the_api(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="llama.cpp")
    upstream.reply(json_answer(200, {"input_tokens": 7}), to=LLAMA)

    answer = await client.post(PATH, json=ASKED)

    assert answer.json()["input_tokens"] == 7
    assert not {"stream", "stream_options"} & upstream.requests[0].json.keys()


async def test_older_llama_cpp_is_asked_for_the_prompt_and_then_its_tokens(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="llama.cpp")
    upstream.always(refused(404), to=LLAMA)
    upstream.always(json_answer(200, {"prompt": "<user>Hi"}), to="/apply-template")
    upstream.always(json_answer(200, {"tokens": [5, 6, {"id": 7}]}), to="/tokenize")

    first = await client.post(PATH, json=ASKED)
    second = await client.post(PATH, json=ASKED)

    assert [answer.json()["input_tokens"] for answer in (first, second)] == [3, 3]
    assert paths(upstream) == [LLAMA, *["/apply-template", "/tokenize"] * 2]
    assert upstream.requests[2].json == {
        "model": "m",
        "content": "<user>Hi",
        "add_special": True,
        "parse_special": True,
    }


async def test_tgi_is_asked_at_its_own_endpoint(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="tgi")
    tokens = {"tokenize_response": [{"id": 1}, {"id": 2}], "templated_text": "Hi"}
    upstream.reply(json_answer(200, tokens), to="/chat_tokenize")

    assert (await client.post(PATH, json=ASKED)).json()["input_tokens"] == 2


class ChatOnly:
    """An upstream of a user's own, which can do no more than it has to."""

    def __init__(self, url: str) -> None:
        self._inner = HttpUpstream(url)

    def open(self, body: bytes, headers: Mapping[str, str]) -> HttpCall:
        return self._inner.open(body, headers)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_upstream_that_takes_nothing_but_chat_is_called(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("A"))
    app = ResponsesAPI(ChatOnly(upstream.url), settings=Settings())
    async with app:
        stand.app = app

        answer = await client.post(PATH, json=ASKED)

    assert answer.json()["input_tokens"] == 7
    assert paths(upstream) == [CHAT]


async def test_unknown_upstream_is_tried_once_and_then_called_for_one_token(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(refused(404), to="/tokenize")
    upstream.always(refused(405), to=LLAMA)
    upstream.always(text_answer("A"))

    answers = [await client.post(PATH, json=ASKED) for _ in range(2)]

    assert [answer.json()["input_tokens"] for answer in answers] == [7, 7]
    assert paths(upstream) == ["/tokenize", LLAMA, CHAT, CHAT]
    assert upstream.requests[-1].json["max_tokens"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refused(400), id="a refusal"),
        pytest.param(refused(500), id="a failure"),
        pytest.param(json_answer(200, {"count": "many"}), id="no number"),
        pytest.param(json_answer(200, {"ok": True}), id="something else"),
        pytest.param(Answer(chunks=[b"<html>"]), id="no JSON"),
        pytest.param(json_answer(200, {"count": 0}), id="nothing"),
    ],
)
async def test_endpoint_that_does_not_tell_is_passed_over(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, answer: Answer
) -> None:
    start(dialect="vllm")
    upstream.reply(answer, to="/tokenize")
    upstream.reply(text_answer("A"))

    counted = await client.post(PATH, json=ASKED)

    assert (counted.status_code, counted.json()["input_tokens"]) == (200, 7)


async def test_endless_answer_of_an_endpoint_is_passed_over(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm", max_event_bytes=1000)
    upstream.reply(counted(1000), to="/tokenize")
    upstream.reply(text_answer("A"))

    assert (await client.post(PATH, json=ASKED)).json()["input_tokens"] == 7


async def test_pictures_are_not_counted_from_the_prompt_of_an_older_llama_cpp(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="llama.cpp")
    upstream.reply(refused(404), to=LLAMA)
    upstream.reply(text_answer("A"))
    upstream.reply(json_answer(200, {"prompt": "<user>Hi"}), to="/apply-template")
    upstream.reply(json_answer(200, {"tokens": [5]}), to="/tokenize")
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    shown = {"model": "m", "input": [{"role": "user", "content": [picture]}]}

    answers = [await client.post(PATH, json=asked) for asked in (shown, ASKED)]

    assert [answer.json()["input_tokens"] for answer in answers] == [7, 1]
    assert paths(upstream) == [LLAMA, CHAT, "/apply-template", "/tokenize"]


async def test_without_an_endpoint_and_calls_it_is_a_501(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="sglang", count_by_call=False)

    answer = await client.post(PATH, json=ASKED)

    assert answer.status_code == 501
    assert answer.json()["error"] == {
        "message": "The tokens of this model's input cannot be counted: its upstream has no "
        "endpoint that counts tokens.",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_implemented",
    }
    assert upstream.requests == []


async def test_without_usage_it_is_a_501(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="sglang")
    upstream.reply(text_answer("A", usage=None))

    answer = await client.post(PATH, json=ASKED)

    assert answer.status_code == 501
    assert "usage" in answer.json()["error"]["message"]


async def test_call_asks_for_nothing_of_an_answer(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="sglang")
    upstream.reply(text_answer("A"))
    asked = ASKED | {"max_output_tokens": 500, "top_logprobs": 3}

    await client.post(PATH, json=asked)

    assert upstream.requests[0].json["max_tokens"] == 1
    assert not {"logprobs", "top_logprobs"} & upstream.requests[0].json.keys()


async def test_refusal_of_the_call_is_passed_on(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="sglang")
    upstream.reply(json_answer(401, {"error": "Unauthorized"}))

    answer = await client.post(PATH, json=ASKED)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"input": "Hi"}, "model", "missing_required_parameter"),
        ({"model": "m"}, "input", "missing_required_parameter"),
        ({"model": "m", "input": [{"type": "hologram"}]}, "input[0].type", "unsupported_value"),
        (
            {"model": "m", "input": "Hi", "previous_response_id": "resp_1"},
            "previous_response_id",
            "unsupported_parameter",
        ),
    ],
)
async def test_request_that_could_not_be_carried_out_is_a_400(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    body: Any,
    param: str,
    code: str,
) -> None:
    start()

    answer = await client.post(PATH, json=body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert upstream.requests == []


async def test_what_would_be_left_out_is_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm")
    upstream.reply(counted(1), to="/tokenize")

    answer = await client.post(PATH, json=ASKED | {"unheard_of": 1})

    assert answer.headers["x-adapter-dropped"] == "unheard_of"


async def test_stored_conversation_counts(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm", store="memory:")
    upstream.reply(text_answer("A fine name."))
    upstream.reply(counted(77), to="/tokenize")
    said = {"model": "m", "input": "My dog is called Rex."}
    first = (await client.post("/v1/responses", json=said)).json()

    answer = await client.post(PATH, json=ASKED | {"previous_response_id": first["id"]})

    assert answer.json()["input_tokens"] == 77
    assert [message["content"] for message in upstream.requests[1].json["messages"]] == [
        "Be brief.",
        "My dog is called Rex.",
        "A fine name.",
        "Hi",
    ]


async def test_method_is_post(start: Start, client: httpx2.AsyncClient) -> None:
    start()

    answer = await client.get(PATH)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_upstream_is_left_when_the_client_goes(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="sglang")
    upstream.reply(stream_answer(Hang()))

    asking = asyncio.create_task(client.post(PATH, json=ASKED))
    asked = await upstream.request(0)
    asking.cancel()

    await asked.disconnected.wait()


async def test_upstream_with_its_own_responses_api_counts_itself(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(routes={"own": {"upstream": upstream.url, "api": "responses", "models": ["m"]}})
    theirs = {"object": "response.input_tokens", "input_tokens": 3}
    upstream.reply(json_answer(200, theirs), to=PATH)

    answer = await client.post(PATH, json=ASKED)

    assert answer.json() == theirs
    assert upstream.requests[0].json == ASKED
