"""`context_management`: a conversation that has become too long is compacted in the same response.

Source: sheet §3 and §7.2 COMPACT; OpenAI's recorded streams (`compaction`, `compact_stateful_mode`),
in which the compaction follows the message that crossed the threshold.
"""

import sys
from typing import Any

import httpx2
import pytest

from adapter import sealing
from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import open_stream, read_stream, types
from tests.open_responses import event_errors, response_errors, sdk_errors
from tests.servers.answers import (
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

SHOWN = "Summary of the conversation so far:\n<summary>\n{}\n</summary>"
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
SAID: list[dict[str, Any]] = [
    {"role": "developer", "content": "You are an agent."},
    {"role": "user", "content": "My dog is called Rex."},
    {"role": "assistant", "content": "A fine name."},
    {"role": "user", "content": "And my cat Tom."},
]
ASKED: dict[str, Any] = {
    "input": SAID,
    "context_management": [{"type": "compaction", "compact_threshold": 1000}],
}
LONG = {"prompt_tokens": 900, "completion_tokens": 101, "total_tokens": 1001}
SHORT = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
SUMMARY = {"prompt_tokens": 1100, "completion_tokens": 50, "total_tokens": 1150}
OVERFLOW = json_answer(400, {"error": {"message": "Prompt too long"}})


async def post(client: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    return await client.post("/v1/responses", json={"model": "m", **ASKED, **fields})


def messages(upstream: ScriptedUpstream, index: int = -1) -> list[tuple[str, Any]]:
    asked = upstream.requests[index].json["messages"]
    return [(message["role"], message.get("content")) for message in asked]


async def test_compaction_follows_the_message_that_crossed_the_threshold(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(
        text_answer("Nice.", usage=LONG), text_answer("A dog Rex, a cat Tom.", usage=SUMMARY)
    )

    stream = await read_stream(client, **ASKED)

    events = stream.events
    assert check(events) == []
    assert [error for event in events for error in event_errors(event) + sdk_errors(event)] == []
    assert types(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    response = events[-1]["response"]
    assert response_errors(response) == []
    assert [item["type"] for item in response["output"]] == ["message", "compaction"]
    assert "context_management" not in response  # no field of the API's responses
    assert b"a cat Tom" not in stream.raw


async def test_summary_is_of_all_that_was_said(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Nice.", usage=LONG), text_answer("Pets.", usage=SUMMARY))

    await post(client, tools=[TOOL], tool_choice="required", instructions="Be kind.")

    assert messages(upstream)[:-1] == [
        ("system", "Be kind.\n\nYou are an agent."),
        ("user", "My dog is called Rex."),
        ("assistant", "A fine name."),
        ("user", "And my cat Tom."),
        ("assistant", "Nice."),
    ]
    assert messages(upstream)[-1][0] == "user"
    assert not {"tools", "tool_choice"} & upstream.requests[-1].json.keys()


async def test_usage_is_that_of_both_calls(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Nice.", usage=LONG), text_answer("Pets.", usage=SUMMARY))

    usage = (await post(client)).json()["usage"]

    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (
        2000,
        151,
        2151,
    )


async def test_next_request_goes_on_from_the_summary(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(
        text_answer("Nice.", usage=LONG), text_answer("Pets.", usage=SUMMARY), text_answer("Rex.")
    )
    output = (await post(client)).json()["output"]

    answer = await post(client, input=[*SAID, *output, {"role": "user", "content": "Who barks?"}])

    assert answer.status_code == 200
    assert messages(upstream) == [
        ("system", "You are an agent."),
        (
            "user",
            f"My dog is called Rex.\n\nAnd my cat Tom.\n\n{SHOWN.format('Pets.')}\n\nWho barks?",
        ),
    ]
    assert len(upstream.requests) == 3


async def test_stored_response_is_gone_on_from_in_the_same_way(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(store="memory:")
    upstream.reply(
        text_answer("Nice.", usage=LONG), text_answer("Pets.", usage=SUMMARY), text_answer("Rex.")
    )
    first = (await post(client)).json()

    await post(client, input="Who barks?", previous_response_id=first["id"])

    assert SHOWN.format("Pets.") in messages(upstream)[-1][1]
    assert "A fine name." not in str(messages(upstream))


@pytest.mark.parametrize(
    ("usage", "management"),
    [
        pytest.param(SHORT, ASKED["context_management"], id="no longer than the threshold"),
        pytest.param(None, ASKED["context_management"], id="nobody knows how long"),
        pytest.param(LONG, [{"type": "compaction"}], id="no threshold"),
        pytest.param(LONG, [], id="no entry"),
        pytest.param(LONG, None, id="not asked for"),
    ],
)
async def test_conversation_that_is_not_too_long_is_left_as_it_is(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    usage: Any,
    management: Any,
) -> None:
    start()
    upstream.reply(text_answer("Nice.", usage=usage))

    response = (await post(client, context_management=management)).json()

    assert [item["type"] for item in response["output"]] == ["message"]
    assert len(upstream.requests) == 1


async def test_answer_that_was_cut_off_is_not_compacted(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Ni", finish_reason="length", usage=LONG))

    response = (await post(client)).json()

    assert response["status"] == "incomplete"
    assert len(upstream.requests) == 1


async def test_call_that_the_client_has_still_to_make_outlives_the_compaction(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(
        tool_answer(("f", {}), usage=LONG),
        text_answer("Pets.", usage=SUMMARY),
        text_answer("Done."),
    )
    output = (await post(client, tools=[TOOL])).json()["output"]
    assert [item["type"] for item in output] == ["function_call", "compaction"]

    result = {"type": "function_call_output", "call_id": output[0]["call_id"], "output": "42"}
    answer = await post(client, tools=[TOOL], input=[*SAID, *output, result])

    assert answer.status_code == 200
    assert [role for role, _ in messages(upstream)] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]


async def test_answer_is_not_lost_if_the_summary_fails(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start()
    upstream.reply(text_answer("Nice.", usage=LONG), json_answer(503, {"error": "No."}))

    response = (await post(client)).json()

    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["message"]
    assert "could not be compacted" in caplog.text


async def test_without_the_extra_it_is_reported_as_dropped(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)  # as if it were not installed
    sealing._import.cache_clear()
    start()
    upstream.reply(text_answer("Nice.", usage=LONG))

    answer = await post(client)

    assert (answer.status_code, answer.headers["x-adapter-dropped"]) == (200, "context_management")
    assert len(upstream.requests) == 1


async def test_each_turn_of_a_socket_may_be_compacted(
    stand: Stand, start: Start, upstream: ScriptedUpstream
) -> None:
    """What the connection remembers is then the summary."""
    start()
    upstream.reply(
        text_answer("Nice.", usage=LONG), text_answer("Pets.", usage=SUMMARY), text_answer("Rex.")
    )

    async with open_socket(stand.url) as socket:
        first = await socket.ask(**ASKED)
        await socket.ask(input="Who barks?", previous_response_id=first["id"])

    assert SHOWN.format("Pets.") in messages(upstream)[-1][1]
    assert "A fine name." not in str(messages(upstream))


async def test_conversation_that_does_not_fit_is_compacted_first(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(OVERFLOW, text_answer("Pets.", usage=SUMMARY), text_answer("Nice."))

    stream = await read_stream(
        client, **ASKED, tools=[TOOL], tool_choice="required", truncation="auto"
    )

    assert check(stream.events) == []
    output = stream.events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["compaction", "message"]
    assert messages(upstream) == [
        ("system", "You are an agent."),
        ("user", f"My dog is called Rex.\n\nAnd my cat Tom.\n\n{SHOWN.format('Pets.')}"),
    ]
    assert upstream.requests[-1].json["tool_choice"] == "required"


async def test_without_a_threshold_only_what_does_not_fit_is_compacted(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(OVERFLOW, text_answer("Pets."), text_answer("Nice."))

    answer = await post(client, context_management=[{"type": "compaction"}])

    assert [item["type"] for item in answer.json()["output"]] == ["compaction", "message"]


async def test_what_does_not_fit_even_then_is_truncated(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(OVERFLOW, text_answer("Pets."), OVERFLOW, text_answer("Nice."))

    answer = await post(client, truncation="auto")

    assert answer.json()["status"] == "completed"
    assert messages(upstream) == [
        ("system", "You are an agent."),
        ("user", SHOWN.format("Pets.")),
    ]


async def test_what_cannot_even_be_summarised_is_an_overflow(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(OVERFLOW)

    answer = await post(client)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


async def test_stream_is_kept_alive_while_the_summary_is_written(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=0.01)
    pause = Pause()
    upstream.reply(
        text_answer("Nice.", usage=LONG),
        stream_answer(pause, chunk({"content": "Pets."}), chunk({}, "stop")),
    )

    async with open_stream(client, **ASKED) as stream:
        await stream.until("response.output_item.done")
        await stream.until("keepalive")
        pause.release()
        await stream.rest()

    assert check(stream.events) == []
    assert types(stream.events)[-1] == "response.completed"


@pytest.mark.parametrize(
    ("management", "param"),
    [
        ([{"type": "hologram"}], "context_management[0].type"),
        ([{"compact_threshold": 5}], "context_management[0]"),
        (
            [{"type": "compaction", "compact_threshold": 0}],
            "context_management[0].compact_threshold",
        ),
        ({"type": "compaction"}, "context_management"),
    ],
)
async def test_what_is_no_management_is_a_400(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    management: Any,
    param: str,
) -> None:
    start()

    answer = await post(client, context_management=management)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith(param)
    assert upstream.requests == []
