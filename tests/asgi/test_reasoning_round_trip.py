"""Thoughts of a model go to the client and come back, plain or sealed, and upstream in its own field."""

import logging
import sys
from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Start
from tests.asgi.streams import read_stream
from tests.servers.answers import chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

THOUGHT = "Secret canary thought."
SEAL: dict[str, Any] = {"include": ["reasoning.encrypted_content"]}
SUMMARY: dict[str, Any] = {"reasoning": {"summary": "auto"}}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
KEY = "a long enough secret"
CALL = stream_answer(
    chunk({"reasoning_content": THOUGHT}),
    chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]}),
    chunk({}, "tool_calls"),
)


async def ask(client: httpx2.AsyncClient, given: Any = "Hi", **fields: Any) -> dict[str, Any]:
    """Return the response."""
    body = {"model": "m", "input": given, "tools": [TOOL], **fields}
    answer = await client.post("/v1/responses", json=body)
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = answer.json()
    return response


def back(output: list[Any], *, bare: bool = False) -> list[Any]:
    """Return the input of the next turn: all that was said, and the output of the call."""
    items = [{key: value for key, value in item.items() if key != "status"} for item in output]
    if bare:  # what clients keep that trust the seal alone
        items[0] |= {"content": None, "summary": []}
    said = {"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "ok"}
    return [{"role": "user", "content": "Hi"}, *items, said]


@pytest.mark.parametrize(
    ("dialect", "field", "value"),
    [
        ("vllm", "reasoning_content", THOUGHT),
        ("deepseek", "reasoning_content", THOUGHT),
        ("ollama", "reasoning", THOUGHT),
        (
            "mistral",
            "content",
            [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}],
        ),
        ("openai", "reasoning_content", None),
    ],
)
@pytest.mark.parametrize("bare", [True, False], ids=["sealed-alone", "as-it-came"])
async def test_thought_goes_back_in_the_dialects_field(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    dialect: str,
    field: str,
    value: Any,
    bare: bool,
) -> None:
    start(dialect=dialect, sealing_keys=[KEY])
    upstream.reply(CALL, text_answer("Done."))

    first = await ask(client, **SEAL)
    await ask(client, back(first["output"], bare=bare), **SEAL)

    sent = upstream.requests[1].json["messages"][1]
    assert (sent["role"], len(sent["tool_calls"])) == ("assistant", 1)
    assert sent.get(field) == value


async def test_sealed_thought_says_nothing(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm", sealing_keys=[KEY])
    upstream.reply(CALL, CALL)

    with_seal = (await ask(client, **SEAL))["output"][0]
    without = (await ask(client))["output"][0]

    assert with_seal["encrypted_content"].startswith("rsa.")
    assert "canary" not in with_seal["encrypted_content"]
    assert "encrypted_content" not in without


async def test_stream_holds_the_seal_where_the_item_is_done(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(dialect="vllm", sealing_keys=[KEY])
    upstream.reply(CALL)

    stream = await read_stream(client, tools=[TOOL], **SEAL)

    assert check(stream.events) == []
    items = {
        event["type"]: event["item"]
        for event in stream.events
        if event["type"].startswith("response.output_item") and event["output_index"] == 0
    }
    assert "encrypted_content" not in items["response.output_item.added"]
    sealed = items["response.output_item.done"]["encrypted_content"]
    assert stream.events[-1]["response"]["output"][0]["encrypted_content"] == sealed


async def test_what_cannot_be_sealed_is_reported(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    start(dialect="vllm")
    upstream.reply(CALL)

    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi", **SEAL})

    assert answer.headers["x-adapter-dropped"] == "include[0]"


@pytest.mark.parametrize(
    "foreign",
    ["gAAAAABo-openai", "rsa.AAAA", "rsa.", "☃", "rsa." + "A" * 1000],
)
async def test_foreign_seal_is_passed_over(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, foreign: str
) -> None:
    start(dialect="vllm", sealing_keys=[KEY])
    upstream.reply(CALL, text_answer("Done."))
    items = back((await ask(client, **SEAL))["output"], bare=True)
    items[1]["encrypted_content"] = foreign

    await ask(client, items)

    assert "reasoning_content" not in upstream.requests[1].json["messages"][1]


async def test_seal_opens_after_the_key_was_changed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply(CALL, text_answer("a"), text_answer("b"))
    start(dialect="vllm", sealing_keys=[KEY])
    items = back((await ask(client, **SEAL))["output"], bare=True)

    start(dialect="vllm", sealing_keys=["another, just as long", KEY])
    await ask(client, items)
    start(dialect="vllm", sealing_keys=["another, just as long"])
    await ask(client, items)

    found = [
        request.json["messages"][1].get("reasoning_content") for request in upstream.requests[1:]
    ]
    assert found == [THOUGHT, None]


async def test_key_of_the_process_is_warned_of_once(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start(dialect="vllm")
    caplog.set_level(logging.WARNING, "adapter")
    upstream.always(CALL)

    await ask(client)
    assert caplog.messages == []
    items = back((await ask(client, **SEAL))["output"], bare=True)
    await ask(client, items, **SEAL)

    assert [message for message in caplog.messages if "ADAPTER_SEALING_KEYS" in message] != []
    assert len(caplog.messages) == 1
    assert upstream.requests[-1].json["messages"][1]["reasoning_content"] == THOUGHT


@pytest.mark.parametrize(
    ("setting", "fields", "summary", "content"),
    [
        ("with_text", SUMMARY, THOUGHT, THOUGHT),
        ("instead", SUMMARY, THOUGHT, None),
        ("never", SUMMARY, None, THOUGHT),
        ("with_text", {}, None, THOUGHT),
        ("instead", {}, None, THOUGHT),
    ],
)
async def test_thought_is_shown_as_a_summary_by_setting(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    setting: str,
    fields: dict[str, Any],
    summary: str | None,
    content: str | None,
) -> None:
    start(dialect="vllm", reasoning_summaries=setting)
    upstream.reply(CALL, CALL, text_answer("Done."))

    item = (await ask(client, **fields))["output"][0]
    stream = await read_stream(client, tools=[TOOL], **fields)

    assert "".join(part["text"] for part in item["summary"]) == (summary or "")
    assert "".join(part["text"] for part in item.get("content") or ()) == (content or "")
    streamed = stream.events[-1]["response"]["output"][0]
    assert {**streamed, "id": ""} == {**item, "id": ""}
    assert check(stream.events) == []
    said = "".join(
        event["delta"]
        for event in stream.events
        if event["type"] == "response.reasoning_summary_text.delta"
    )
    assert said == (summary or "")
    await ask(client, back([item, {"type": "function_call", "call_id": "c1", "name": "f",
                                   "arguments": "{}"}]))  # fmt: skip
    assert upstream.requests[-1].json["messages"][1]["reasoning_content"] == THOUGHT
