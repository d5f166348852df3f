"""Calls of tools of MCP servers: real servers of the official SDK, a scripted model."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from tests.hosted.asking import arguments, items, kinds, mcp, text_of, tool_messages
from tests.hosted.conftest import Ask, Serve
from tests.servers.answers import Hang, chunk, stream_answer, text_answer, tool_answer
from tests.servers.scripted import ScriptedUpstream
from tests.servers.signals import WAIT_LIMIT_SECONDS

pytestmark = pytest.mark.anyio


async def test_a_call_is_made_and_the_model_answers_from_it(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("get_weather", {"city": "Paris"})), text_answer("It is sunny."))
    ask = asker(server)

    response = await ask("Weather?", tools=[mcp(server)])

    assert kinds(response) == ["mcp_list_tools", "mcp_call", "message"]
    assert text_of(response) == "It is sunny."
    (call,) = items(response, "mcp_call")
    assert call | {"id": "mcp_"} == {
        "type": "mcp_call",
        "id": "mcp_",
        "server_label": "tools",
        "name": "get_weather",
        "arguments": '{"city": "Paris"}',
        "status": "completed",
        "output": "It is sunny in Paris.",
        "error": None,
        "approval_request_id": None,
    }
    assert server.calls == [("get_weather", {"city": "Paris"})]
    assert tool_messages(ask.messages(1)) == ["It is sunny in Paris."]


async def test_the_events_are_those_that_openai_sends(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    """OpenAI's recorded stream `ai-openai-mcp-tool.1`, without its reasoning."""
    server = await serve_tools()
    upstream.reply(tool_answer(("get_weather", {"city": "Paris"})), text_answer("Sunny."))
    ask = asker(server)

    await ask(tools=[mcp(server)])

    assert ask.types() == [
        "created",
        "in_progress",
        "output_item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "output_item.done",
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


async def test_a_response_that_is_not_streamed_says_the_same(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("add", {"a": 1, "b": 2})), text_answer("3"))

    answer = await asker(server).whole(tools=[mcp(server)])

    assert answer.status_code == 200
    assert kinds(answer.json()) == ["mcp_list_tools", "mcp_call", "message"]
    assert items(answer.json(), "mcp_call")[0]["output"] == "3"


async def test_calls_of_one_turn_keep_their_order(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    cities = ["Paris", "Rome", "Oslo"]
    upstream.reply(
        tool_answer(*(("get_weather", {"city": city}) for city in cities), text="I look."),
        text_answer("Sunny everywhere."),
    )
    ask = asker(server)

    response = await ask(tools=[mcp(server)])

    calls = items(response, "mcp_call")
    assert [arguments(call)["city"] for call in calls] == cities
    assert [call["output"] for call in calls] == [f"It is sunny in {city}." for city in cities]
    (said,) = [message for message in ask.messages(1) if message["role"] == "assistant"]
    assert said["content"] == "I look."
    assert len(said["tool_calls"]) == 3


async def test_calls_of_several_turns_stay_apart(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(
        tool_answer(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2})),
        tool_answer(("add", {"a": 3, "b": 3})),
        text_answer("Done."),
    )
    ask = asker(server)

    await ask(tools=[mcp(server)])

    roles = [message["role"] for message in ask.messages(2)]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "tool"]
    assert ask.messages(2)[:4] == ask.messages(1)


async def test_usage_is_that_of_all_turns(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(
        tool_answer(("add", {"a": 1, "b": 1})),
        tool_answer(("add", {"a": 2, "b": 2})),
        text_answer("4"),
    )

    response = await asker(server)(tools=[mcp(server)])

    assert response["usage"]["input_tokens"] == 3 * 7
    assert response["usage"]["output_tokens"] == 3 * 5
    assert response["usage"]["total_tokens"] == 3 * 12


async def test_a_tool_that_fails_does_not_fail_the_response(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("fail", {"reason": "no luck"})), text_answer("It failed."))
    ask = asker(server)

    response = await ask(tools=[mcp(server)])

    (call,) = items(response, "mcp_call")
    assert (call["status"], call["output"]) == ("failed", None)
    assert call["error"]["type"] == "mcp_tool_execution_error"
    assert response["status"] == "completed"
    assert "mcp_call.failed" in ask.types()
    assert "no luck" in tool_messages(ask.messages(1))[0]


async def test_arguments_that_are_no_object_are_told_to_the_model(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    call = {"index": 0, "id": "c", "function": {"name": "add", "arguments": "{a: 1"}}
    upstream.reply(
        stream_answer(chunk({"tool_calls": [call]}), chunk({}, "tool_calls")), text_answer("Oh.")
    )
    ask = asker(server)

    response = await ask(tools=[mcp(server)])

    assert items(response, "mcp_call")[0]["error"] == {
        "type": "mcp_protocol_error",
        "code": -32602,
        "message": "The arguments are not a JSON object.",
    }
    assert server.calls == []


async def test_a_picture_is_shown_to_the_model(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("draw", {})), text_answer("A dot."))
    ask = asker(server)

    await ask(tools=[mcp(server)])

    shown = ask.messages(1)[-1]
    assert shown["role"] == "user"
    assert shown["content"][-1]["image_url"]["url"].startswith("data:image/png;base64,")


async def test_a_call_of_the_client_ends_the_response_once_the_others_are_made(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(
        tool_answer(("my_function", {"x": 1}), ("add", {"a": 1, "b": 1}), ("my_function", {"x": 2}))
    )
    ask = asker(server)

    function = {"type": "function", "name": "my_function", "parameters": {"type": "object"}}
    response = await ask(tools=[function, mcp(server)])

    assert kinds(response) == ["mcp_list_tools", "function_call", "mcp_call", "function_call"]
    assert items(response, "mcp_call")[0]["output"] == "2"
    assert len(upstream.requests) == 1


async def test_what_must_be_called_must_be_called_once(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("add", {"a": 1, "b": 1})), text_answer("2"))
    ask = asker(server)

    await ask(tools=[mcp(server)], tool_choice="required")

    assert ask.asked(0)["tool_choice"] == "required"
    assert ask.asked(1).get("tool_choice", "auto") == "auto"


async def test_no_more_calls_are_made_than_allowed(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    calls = [("add", {"a": n, "b": n}) for n in range(3)]
    upstream.reply(tool_answer(*calls), text_answer("Enough."))
    ask = asker(server)

    response = await ask(tools=[mcp(server)], max_tool_calls=2)

    assert [call["status"] for call in items(response, "mcp_call")] == [
        "completed",
        "completed",
        "failed",
    ]
    assert len(server.calls) == 2
    assert ask.offered(1) == []
    assert response["status"] == "completed"


async def test_the_last_turn_has_no_tools(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    again = tool_answer(("add", {"a": 1, "b": 1}))
    upstream.reply(again, again, text_answer("Enough."))
    ask = asker(server, max_turns=3)

    response = await ask(tools=[mcp(server)])

    assert text_of(response) == "Enough."
    assert [bool(ask.offered(turn)) for turn in range(3)] == [True, True, False]


@pytest.mark.parametrize("limit", [{"max_turns": 2}, {}])
async def test_a_model_that_never_stops_calling_is_stopped(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask, limit: dict[str, int]
) -> None:
    """Also one that calls what it is not offered any more."""
    server = await serve_tools()
    upstream.always(tool_answer(("add", {"a": 1, "b": 1})))
    ask = asker(server, **limit)

    response = await ask(tools=[mcp(server)], max_tool_calls=None if limit else 1)

    assert response["status"] == "completed"
    assert len(upstream.requests) == 2
    assert len(server.calls) == 1
    assert [call["status"] for call in items(response, "mcp_call")] == ["completed", "failed"]


async def test_an_answer_that_is_cut_off_calls_nothing(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    call = {"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"a": 1'}}
    upstream.reply(stream_answer(chunk({"tool_calls": [call]}), chunk({}, "length")))

    response = await asker(server)(tools=[mcp(server)])

    assert response["status"] == "incomplete"
    assert items(response, "mcp_call")[0]["status"] == "incomplete"
    assert server.calls == []


async def test_a_call_that_takes_too_long_fails_alone(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(
        tool_answer(("wait_for_ever", {}), ("add", {"a": 1, "b": 1})), text_answer("Too long.")
    )
    ask = asker(server, mcp_call_timeout=0.5)

    response = await ask(tools=[mcp(server)])

    slow, quick = items(response, "mcp_call")
    assert (slow["status"], quick["output"]) == ("failed", "2")
    await server.cancelled.wait()


async def test_all_calls_share_one_time(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("wait_for_ever", {})), text_answer("Too long."))
    ask = asker(server, tools_timeout=0.5)

    response = await ask(tools=[mcp(server)])

    (call,) = items(response, "mcp_call")
    assert call["error"]["message"] == "The time for tool calls is over."
    assert ask.offered(1) == []


async def test_a_client_that_goes_stops_the_call(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("wait_for_ever", {})), stream_answer(Hang()))
    ask = asker(server)

    task = asyncio.create_task(ask(tools=[mcp(server)]))
    await server.waiting.wait()
    task.cancel()

    async with asyncio.timeout(WAIT_LIMIT_SECONDS):
        await server.cancelled.wait()
    assert len(upstream.requests) == 1


async def test_an_upstream_that_fails_later_fails_the_response(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("add", {"a": 1, "b": 1})))  # nothing more is queued: a 500
    ask = asker(server)

    response = await ask(tools=[mcp(server)])

    assert response["status"] == "failed"
    assert kinds(response) == ["mcp_list_tools", "mcp_call"]


async def test_two_servers_may_have_tools_of_one_name(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    one, two = await serve_tools(), await serve_tools()
    upstream.reply(
        tool_answer(("add", {"a": 1, "b": 1}), ("two__add", {"a": 2, "b": 2})), text_answer("Done.")
    )
    ask = asker(one, two)

    response = await ask(
        tools=[
            mcp(one, "one", allowed_tools=["add"]),
            mcp(two, "two", allowed_tools=["add"]),
        ]
    )

    assert ask.offered(0) == ["add", "two__add"]
    found = [(call["server_label"], call["name"]) for call in items(response, "mcp_call")]
    assert found == [("one", "add"), ("two", "add")]
    assert [call[1]["a"] for call in (*one.calls, *two.calls)] == [1, 2]
    (said,) = [message for message in ask.messages(1) if message["role"] == "assistant"]
    assert [call["function"]["name"] for call in said["tool_calls"]] == ["add", "two__add"]


async def test_a_tool_of_the_client_keeps_its_name(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(text_answer("Hi."))
    ask = asker(server)

    function = {"type": "function", "name": "add", "parameters": {"type": "object"}}
    await ask(tools=[mcp(server, allowed_tools=["add"]), function])

    assert ask.offered(0) == ["add", "tools__add"]


async def test_headers_and_token_reach_the_server_and_nobody_else(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("add", {"a": 1, "b": 1})), text_answer("2"))
    ask = asker(server)

    tool = mcp(server, authorization="canary-token", headers={"x-key": "canary-key"})
    await ask(tools=[tool])

    seen = [headers for method, _, headers in server.requests if method == "POST"]
    assert {headers["authorization"] for headers in seen} == {"Bearer canary-token"}
    assert {headers["x-key"] for headers in seen} == {"canary-key"}
    assert "canary" not in str(ask.events)
    assert "canary" not in str([request.json for request in upstream.requests])


async def test_many_requests_leave_nothing_open(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    body = {"model": "scripted", "input": "Hi", "tools": [mcp(server)]}
    async with httpx2.AsyncClient(timeout=WAIT_LIMIT_SECONDS) as client:

        async def call() -> None:
            upstream.reply(tool_answer(("add", {"a": 1, "b": 1})), text_answer("2"))
            assert (await client.post(ask.url, json=body)).status_code == 200

        await call()
        before = _open()
        for _ in range(1000):
            await call()

        assert _open() == before


def _open() -> tuple[int, int]:
    """Return how many tasks and files there are."""
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))
