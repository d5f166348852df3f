"""Calls of MCP tools that the client has to approve, in one request or over several.

The scenarios are those of huggingface/responses.js (`auto`, `ask`, `approved`, `approved without
request`) and of OpenAI's recorded streams `ai-openai-mcp-tool-approval.1` to `.4`.
"""

from typing import Any

import pytest

from tests.hosted.asking import items, kinds, mcp, text_of, tool_messages
from tests.hosted.conftest import Ask, Serve
from tests.servers.answers import chunk, stream_answer, text_answer, tool_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CALL = tool_answer(("get_weather", {"city": "Paris"}))


async def test_the_client_is_asked_before_a_call(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(CALL)
    ask = asker(server)

    response = await ask(tools=[mcp(server, require_approval=None)])

    assert kinds(response) == ["mcp_list_tools", "mcp_approval_request"]
    (asked,) = items(response, "mcp_approval_request")
    assert asked["id"].startswith("mcpr_")
    assert asked | {"id": ""} == {
        "type": "mcp_approval_request",
        "id": "",
        "server_label": "tools",
        "name": "get_weather",
        "arguments": '{"city": "Paris"}',
    }
    assert ask.types()[-3:] == ["output_item.added", "output_item.done", "completed"]
    assert server.calls == []


async def test_an_approved_call_is_made_first(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    tools = [mcp(server, require_approval="always")]
    upstream.reply(CALL, text_answer("It is sunny."))
    first = await ask("Weather?", tools=tools)

    response = await ask([*_said("Weather?", first), _answered(first, approve=True)], tools=tools)

    assert kinds(response) == ["mcp_call", "message"]
    (call,) = items(response, "mcp_call")
    (asked,) = items(first, "mcp_approval_request")
    assert call["approval_request_id"] == asked["id"]
    assert (call["status"], call["output"]) == ("completed", "It is sunny in Paris.")
    assert server.calls == [("get_weather", {"city": "Paris"})]
    (said, heard) = ask.messages(1)[-2:]
    assert said["tool_calls"][0]["function"]["name"] == "get_weather"
    assert heard["content"] == "It is sunny in Paris."
    assert text_of(response) == "It is sunny."


async def test_the_next_request_has_the_approved_call_in_it_once(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    tools = [mcp(server, require_approval="always")]
    upstream.reply(CALL, text_answer("It is sunny."), text_answer("Bye."))
    first = await ask("Weather?", tools=tools)
    said = [*_said("Weather?", first), _answered(first, approve=True)]
    second = await ask(said, tools=tools)

    response = await ask(
        [*said, *second["output"], {"role": "user", "content": "Bye"}], tools=tools
    )

    assert kinds(response) == ["message"]
    assert len(server.calls) == 1
    assert tool_messages(ask.messages(2)) == ["It is sunny in Paris."]


async def test_a_call_can_be_approved_over_a_stored_response(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server, store="memory:")
    tools = [mcp(server, require_approval="always")]
    upstream.reply(CALL, text_answer("It is sunny."), text_answer("Bye."))
    first = await ask("Weather?", tools=tools)

    second = await ask(
        [_answered(first, approve=True)], tools=tools, previous_response_id=first["id"]
    )
    third = await ask("Bye", tools=tools, previous_response_id=second["id"])

    assert kinds(second) == ["mcp_call", "message"]
    assert kinds(third) == ["message"]
    assert len(server.calls) == 1
    assert tool_messages(ask.messages(2)) == ["It is sunny in Paris."]


async def test_a_call_that_is_refused_is_not_made(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    tools = [mcp(server, require_approval="always")]
    upstream.reply(CALL, text_answer("As you like."))
    first = await ask("Weather?", tools=tools)

    no = _answered(first, approve=False) | {"reason": "too expensive"}
    response = await ask([*_said("Weather?", first), no], tools=tools)

    assert kinds(response) == ["message"]
    assert server.calls == []
    (heard,) = tool_messages(ask.messages(1))
    assert "not approved" in heard
    assert "too expensive" in heard


async def test_a_request_that_nobody_answered_is_no_approval(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    tools = [mcp(server)]
    upstream.reply(CALL, text_answer("Well."))
    first = await ask("Weather?", tools=[mcp(server, require_approval="always")])

    await ask([*_said("Weather?", first), {"role": "user", "content": "Never mind"}], tools=tools)

    assert server.calls == []
    assert "not approved" in tool_messages(ask.messages(1))[0]


@pytest.mark.parametrize("stream", [True, False])
async def test_approving_what_was_never_asked_fails_the_response(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask, stream: bool
) -> None:
    """As huggingface/responses.js answers it, streamed or not."""
    server = await serve_tools()
    ask = asker(server)
    answer = {"type": "mcp_approval_response", "approval_request_id": "mcpr_0", "approve": True}
    asked = [{"role": "user", "content": "Hi"}, answer]

    tools = [mcp(server)]
    response = (
        await ask(asked, tools=tools) if stream else (await ask.whole(asked, tools=tools)).json()
    )

    assert response["status"] == "failed"
    assert response["error"] == {
        "code": "server_error",
        "message": "MCP approval request 'mcpr_0' not found",
    }
    assert upstream.requests == []


async def test_an_approved_call_of_a_tool_that_is_not_allowed_is_not_made(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    ask = asker(server)
    upstream.reply(CALL, text_answer("Well."))
    first = await ask("Weather?", tools=[mcp(server, require_approval="always")])

    said = [*_said("Weather?", first), _answered(first, approve=True)]
    response = await ask(said, tools=[mcp(server, allowed_tools=["add"])])

    (call,) = items(response, "mcp_call")
    assert (call["status"], call["error"]["message"]) == ("failed", "There is no such tool.")
    assert server.calls == []


async def test_a_request_that_is_cut_off_is_not_asked(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    call = {"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"a": 1'}}
    upstream.reply(stream_answer(chunk({"tool_calls": [call]}), chunk({}, "length")))

    response = await asker(server)(tools=[mcp(server, require_approval="always")])

    assert response["status"] == "incomplete"
    assert kinds(response) == ["mcp_list_tools"]


READ_ONLY = {"read_only": True}
RULES: list[tuple[str, Any, bool, bool]] = [
    # name, rule; whether get_weather (read-only) and add are called without being asked about
    ("always", "always", False, False),
    ("never", "never", True, True),
    ("never for some", {"never": {"tool_names": ["add"]}}, False, True),
    ("always for some", {"always": {"tool_names": ["add"]}}, False, False),
    ("never for what only reads", {"never": READ_ONLY}, True, False),
    ("always wins", {"always": READ_ONLY, "never": {"tool_names": ["get_weather"]}}, False, False),
    ("never for none", {"never": {"tool_names": []}}, False, False),
]


@pytest.mark.parametrize(
    ("rule", "reads", "adds"), [pytest.param(*row[1:], id=row[0]) for row in RULES]
)
async def test_a_rule_says_which_calls_need_approval(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask, rule: Any, reads: bool, adds: bool
) -> None:
    server = await serve_tools()
    upstream.reply(
        tool_answer(("get_weather", {"city": "Paris"}), ("add", {"a": 1, "b": 1})),
        text_answer("Done."),
    )

    response = await asker(server)(tools=[mcp(server, require_approval=rule)])

    called = {call["name"] for call in items(response, "mcp_call")}
    assert called == {
        name for name, is_called in [("get_weather", reads), ("add", adds)] if is_called
    }


def _said(input: str, response: Any) -> list[Any]:
    return [{"role": "user", "content": input}, *response["output"]]


def _answered(response: Any, *, approve: bool) -> dict[str, Any]:
    (asked,) = items(response, "mcp_approval_request")
    return {
        "type": "mcp_approval_response",
        "approval_request_id": asked["id"],
        "approve": approve,
    }
