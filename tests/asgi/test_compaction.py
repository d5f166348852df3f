"""A `compaction_trigger`: one sealed summary for a long conversation, and its way back.

Source: sheet §4 and §7.2 COMPACT; openai/codex `compact_remote_v2.rs` ("expected exactly one
compaction output item"); `clients.md` §1.
"""

import sys
from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import open_stream, read_stream, types
from tests.open_responses import event_errors, response_errors, sdk_errors
from tests.servers.answers import (
    Answer,
    Hang,
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

TRIGGER = {"type": "compaction_trigger"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
SHOWN = "Summary of the conversation so far:\n<summary>\n{}\n</summary>"
CONVERSATION: list[dict[str, Any]] = [
    {"role": "developer", "content": "You are an agent."},
    {"role": "user", "content": "Make it so."},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "Done."},
    {"role": "assistant", "content": "It is so."},
]
ASKED: dict[str, Any] = {"input": [*CONVERSATION, TRIGGER], "tools": [TOOL]}
OVERFLOW = json_answer(400, {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}})


async def post(client: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    return await client.post("/v1/responses", json={"model": "m", **ASKED, **fields})


def contents(upstream: ScriptedUpstream, index: int = -1) -> list[Any]:
    return [message["content"] for message in upstream.requests[index].json["messages"]]


async def test_stream_holds_one_compaction_and_nothing_else(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well.", reasoning="Let me see."))

    stream = await read_stream(client, **ASKED)

    events = stream.events
    assert check(events) == []
    assert types(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    (item,) = events[-1]["response"]["output"]
    assert item.keys() == {"type", "id", "encrypted_content"}
    assert item["id"].startswith("cmp_")
    assert events[2]["item"] == events[3]["item"] == item


async def test_summary_cannot_be_read_by_the_client(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well."))

    stream = await read_stream(client, **ASKED)

    assert b"All is well" not in stream.raw


async def test_events_fit_the_schemas(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well."))

    stream = await read_stream(client, **ASKED)

    errors = [error for event in stream.events for error in event_errors(event) + sdk_errors(event)]
    assert errors == []
    assert response_errors(stream.events[-1]["response"]) == []


async def test_response_echoes_the_request_and_tells_what_the_summary_cost(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well."))

    response = (await post(client, instructions="Be brief.")).json()

    assert (response["status"], response["instructions"]) == ("completed", "Be brief.")
    assert [tool["name"] for tool in response["tools"]] == ["f"]
    assert response["usage"]["total_tokens"] == 12


async def test_model_is_asked_for_a_summary_of_everything_without_tools(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well."))

    await post(client, text={"format": {"type": "json_object"}}, temperature=0.5)

    asked = upstream.requests[0].json
    roles = [message["role"] for message in asked["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert "summary" in asked["messages"][-1]["content"]
    assert not {"tools", "tool_choice", "response_format"} & asked.keys()
    assert asked["temperature"] == 0.5
    assert 8192 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))


@pytest.mark.parametrize(("setting", "asked", "limit"), [(100, None, 100), (100, 7, 7), (5, 7, 5)])
async def test_summary_is_no_longer_than_the_setting_and_the_client_allow(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    setting: int,
    asked: int | None,
    limit: int,
) -> None:
    start(max_summary_tokens=setting)
    upstream.reply(text_answer("All is well."))

    await post(client, max_output_tokens=asked)

    sent = upstream.requests[0].json
    assert limit in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


async def test_item_comes_back_as_a_message_of_the_user(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """As Codex goes on: what the user said, the item, and what is new."""
    start()
    upstream.reply(text_answer("All is well."), text_answer("Hello"))
    (item,) = (await post(client)).json()["output"]

    await post(client, input=[*CONVERSATION[:2], item, {"role": "user", "content": "Go on."}])

    said = f"Make it so.\n\n{SHOWN.format('All is well.')}\n\nGo on."
    assert contents(upstream) == ["You are an agent.", said]


async def test_item_is_part_of_what_is_summarised_next_time(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is well."), text_answer("Still well."))
    (item,) = (await post(client)).json()["output"]

    answer = await post(client, input=[*CONVERSATION, item, TRIGGER])

    assert answer.status_code == 200
    assert SHOWN.format("All is well.") in contents(upstream)[1]


async def test_item_is_opened_by_another_process_with_the_same_key(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("All is well."), text_answer("Hello"))
    start(sealing_keys=("a key of sixteen or more",))
    (item,) = (await post(client)).json()["output"]
    start(sealing_keys=("another one, newer than that", "a key of sixteen or more"))

    await post(client, input=[item, {"role": "user", "content": "Go on."}])

    assert "All is well." in contents(upstream)[0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sealed: sealed[:-4] + "AAAA", id="changed"),
        pytest.param(lambda sealed: sealed[:20], id="cut"),
        pytest.param(lambda sealed: "gAAAAABp4W-pQG0E" + sealed, id="somebody else's"),
        pytest.param(lambda sealed: sealed.replace("rsa.", "rsa.\u00e9"), id="no base64"),
        pytest.param(lambda _: "", id="empty"),
    ],
)
async def test_forged_item_is_left_out_and_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, change: Any
) -> None:
    start()
    upstream.reply(text_answer("All is well."), text_answer("Hello"))
    (item,) = (await post(client)).json()["output"]
    forged = item | {"encrypted_content": change(item["encrypted_content"])}

    answer = await post(client, input=[forged, {"role": "user", "content": "Go on."}])

    assert answer.status_code == 200
    assert answer.headers["x-adapter-dropped"] == "input[0]"
    assert contents(upstream) == ["Go on."]


async def test_sealed_reasoning_is_no_compaction(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """Each kind has a key of its own."""
    start()
    upstream.reply(text_answer("Hello", reasoning="Hm"), text_answer("Hello"))
    sealed = {"include": ["reasoning.encrypted_content"], "input": "Hi"}
    reasoning = (await post(client, **sealed)).json()["output"][0]
    item = {"type": "compaction", "encrypted_content": reasoning["encrypted_content"]}

    answer = await post(client, input=[item, {"role": "user", "content": "Go on."}])

    assert answer.headers["x-adapter-dropped"] == "input[0]"


# What may go wrong


async def test_trigger_in_the_middle_is_a_400(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()

    answer = await post(client, input=[TRIGGER, *CONVERSATION])

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input[0]"
    assert upstream.requests == []


async def test_trigger_alone_is_a_400(start: Start, client: httpx2.AsyncClient) -> None:
    start()

    answer = await post(client, input=[TRIGGER])

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input"


async def test_missing_extra_is_a_400_that_names_it(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adapter import sealing

    monkeypatch.setitem(sys.modules, "cryptography", None)  # as if it were not installed
    sealing._import.cache_clear()
    start()

    answer = await post(client)

    assert answer.status_code == 400
    assert "responses-adapter[sealing]" in answer.json()["error"]["message"]
    assert upstream.requests == []


async def test_items_are_left_out_without_the_extra(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adapter import sealing

    monkeypatch.setitem(sys.modules, "cryptography", None)
    sealing._import.cache_clear()
    start()
    upstream.reply(text_answer("Hello"))
    item = {"type": "compaction", "encrypted_content": "rsa.AAAA"}

    answer = await post(client, input=[item, {"role": "user", "content": "Hi"}])

    assert (answer.status_code, answer.headers["x-adapter-dropped"]) == (200, "input[0]")


@pytest.mark.parametrize("stream", [True, False])
async def test_refusal_of_the_upstream_is_that_of_the_request(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    start(start_grace=60)
    upstream.reply(json_answer(429, {"error": {"message": "slow"}}, {"retry-after": "7"}))

    answer = await post(client, stream=stream)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


async def test_failure_after_the_stream_has_begun_is_in_it(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0)
    upstream.reply(json_answer(503, {"error": {"message": "No."}}))

    stream = await read_stream(client, **ASKED)

    assert check(stream.events) == []
    assert types(stream.events)[-2:] == ["error", "response.failed"]


async def test_stream_is_kept_alive_while_the_model_writes(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0, keepalive_interval=0.01)
    pause = Pause()
    upstream.reply(stream_answer(pause, chunk({"content": "Well."}), chunk({}, "stop")))

    async with open_stream(client, **ASKED) as stream:
        await stream.until("keepalive")
        pause.release()
        await stream.rest()

    assert check(stream.events) == []
    assert types(stream.events)[-1] == "response.completed"


async def test_upstream_is_left_when_the_client_goes(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0)
    upstream.reply(Answer(chunks=[Hang()]))

    async with open_stream(client, **ASKED) as stream:
        await stream.next()
        await upstream.request(0)

    await (await upstream.request(0)).disconnected.wait()


async def test_conversation_that_does_not_fit_is_summarised_as_far_as_it_does(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """First without a limit for the answer, which many servers count in, then by halves."""
    start()
    upstream.reply(OVERFLOW, OVERFLOW, OVERFLOW, text_answer("All is well."))
    said = [
        {"role": role, "content": f"{role} {number}"}
        for number in range(8)
        for role in ("user", "assistant")
    ]

    answer = await post(client, input=[CONVERSATION[0], *said, TRIGGER])

    assert answer.status_code == 200
    asked = [request.json for request in upstream.requests]
    limits = [each.get("max_tokens") or each.get("max_completion_tokens") for each in asked]
    assert limits == [8192, None, None, None]
    assert [len(each["messages"]) for each in asked] == [18, 18, 8, 4]
    assert contents(upstream)[:2] == ["You are an agent.", "user 7"]


async def test_conversation_that_cannot_be_shortened_enough_is_an_overflow(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(OVERFLOW)

    answer = await post(client, input=[*CONVERSATION[:2], TRIGGER])

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert len(upstream.requests) == 2


async def test_attempts_are_bounded(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(OVERFLOW)
    said = [{"role": "user", "content": f"{number}"} for number in range(1000)]

    answer = await post(client, input=[*said, TRIGGER])

    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert len(upstream.requests) == 6


async def test_reasoning_that_takes_all_room_is_given_more(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(
        text_answer("", reasoning="Let me see.", finish_reason="length"),
        text_answer("All is well.", reasoning="Let me see."),
    )

    answer = await post(client)

    assert [item["type"] for item in answer.json()["output"]] == ["compaction"]
    assert not {"max_tokens", "max_completion_tokens"} & upstream.requests[1].json.keys()


async def test_summary_that_was_cut_off_counts(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("All is", finish_reason="length"))

    response = (await post(client)).json()

    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["compaction"]


async def test_what_the_model_thought_counts_if_it_says_nothing_else(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """A shorter memory is better than a conversation that cannot go on."""
    start()
    upstream.reply(text_answer("", reasoning="All is well, I think."), text_answer("Hello"))
    (item,) = (await post(client)).json()["output"]

    await post(client, input=[item])

    assert contents(upstream) == [SHOWN.format("All is well, I think.")]


@pytest.mark.parametrize(
    ("replies", "status", "code"),
    [
        pytest.param([text_answer("")], 502, "server_error", id="nothing"),
        pytest.param([tool_answer(("f", {}))], 502, "server_error", id="a call"),
        pytest.param(
            [text_answer("", finish_reason="length")] * 2, 502, "server_error", id="no end"
        ),
        pytest.param(
            [text_answer("", finish_reason="content_filter")], 400, "invalid_prompt", id="filtered"
        ),
    ],
)
async def test_answer_without_a_summary_is_an_error(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    replies: list[Answer],
    status: int,
    code: str,
) -> None:
    start()
    upstream.reply(*replies)

    answer = await post(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert len(upstream.requests) == len(replies)


# Over a WebSocket


async def test_conversation_of_a_websocket_is_compacted_and_goes_on(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    """What was said before is superseded, though the client does not send it again."""
    start()
    upstream.reply(
        text_answer("It is so."), text_answer("All is well."), text_answer("Further still.")
    )

    async with open_socket(stand.url) as socket:
        first = await socket.ask(input="Make it so.")
        compacted = await socket.ask(input=[TRIGGER], previous_response_id=first["id"])
        last = await socket.ask(input="Go on.", previous_response_id=compacted["id"])

    assert [item["type"] for item in compacted["output"]] == ["compaction"]
    assert last["status"] == "completed"
    assert contents(upstream, 1)[:2] == ["Make it so.", "It is so."]
    assert contents(upstream, 2) == [f"Make it so.\n\n{SHOWN.format('All is well.')}\n\nGo on."]
