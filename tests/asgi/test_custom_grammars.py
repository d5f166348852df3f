"""Inputs of custom tools that have to fit a grammar: enforced, or checked and asked for once more."""

import json
import logging
from typing import Any

import httpx2
import pytest

from adapter.checked import MAX_CHECKED_CALLS
from adapter.stream.grammar import check
from tests.asgi.conftest import Start
from tests.asgi.streams import read_stream
from tests.servers.answers import (
    Answer,
    json_answer,
    text_answer,
    tool_answer,
    whole_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

GRAMMAR = {
    "type": "grammar",
    "syntax": "lark",
    "definition": 'start: "x" (LF "y")*\n%import common.LF',
}
TOOL = {"type": "custom", "name": "w", "description": "Writes.", "format": GRAMMAR}
OTHER = {"type": "function", "name": "f", "parameters": {"type": "object"}}
NAMED = {"type": "custom", "name": "w"}
GOOD, BAD = "x\ny", "x\nz"
USAGE = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def call(text: str, name: str = "w") -> Answer:
    return tool_answer((name, {"input": text}))


async def ask(client: httpx2.AsyncClient, *, stream: bool, **fields: Any) -> dict[str, Any]:
    """Return the response."""
    fields = {"tools": [TOOL, OTHER], **fields}
    if stream:
        answer = await read_stream(client, **fields)
        assert check(answer.events) == []
        found: dict[str, Any] = answer.events[-1]["response"]
        return found
    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi", **fields})
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def calls(response: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (item["type"], item["name"], item.get("input", item.get("arguments")))
        for item in response["output"]
        if item["type"].endswith("_call")
    ]


# Enforced


@streamed
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(text_answer(GOOD), id="text"),
        pytest.param(text_answer(GOOD, reasoning="Hm."), id="behind-thoughts"),
        pytest.param(text_answer(f"<think>Hm.</think>{GOOD}"), id="behind-tags"),
        pytest.param(whole_answer(GOOD), id="whole"),
    ],
)
async def test_the_answer_is_the_call(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    stream: bool,
) -> None:
    start(dialect="vllm")
    upstream.reply(answer)

    response = await ask(client, stream=stream, tool_choice=NAMED)

    assert calls(response) == [("custom_tool_call", "w", GOOD)]
    assert response["status"] == "completed"
    assert (response["tools"][0], response["tool_choice"]) == (TOOL, NAMED)
    sent = upstream.requests[0].json
    assert "root ::=" in sent["structured_outputs"]["grammar"]
    assert "tools" not in sent
    assert "tool_choice" not in sent


async def test_it_is_said_as_it_comes(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm")
    upstream.reply(text_answer('say "x" now'))

    events = (await read_stream(client, tools=[TOOL], tool_choice="required")).events

    said = [(event["type"], event.get("delta")) for event in events if "input" in event["type"]]
    assert said == [
        *(("response.custom_tool_call_input.delta", word) for word in ("say", ' "x"', " now")),
        ("response.custom_tool_call_input.done", None),
    ]


async def test_what_is_changed_is_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm")
    upstream.reply(text_answer(GOOD))

    answer = await client.post(
        "/v1/responses",
        json={"model": "m", "input": "Hi", "tools": [TOOL], "tool_choice": "required"},
    )

    assert answer.headers["x-adapter-adapted"] == "tool_choice"


@streamed
async def test_an_input_that_looks_wrapped_is_what_it_is(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    """The grammar asked for it."""
    start(dialect="vllm")
    text = '```\n{"input": "x"}\n```'
    upstream.reply(text_answer(text))

    response = await ask(client, stream=stream, tool_choice=NAMED)

    assert calls(response) == [("custom_tool_call", "w", text)]


@streamed
async def test_one_that_is_cut_off_is_incomplete(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="vllm")
    upstream.reply(text_answer("x\n", finish_reason="length"))

    response = await ask(client, stream=stream, tool_choice=NAMED)

    assert (response["status"], response["output"][-1]["status"]) == ("incomplete", "incomplete")
    assert calls(response) == [("custom_tool_call", "w", "x\n")]


@streamed
@pytest.mark.parametrize(
    ("dialect", "refusal"),
    [
        ("vllm", "Invalid grammar specification."),
        ("vllm", "Failed to transform the grammar: EBNF parser error"),
        ("llama.cpp", "Failed to initialize samplers: failed to parse grammar"),
        ("sglang", "Failed to compile EBNF grammar"),
        ("fireworks", "Invalid response_format: the grammar could not be parsed"),
    ],
)
async def test_a_grammar_that_is_refused_is_described(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    dialect: str,
    refusal: str,
    stream: bool,
) -> None:
    """The next is tried again: it was this one that was refused."""
    start(dialect=dialect)
    refused = json_answer(400, {"error": {"message": refusal, "type": "BadRequestError"}})
    upstream.reply(refused, call(BAD), refused, call(GOOD))

    for text in (BAD, GOOD):
        response = await ask(client, stream=stream, tool_choice=NAMED)
        assert calls(response) == [("custom_tool_call", "w", text)]

    first, second, third, _ = (request.json for request in upstream.requests)
    assert "tools" not in first
    assert GRAMMAR["definition"] in second["tools"][0]["function"]["description"]
    assert {"structured_outputs", "ebnf", "grammar", "response_format"}.isdisjoint(second)
    assert third == first


async def test_an_upstream_that_knows_no_grammars_is_not_asked_again(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="fireworks")
    refused = json_answer(400, {"error": {"message": "Invalid value for response_format"}})
    upstream.reply(refused, call(BAD), call(GOOD))

    for text in (BAD, GOOD):
        response = await ask(client, stream=False, tool_choice=NAMED)
        assert calls(response) == [("custom_tool_call", "w", text)]


async def test_a_pattern_that_is_refused_is_sent_no_more(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="llama.cpp")
    word = {**TOOL, "format": {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"}}
    upstream.reply(
        json_answer(400, {"error": {"message": "failed to parse grammar", "code": 400}}), call("a")
    )

    response = await ask(client, stream=False, tools=[word])

    assert calls(response) == [("custom_tool_call", "w", "a")]
    first, second = (json.dumps(request.json["tools"]) for request in upstream.requests)
    assert ('"pattern"' in first, '"pattern"' in second) == (True, False)


# Checked


@streamed
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(call(GOOD), id="fits"),
        pytest.param(call(f"```\n{GOOD}\n```"), id="fits-without-its-fence"),
        pytest.param(call("anything", "f"), id="another-tool"),
        pytest.param(text_answer(BAD), id="no-call"),
    ],
)
async def test_what_fits_is_handed_on(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    stream: bool,
) -> None:
    start(dialect="generic", custom_grammars="repair")
    upstream.reply(answer)

    await ask(client, stream=stream)

    assert len(upstream.requests) == 1


@streamed
async def test_what_does_not_fit_is_asked_for_once_more(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="generic", custom_grammars="repair")
    upstream.reply(call(BAD), call(GOOD))

    response = await ask(client, stream=stream)

    assert calls(response) == [("custom_tool_call", "w", GOOD)]
    counted = {name: response["usage"][name] for name in USAGE}
    assert counted == {name: 2 * count for name, count in USAGE.items()}
    before, again = (request.json for request in upstream.requests)
    assert again["messages"][:-2] == before["messages"]
    made, complaint = again["messages"][-2:]
    assert json.loads(made["tool_calls"][0]["function"]["arguments"]) == {"input": BAD}
    assert complaint["role"] == "tool"
    assert complaint["tool_call_id"] == made["tool_calls"][0]["id"]
    assert complaint["content"] == (
        "The input does not fit the grammar of w: line 2, column 1: 'z' does not fit; expected "
        "'y'. Nothing was done. Call the tool again with input that fits."
    )
    # Nobody can be made to call one tool of two here, so it is the only one.
    assert ([tool["function"]["name"] for tool in again["tools"]], again["tool_choice"]) == (["w"], "required")  # fmt: skip


@streamed
async def test_it_is_enforced_then_where_it_can_be(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="vllm", custom_grammars="repair")
    upstream.reply(call(BAD), text_answer(GOOD))

    response = await ask(client, stream=stream)

    assert calls(response) == [("custom_tool_call", "w", GOOD)]
    before, again = (request.json for request in upstream.requests)
    assert ("tools" in before, "structured_outputs" in before) == (True, False)
    assert ("tools" in again, "structured_outputs" in again) == (False, True)


@streamed
async def test_other_calls_beside_it_stay(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="generic", custom_grammars="repair")
    first = tool_answer(("f", {"a": 1}), ("w", {"input": BAD}), ("f", {"a": 2}), text="Well.")
    upstream.reply(first, tool_answer(("f", {"a": 3}), ("w", {"input": GOOD})))

    response = await ask(client, stream=stream)

    assert calls(response) == [
        ("function_call", "f", '{"a": 1}'),
        ("custom_tool_call", "w", GOOD),
        ("function_call", "f", '{"a": 2}'),
    ]


@streamed
@pytest.mark.parametrize(
    ("second", "text"),
    [
        pytest.param(call("x\nq"), "x\nq", id="no-better"),
        pytest.param(call(GOOD, "f"), BAD, id="another-call"),
        pytest.param(text_answer("Sorry."), BAD, id="words"),
        pytest.param(text_answer("x", finish_reason="length"), BAD, id="half"),
        pytest.param(json_answer(500, {"error": {"message": "No."}}), BAD, id="error"),
    ],
)
async def test_what_does_not_fit_then_is_the_clients_to_refuse(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
    second: Answer,
    text: str,
    stream: bool,
) -> None:
    caplog.set_level(logging.DEBUG, "adapter.checked")
    start(dialect="generic", custom_grammars="repair")
    upstream.reply(call(BAD), second)

    response = await ask(client, stream=stream)

    assert (calls(response), response["status"]) == ([("custom_tool_call", "w", text)], "completed")
    assert len(upstream.requests) == 2
    assert "asking again: the answer does not fit" in caplog.messages
    assert BAD not in caplog.text


async def test_of_very_many_calls_only_the_first_are_checked(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic", custom_grammars="repair")
    inputs = [GOOD] * MAX_CHECKED_CALLS + [BAD]
    upstream.reply(tool_answer(*(("w", {"input": text}) for text in inputs)))

    response = await ask(client, stream=False)

    assert [text for _, _, text in calls(response)] == inputs
    assert len(upstream.requests) == 1


async def test_nothing_is_checked_unless_that_is_asked_for(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="generic")
    upstream.reply(call(BAD))

    response = await ask(client, stream=True)

    assert calls(response) == [("custom_tool_call", "w", BAD)]
    assert len(upstream.requests) == 1


@streamed
async def test_a_schema_is_checked_as_well(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(dialect="deepseek", custom_grammars="repair")
    upstream.reply(text_answer("no"), text_answer('{"a": 1}'), call(BAD), call(GOOD))
    schema = {"type": "object", "required": ["a"]}
    text = {"format": {"type": "json_schema", "name": "n", "schema": schema}}

    answered = await ask(client, stream=stream, text=text)
    called = await ask(client, stream=stream, text=text)

    assert answered["output"][0]["content"][0]["text"] == '{"a": 1}'
    assert calls(called) == [("custom_tool_call", "w", GOOD)]
