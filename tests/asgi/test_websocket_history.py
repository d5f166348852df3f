"""What a connection remembers: `previous_response_id` works on it, though nothing is stored.

Source: sheet §9; OpenAI's guide to the WebSocket mode (November 2026); `clients.md` §1 for what
Codex sends.
"""

from typing import Any

import pytest

from adapter.asgi.connection_limits import ConnectionLimits
from tests.asgi.conftest import Limit, Stand
from tests.asgi.socket_stands import stand
from tests.asgi.sockets import Socket, open_socket
from tests.asgi.streams import types
from tests.servers.answers import (
    Pause,
    Reset,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.scripted import ScriptedUpstream

__all__ = ["stand"]  # a fixture
pytestmark = pytest.mark.anyio

TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
NOT_FOUND = "previous_response_not_found"


async def said(upstream: ScriptedUpstream, index: int) -> list[tuple[str, Any]]:
    """Return role and content of every message of a chat request."""
    request = await upstream.request(index)
    return [(message["role"], message["content"]) for message in request.json["messages"]]


async def test_response_continues_the_one_before_it(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Hello."), text_answer("Cobalt."), text_answer("Still."))

    first = await socket.ask(input="The word is cobalt.", store=False)
    second = await socket.ask(input="Which?", store=False, previous_response_id=first["id"])
    await socket.ask(input="And now?", store=False, previous_response_id=second["id"])

    assert second["previous_response_id"] == first["id"]
    assert await said(upstream, 2) == [
        ("user", "The word is cobalt."),
        ("assistant", "Hello."),
        ("user", "Which?"),
        ("assistant", "Cobalt."),
        ("user", "And now?"),
    ]


async def test_instructions_are_not_inherited(socket: Socket, upstream: ScriptedUpstream) -> None:
    upstream.always(text_answer("Hello."))

    first = await socket.ask(input="a", instructions="Be brief.")
    await socket.ask(input="b", previous_response_id=first["id"])
    await socket.ask(input="c", previous_response_id=first["id"], instructions="Be long.")

    roles = [role for role, _ in await said(upstream, 1)]
    assert roles == ["user", "assistant", "user"]
    assert (await said(upstream, 2))[0] == ("system", "Be long.")


async def test_any_remembered_response_can_be_continued(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(*(text_answer(word) for word in ("A", "B", "C")))

    first = await socket.ask(input="a")
    await socket.ask(input="b", previous_response_id=first["id"])
    await socket.ask(input="c", previous_response_id=first["id"])

    assert await said(upstream, 2) == [("user", "a"), ("assistant", "A"), ("user", "c")]


async def test_incomplete_response_can_be_continued(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Once", finish_reason="length"), text_answer("upon"))

    first = await socket.ask(input="Tell.")
    await socket.ask(input="Go on.", previous_response_id=first["id"])

    assert first["status"] == "incomplete"
    assert (await said(upstream, 1))[1] == ("assistant", "Once")


async def test_reasoning_goes_back_with_its_answer(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    call = chunk(
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]}
    )
    thought = chunk({"reasoning_content": "Look it up."})
    upstream.reply(stream_answer(thought, call, chunk({}, "tool_calls")), text_answer("Done."))

    first = await socket.ask(tools=[{"type": "function", "name": "f"}])
    output = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    await socket.ask(previous_response_id=first["id"], input=[output])

    message = (await upstream.request(1)).json["messages"][1]
    assert message["role"] == "assistant"
    assert "Look it up." in {message.get("reasoning"), message.get("reasoning_content")}


async def test_warm_up_answers_without_asking_anybody(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    await socket.create(generate=False, tools=[TOOL], instructions="Be brief.")
    events = await socket.turn()

    response = events[-1]["response"]
    assert types(events) == ["response.created", "response.in_progress", "response.completed"]
    assert (response["output"], response["usage"]["total_tokens"]) == ([], 0)
    assert response["tools"][0]["name"] == "get_weather"
    assert upstream.requests == []


async def test_codex_warms_up_and_continues(socket: Socket, upstream: ScriptedUpstream) -> None:
    """As recorded from Codex 0.169 with `supports_websockets`."""
    base = {"type": "message", "role": "developer", "content": "You are Codex."}
    context = {"type": "message", "role": "user", "content": "Environment."}
    upstream.reply(tool_answer(("get_weather", {"city": "Oslo"})), text_answer("Sunny."))

    warm = await socket.ask(generate=False, stream=True, store=False, tools=[TOOL], input=[base])
    called = await socket.ask(
        previous_response_id=warm["id"], stream=True, store=False, tools=[TOOL], input=[context]
    )
    output = {"type": "function_call_output", "call_id": "call_0", "output": "sun"}
    await socket.ask(previous_response_id=called["id"], store=False, tools=[TOOL], input=[output])

    assert await said(upstream, 1) == [
        ("system", "You are Codex."),
        ("user", "Environment."),
        ("assistant", ""),
        ("tool", "sun"),
    ]


@pytest.mark.parametrize("given", [{"input": []}, {"input": None}, {"input": ""}])
async def test_warm_up_and_what_follows_may_say_nothing(
    socket: Socket, upstream: ScriptedUpstream, given: dict[str, Any]
) -> None:
    upstream.reply(text_answer("Hello."))

    empty = await socket.ask(generate=False, **given)
    warm = await socket.ask(generate=False, previous_response_id=empty["id"], input="Hi")
    response = await socket.ask(previous_response_id=warm["id"], **given)
    refused = await socket.refused(previous_response_id=empty["id"], **given)

    assert response["status"] == "completed"
    assert await said(upstream, 0) == [("user", "Hi")]
    assert refused["error"]["code"] == "missing_required_parameter"


async def test_wrong_warm_up_is_refused(socket: Socket) -> None:
    frame = await socket.refused(generate=False, tools=[{"type": "unheard_of"}])

    assert frame["error"]["param"] == "tools[0].type"


async def test_tools_of_earlier_items_are_still_offered(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    """Codex's newer models have all their tools in an item of the warm-up."""
    upstream.reply(text_answer("Hello."))
    tools = {"type": "additional_tools", "role": "developer", "tools": [TOOL]}

    warm = await socket.ask(generate=False, input=[tools])
    response = await socket.ask(previous_response_id=warm["id"], input="Hi")

    offered = (await upstream.request(0)).json["tools"]
    assert [tool["function"]["name"] for tool in offered] == ["get_weather"]
    assert response["tools"] == []


@pytest.mark.parametrize("response_id", ["resp_unknown", "", "x" * 10_000])
async def test_unknown_response_is_not_found_and_the_socket_stays(
    socket: Socket, upstream: ScriptedUpstream, response_id: str
) -> None:
    upstream.reply(text_answer("Hello."))

    frame = await socket.refused(previous_response_id=response_id)
    response = await socket.ask()

    assert (frame["status"], frame["error"]["code"]) == (400, NOT_FOUND)
    assert frame["error"]["param"] == "previous_response_id"
    assert len(frame["error"]["message"]) < 300
    assert response["status"] == "completed"


async def test_other_connection_does_not_know_the_response(
    socket: Socket, stand: Stand, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello."))

    response = await socket.ask()
    async with open_socket(stand.url) as other:
        frame = await other.refused(previous_response_id=response["id"])

    assert frame["error"]["code"] == NOT_FOUND


async def test_conversation_is_refused_also_with_a_known_response(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello."))

    response = await socket.ask()
    both = await socket.refused(previous_response_id=response["id"], conversation="conv_1")
    alone = await socket.refused(conversation="conv_1")

    assert both["error"]["param"] == alone["error"]["param"] == "conversation"


FAILURES: list[Any] = [
    pytest.param(
        {"input": [{"type": "function_call_output", "call_id": "c9", "output": "x"}]},
        id="output-without-call",
    ),
    pytest.param({"temperature": "hot"}, id="wrong-type"),
    pytest.param({"model": None}, id="no-model"),
    pytest.param({"generate": "perhaps"}, id="wrong-envelope"),
]


@pytest.mark.parametrize("fields", FAILURES)
async def test_failed_continuation_forgets_what_it_continued(
    socket: Socket, upstream: ScriptedUpstream, fields: dict[str, Any]
) -> None:
    """The suite of Open Responses asks for this."""
    upstream.always(text_answer("Hello."))

    first = await socket.ask()
    failed = await socket.refused(previous_response_id=first["id"], **fields)
    again = await socket.refused(previous_response_id=first["id"])

    assert failed["error"]["code"] != NOT_FOUND
    assert again["error"]["code"] == NOT_FOUND


async def test_continuation_that_the_upstream_refuses_forgets_what_it_continued(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Hello."), json_answer(400, {"error": {"message": "no"}}))

    first = await socket.ask()
    await socket.refused(previous_response_id=first["id"])
    again = await socket.refused(previous_response_id=first["id"])

    assert again["error"]["code"] == NOT_FOUND


async def test_continuation_that_breaks_off_is_forgotten_with_what_it_continued(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    pause = Pause()
    upstream.reply(text_answer("Hello."), stream_answer(chunk({"content": "Hel"}), pause, Reset()))

    first = await socket.ask()
    await socket.create(previous_response_id=first["id"])
    await socket.until("response.output_text.delta")
    pause.release()
    failed = (await socket.until("response.failed"))["response"]

    for response in (first, failed):
        frame = await socket.refused(previous_response_id=response["id"])
        assert frame["error"]["code"] == NOT_FOUND


async def test_failed_fork_leaves_the_lane_that_it_forked(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello."))

    first = await socket.ask()
    failed = await socket.refused(
        previous_response_id=first["id"], stream_id="fork", temperature="hot"
    )
    response = await socket.ask(previous_response_id=first["id"])

    assert failed["stream_id"] == "fork"
    assert response["status"] == "completed"


async def test_fork_continues_a_response_of_another_lane(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Plan."), text_answer("Gaps."))

    await socket.create(stream_id="planner", input="Draft.")
    (planned,) = (await socket.turns(1))["planner"]
    parent = planned[-1]["response"]["id"]
    await socket.create(stream_id="critic", input="Find gaps.", previous_response_id=parent)
    (found,) = (await socket.turns(1))["critic"]

    assert found[-1]["response"]["previous_response_id"] == parent
    assert await said(upstream, 1) == [
        ("user", "Draft."),
        ("assistant", "Plan."),
        ("user", "Find gaps."),
    ]


async def test_oldest_response_is_forgotten_first(
    limit: Limit, stand: Stand, upstream: ScriptedUpstream
) -> None:
    limit(ConnectionLimits(remembered=2))
    upstream.always(text_answer("Hello."))

    async with open_socket(stand.url) as socket:
        ids = [(await socket.ask())["id"] for _ in range(3)]
        oldest = await socket.refused(previous_response_id=ids[0])
        newest = await socket.ask(previous_response_id=ids[2])

    assert oldest["error"]["code"] == NOT_FOUND
    assert newest["status"] == "completed"


async def test_conversation_that_is_too_long_to_keep_is_not_kept(
    limit: Limit, stand: Stand, upstream: ScriptedUpstream
) -> None:
    limit(ConnectionLimits(remembered_bytes=1000))
    upstream.always(text_answer("Hello."))

    async with open_socket(stand.url) as socket:
        small = await socket.ask(input="x")
        large = await socket.ask(input="x" * 1000)
        forgotten = await socket.refused(previous_response_id=large["id"])
        kept = await socket.ask(input="x", previous_response_id=small["id"])

    assert forgotten["error"]["code"] == NOT_FOUND
    assert kept["status"] == "completed"
