"""What is learned is remembered where it belongs: for a model of a route, and beside what is known."""

import logging
from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.asgi.streams import open_stream, text_of
from tests.learning.bodies import groq, llama_cpp, openai
from tests.learning.strict import TEXT, ask, strict
from tests.servers.answers import Answer, Pause, chunk, json_answer, stream_answer, text_answer
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

NO_SEED = openai("Unknown parameter: 'seed'.", "seed")
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}


def sent(upstream: ScriptedUpstream, *names: str) -> list[list[str]]:
    """Return which of these fields each request had."""
    return [[name for name in names if name in request.json] for request in upstream.requests]


async def test_several_refusals_in_a_row_are_all_remembered(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")

    def refuse(request: Request) -> Answer:
        for name in ("seed", "temperature", "stream_options"):
            if name in request.json:
                return openai(f"Unknown parameter: '{name}'.", name)
        return text_answer(TEXT)

    upstream.always(refuse)

    for _ in range(2):
        said, told = await ask(client, seed=1, temperature=1, top_p=1)
        assert (said, told[0]) == (TEXT, "dropped: stream_options")
        assert {"dropped: seed", "dropped: temperature"} <= set(told)

    assert sent(upstream, "seed", "temperature", "stream_options", "top_p") == [
        ["seed", "temperature", "stream_options", "top_p"],
        ["temperature", "stream_options", "top_p"],
        ["stream_options", "top_p"],
        ["top_p"],
        ["top_p"],
    ]


async def test_refusal_of_a_combination_is_met_but_not_remembered(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """llama.cpp takes `logprobs`, but not with tools in a stream."""
    start(dialect="generic")
    upstream.always(
        strict(
            lambda body: "logprobs" in body and "tools" in body,
            llama_cpp("logprobs is not supported with tools + stream"),
        )
    )

    _, told = await ask(client, top_logprobs=2, tools=[TOOL])
    await ask(client, top_logprobs=2)

    assert "dropped: top_logprobs" in told
    assert sent(upstream, "logprobs") == [["logprobs"], [], ["logprobs"]]


async def test_what_a_model_failed_to_do_is_not_remembered(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="groq")
    upstream.reply(groq("Tool choice is required, but model did not call a tool"))
    upstream.always(text_answer(TEXT))

    for _ in range(2):
        await ask(client, tools=[TOOL], tool_choice="required")

    choices = [request.json["tool_choice"] for request in upstream.requests]
    assert choices == ["required", "auto", "required"]


async def test_lesson_and_row_that_is_found_later_hold_together(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """The first answer tells the dialect when something was learned already."""
    start()
    upstream.reply(NO_SEED)
    upstream.always(
        stream_answer(chunk({"content": TEXT}, "stop", system_fingerprint="b11434-abcdef"))
    )
    fields: dict[str, Any] = {
        "seed": 1,
        "tools": [TOOL],
        "tool_choice": "none",  # llama.cpp's row leaves the tools out
    }

    for _ in range(2):
        _, told = await ask(client, **fields)
        assert "dropped: seed" in told

    assert sent(upstream, "seed", "tools") == [["seed", "tools"], ["tools"], []]


async def test_lessons_of_requests_at_the_same_time_add_up(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")
    pause = Pause()
    slow = text_answer(TEXT)
    upstream.reply(
        NO_SEED,
        Answer(200, slow.headers, slow.chunks, before=[pause]),
        openai("Unknown parameter: 'top_k'.", "top_k"),
    )
    upstream.always(text_answer(TEXT))

    async with open_stream(client, seed=1) as stream:
        await pause.reached.wait()
        await ask(client, top_k=1)
        pause.release()
        await stream.rest()
    await ask(client, seed=1, top_k=1)

    assert sent(upstream, "seed", "top_k")[-1] == []


async def test_lesson_of_an_alias_is_one_of_its_model(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "dialect": "generic", "aliases": {"fast": "qwen"}}
    start(routes={"one": route})
    upstream.always(strict(lambda body: "seed" in body, NO_SEED))

    for model in ("fast", "one/qwen", "fast"):
        await ask(client, model=model, seed=1)

    assert sent(upstream, "seed") == [["seed"], [], [], []]
    assert {request.json["model"] for request in upstream.requests} == {"qwen"}


async def test_facts_of_models_go_by_the_upstreams_name(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "dialect": "openai", "aliases": {"fast": "gpt-5-mini"}}
    start(routes={"one": route})
    upstream.always(text_answer(TEXT))

    _, told = await ask(client, model="fast", temperature=1)

    assert "dropped: temperature" in told


async def test_lesson_of_one_route_is_not_one_of_another(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "dialect": "generic"}
    start(routes={"one": route, "two": route})
    upstream.always(strict(lambda body: "seed" in body, NO_SEED))

    for model in ("one/m", "two/m", "one/m", "two/m"):
        await ask(client, model=model, seed=1)

    assert sent(upstream, "seed") == [["seed"], [], ["seed"], [], [], []]


@pytest.mark.parametrize("grace", [0, 0.001])
async def test_refusal_after_the_stream_has_begun_is_met_and_logged(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    grace: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start(dialect="generic", start_grace=grace)
    caplog.set_level(logging.DEBUG, "adapter")
    pause = Pause()
    upstream.reply(Answer(400, NO_SEED.headers, NO_SEED.chunks, [pause], framing="length"))
    upstream.always(text_answer(TEXT))

    async with open_stream(client, seed=1) as stream:
        await stream.until("response.in_progress")
        await pause.reached.wait()
        pause.release()
        await stream.rest()

    assert text_of(stream.events) == TEXT
    assert sent(upstream, "seed") == [["seed"], []]
    assert "learned from a refusal (refuses)" in caplog.text
    assert "dropped: seed" in caplog.text


async def test_failure_after_the_answer_has_begun_is_not_met_by_asking_again(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")
    error = {"error": {"message": "Unknown parameter: 'seed'.", "code": 400}}
    upstream.reply(stream_answer(chunk({"content": "Hel"}), error))

    async with open_stream(client, seed=1) as stream:
        await stream.rest()

    assert [event["type"] for event in stream.events][-2:] == ["error", "response.failed"]
    assert len(upstream.requests) == 1


async def test_key_that_a_refusal_quotes_is_not_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic", upstream_api_key="sk-canary-0123")
    upstream.always(json_answer(400, {"error": {"message": "bad key sk-canary-0123"}}))

    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi"})

    assert "sk-canary" not in answer.text
