"""`truncation: "auto"`: what the upstream finds too long is sent without its oldest part.

Source: sheet §3; issue 6.
"""

from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Start
from tests.asgi.streams import read_stream, types
from tests.servers.answers import Answer, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

TURNS: list[dict[str, Any]] = [
    {"role": role, "content": f"{role} {number} " + "x" * 200}
    for number in range(4)
    for role in ("user", "assistant")
]
LAST = {"role": "user", "content": "And now?"}
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "a", "output": "x" * 800}


def overflow(asked: int, allowed: int) -> Answer:
    message = f"request ({asked} tokens) exceeds the available context size ({allowed} tokens)"
    return json_answer(400, {"error": {"message": message, "type": "exceed_context_size_error"}})


VAGUE = json_answer(400, {"error": {"message": "Prompt too long"}})


async def post(client: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    asked = {"model": "m", "input": [*TURNS, LAST], "truncation": "auto", **fields}
    return await client.post("/v1/responses", json=asked)


def said(upstream: ScriptedUpstream, index: int = -1) -> list[str]:
    messages = upstream.requests[index].json["messages"]
    return [message["content"].split(" x")[0] for message in messages]


async def test_what_is_too_much_is_left_out_at_once_and_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(overflow(1000, 800), text_answer("Well."))

    answer = await post(client, instructions="Be brief.")

    response = answer.json()
    assert (answer.status_code, response["status"], response["truncation"]) == (
        200,
        "completed",
        "auto",
    )
    assert said(upstream) == [
        "Be brief.",
        "user 2",
        "assistant 2",
        "user 3",
        "assistant 3",
        "And now?",
    ]
    assert answer.headers["x-adapter-dropped"] == "input[0], input[1], input[2], input[3]"
    assert len(upstream.requests) == 2


async def test_more_is_left_out_until_it_fits(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(VAGUE, overflow(500, 499), text_answer("Well."))

    answer = await post(client)

    assert answer.json()["output"][0]["content"][0]["text"] == "Well."
    assert [len(said(upstream, index)) for index in range(3)] == [9, 3, 1]


async def test_stream_is_as_if_nothing_had_happened(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(VAGUE, text_answer("Well."))

    stream = await read_stream(client, input=[*TURNS, LAST], truncation="auto")

    assert check(stream.events) == []
    assert types(stream.events)[-1] == "response.completed"


async def test_overflow_that_comes_as_the_first_event_counts_too(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """vLLM sends its 200 before it looks at the request."""
    start()
    error = {"error": {"message": "Prompt too long", "code": 400}}
    upstream.reply(stream_answer(error), text_answer("Well."))

    answer = await post(client)

    assert (answer.status_code, len(upstream.requests)) == (200, 2)


@pytest.mark.parametrize("truncation", ["disabled", None])
async def test_without_it_the_request_fails(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, truncation: Any
) -> None:
    start()
    upstream.reply(VAGUE)

    answer = await post(client, truncation=truncation)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert len(upstream.requests) == 1


async def test_what_may_not_be_left_out_is_an_overflow(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(VAGUE)

    answer = await post(client, input=[{"role": "developer", "content": "Be brief."}, LAST])

    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert len(upstream.requests) == 1


async def test_attempts_are_bounded(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(overflow(1001, 1000))
    turns = [{"role": "user", "content": f"{number}"} for number in range(1000)]

    answer = await post(client, input=turns, max_output_tokens=1)

    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert len(upstream.requests) == 13


async def test_other_refusals_leave_nothing_out(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(json_answer(401, {"error": "Unauthorized"}))

    assert (await post(client)).status_code == 401
    assert len(upstream.requests) == 1


async def test_call_goes_with_its_output(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(overflow(1000, 900), text_answer("Well."))

    answer = await post(client, input=[TURNS[0], CALL, OUTPUT, LAST])

    assert said(upstream) == ["And now?"]
    assert answer.headers["x-adapter-dropped"] == "input[0], input[1], input[2]"


async def test_what_a_refusal_taught_is_not_forgotten(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    unknown = json_answer(400, {"error": {"message": "Unrecognized request argument: seed"}})
    upstream.reply(overflow(1000, 800), unknown, text_answer("Well."))

    await post(client, seed=1)

    assert [len(said(upstream, index)) for index in range(3)] == [9, 5, 5]
    assert ["seed" in request.json for request in upstream.requests] == [True, True, False]


async def test_stored_history_is_left_out_first_and_reported_once(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(store="memory:")
    upstream.reply(text_answer("Well."), overflow(1000, 800), text_answer("Well."))
    first = (await post(client, input=TURNS)).json()

    answer = await post(client, input=[LAST], previous_response_id=first["id"])

    assert said(upstream)[0] == "user 2"
    assert said(upstream)[-1] == "And now?"
    assert answer.headers["x-adapter-dropped"] == "previous_response_id"
