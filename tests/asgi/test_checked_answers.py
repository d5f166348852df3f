"""Answers that have to fit a JSON schema, from an upstream that does not see to it.

The schema goes into the prompt; the answer is checked whole, and asked for once more.
"""

import json
from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Start
from tests.asgi.streams import open_stream, read_stream, text_of
from tests.servers.answers import (
    Answer,
    Pause,
    Reset,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
    whole_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}
GOOD, BAD = '{"a": 1}', '{"a": "one"}'
USAGE = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


async def ask(client: httpx2.AsyncClient, *, stream: bool, **fields: Any) -> dict[str, Any]:
    """Return the response."""
    if stream:
        answer = await read_stream(client, text=FORMAT, **fields)
        assert check(answer.events) == []
        found: dict[str, Any] = answer.events[-1]["response"]
        return found
    answer = await client.post(
        "/v1/responses", json={"model": "m", "input": "Hi", "text": FORMAT, **fields}
    )
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def said(response: dict[str, Any]) -> str:
    text: str = response["output"][-1]["content"][0]["text"]
    return text


streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@streamed
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(text_answer(GOOD), id="bare"),
        pytest.param(text_answer(f"```json\n{GOOD}\n```"), id="fence"),
        pytest.param(text_answer(f"```\n{GOOD}\n```\n"), id="fence-without-a-name"),
        pytest.param(text_answer(GOOD, reasoning="Hm."), id="behind-thoughts"),
        pytest.param(text_answer(f"<think>Hm.</think>{GOOD}"), id="behind-tags"),
        pytest.param(whole_answer(GOOD), id="whole"),
    ],
)
async def test_answer_that_fits_is_handed_on(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    stream: bool,
) -> None:
    start(dialect="deepseek")
    upstream.reply(answer)

    response = await ask(client, stream=stream)

    assert (said(response), response["status"]) == (GOOD, "completed")
    assert response["text"]["format"]["schema"] == SCHEMA
    asked = upstream.requests[0].json
    assert asked["response_format"] == {"type": "json_object"}
    assert json.dumps(SCHEMA, separators=(",", ":")) in asked["messages"][0]["content"]


@streamed
@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        (BAD, "$.a: 'one' is not of type 'integer'"),
        ("{}", "$: 'a' is a required property"),
        ("Sure! Here it is.", "it is not a JSON document"),
        (f"Here: {GOOD}", "it is not a JSON document"),
        ("", "it is not a JSON document"),
    ],
)
async def test_answer_that_does_not_fit_is_asked_for_once_more(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    first: str,
    complaint: str,
    stream: bool,
) -> None:
    start(dialect="deepseek")
    upstream.reply(text_answer(first), text_answer(f"```json\n{GOOD}\n```"))

    response = await ask(client, stream=stream)

    assert (said(response), len(response["output"])) == (GOOD, 1)
    counted = {name: response["usage"][name] for name in USAGE}
    assert counted == {name: 2 * count for name, count in USAGE.items()}
    before, again = (request.json["messages"] for request in upstream.requests)
    assert again[:-2] == before
    assert [message["role"] for message in again[-2:]] == ["assistant", "user"]
    assert again[-2]["content"] == first
    assert complaint in again[-1]["content"]


async def test_answer_is_not_asked_for_a_third_time(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="deepseek")
    upstream.always(text_answer(BAD))

    response = await ask(client, stream=False)

    assert (said(response), response["status"]) == (BAD, "completed")
    assert len(upstream.requests) == 2


@streamed
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(json_answer(500, {"error": {"message": "No."}}), id="error"),
        pytest.param(
            json_answer(400, {"error": {"message": "Unknown: temperature"}}), id="refusal"
        ),
        pytest.param(stream_answer(chunk({"content": "{"}), Reset()), id="cut-off"),
        pytest.param(stream_answer(done=False), id="empty"),
        pytest.param(text_answer("", finish_reason="stop"), id="nothing-said"),
        pytest.param(text_answer('{"a"', finish_reason="length"), id="half"),
        pytest.param(tool_answer(("f", {})), id="call"),
    ],
)
async def test_first_answer_has_to_do_where_there_is_no_better_one(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    second: Answer,
    stream: bool,
) -> None:
    start(dialect="deepseek")
    upstream.reply(text_answer(BAD), second)

    response = await ask(client, stream=stream, tools=[TOOL])

    assert (said(response), response["status"]) == (BAD, "completed")
    assert len(response["output"]) == 1


@streamed
@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (tool_answer(("f", {"a": "one"})), "function_call", "completed"),
        (stream_answer(chunk({"refusal": "No."}, "stop")), "message", "completed"),
        (text_answer('{"a": ', finish_reason="length"), "message", "incomplete"),
    ],
)
async def test_what_need_not_fit_is_handed_on_as_it_is(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    kind: str,
    status: str,
    stream: bool,
) -> None:
    start(dialect="deepseek")
    upstream.reply(answer)

    if stream and status == "incomplete":
        events = (await read_stream(client, text=FORMAT)).events
        response = events[-1]["response"]
    else:
        response = await ask(client, stream=stream, tools=[TOOL])

    assert (response["output"][-1]["type"], response["status"]) == (kind, status)
    assert len(upstream.requests) == 1


@streamed
async def test_failure_of_the_first_answer_is_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="deepseek")
    upstream.reply(json_answer(500, {"error": {"message": "No."}}))

    answer = await client.post(
        "/v1/responses", json={"model": "m", "input": "Hi", "text": FORMAT, "stream": stream}
    )

    assert (answer.status_code, answer.json()["error"]["message"]) == (502, "No.")


async def test_nothing_is_said_before_it_was_checked_but_that_the_stream_lives(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="deepseek", start_grace=0.001, keepalive_interval=0.001)
    first, second = Pause(), Pause()
    upstream.reply(
        stream_answer(chunk({"content": BAD[:5]}), first, chunk({"content": BAD[5:]}, "stop")),
        stream_answer(chunk({"content": GOOD[:5]}), second, chunk({"content": GOOD[5:]}, "stop")),
    )

    async with open_stream(client, text=FORMAT) as stream:
        for pause in (first, second):
            await pause.reached.wait()
            await stream.until("keepalive")
            await stream.until("keepalive")
            assert not [event for event in stream.events if "delta" in event["type"]]
            pause.release()
        await stream.rest()

    assert text_of(stream.events) == GOOD
    assert check(stream.events) == []


async def test_upstream_that_sees_to_the_schema_is_believed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")
    upstream.reply(text_answer(BAD))

    response = await ask(client, stream=False)

    assert (said(response), len(upstream.requests)) == (BAD, 1)


async def test_answer_is_not_checked_where_that_was_refused(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="deepseek", downgrades="refuse")

    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi", "text": FORMAT})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "text.format")
    assert upstream.requests == []
