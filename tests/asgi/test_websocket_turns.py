"""Responses over a WebSocket: the same events as in a stream, and nothing of HTTP in them.

Source: sheet §9; OpenAI's guide to the WebSocket mode (November 2026).
"""

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from adapter.asgi.http import read_headers
from adapter.asgi.service import Service
from adapter.asgi.websocket import WebSocketResponses
from adapter.config import Settings
from tests.asgi.conftest import Stand, Start
from tests.asgi.socket_stands import stand
from tests.asgi.sockets import Socket, open_socket
from tests.asgi.streams import open_stream, text_of, types
from tests.open_responses import event_errors, sdk_errors, socket_error_errors
from tests.servers.answers import (
    Hang,
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

WORD = chunk({"content": "Hello"})
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}


async def test_events_are_those_of_a_stream(
    socket: Socket, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello there", reasoning="They greet."))

    await socket.create()
    events = await socket.turn()
    async with open_stream(client) as stream:
        await stream.rest()

    assert types(events) == types(stream.events)
    assert text_of(events) == "Hello there"
    for event in events:
        assert event_errors(event) == sdk_errors(event) == []


async def test_numbers_begin_anew_with_each_response(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("one"), text_answer("two"))

    await socket.create()
    await socket.create()
    first, second = (await socket.turns(2))[None]

    assert [event["sequence_number"] for event in first] == list(range(len(first)))
    assert second[0]["sequence_number"] == 0
    assert (text_of(first), text_of(second)) == ("one", "two")


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        {"stream": False, "background": True},
        {"background": False, "store": True, "generate": True, "stream_id": None},
        {"previous_response_id": None, "generate": None},
    ],
)
async def test_fields_of_http_are_without_effect(
    socket: Socket, upstream: ScriptedUpstream, fields: dict[str, object]
) -> None:
    upstream.reply(text_answer("Hello"))

    response = await socket.ask(**fields)

    assert (response["status"], response["background"]) == ("completed", False)


async def test_envelope_is_no_unknown_field(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(unknown_fields="reject")
    upstream.reply(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        await socket.create(stream_id="a", generate=True)
        (events,) = (await socket.turns(1))["a"]
        refused = await socket.refused(made_up=1)

    assert events[-1]["type"] == "response.completed"
    assert refused["error"]["param"] == "made_up"
    assert not {"type", "stream_id", "generate"} & (await upstream.request(0)).json.keys()


async def test_authorization_of_the_handshake_goes_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(forward_headers=("x-team",))
    upstream.always(text_answer("Hello"))
    headers = {"authorization": "Bearer mine", "x-team": "red", "x-other": "no"}

    async with open_socket(stand.url, headers=headers) as socket:
        await socket.ask()
        await socket.ask()

    for request in upstream.requests:
        assert request.headers["authorization"] == "Bearer mine"
        assert request.headers["x-team"] == "red"
        assert "x-other" not in request.headers


async def test_model_is_routed_for_each_request(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "aliases": {"fast": "tiny"}}
    start(routes={"a": route})
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        await socket.ask(model="fast")
        await socket.ask(model="other")

    assert [request.json["model"] for request in upstream.requests] == ["tiny", "other"]


async def test_route_that_passes_requests_on_has_no_websocket(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(routes={"a": {"upstream": upstream.url, "api": "responses", "models": ["theirs"]}})

    async with open_socket(stand.url) as socket:
        frame = await socket.refused(model="theirs")

    assert (frame["status"], frame["error"]["code"]) == (426, "websocket_not_supported")
    assert upstream.requests == []


async def test_limit_of_a_route_holds(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(
        routes={"a": {"upstream": upstream.url, "max_concurrent": 1, "models": ["one"]}},
        start_grace=0,
    )
    pause = Pause()
    upstream.reply(stream_answer(pause, WORD, chunk({}, "stop")))

    async with open_socket(stand.url) as socket:
        await socket.create(model="one", stream_id="a")
        await socket.until("response.in_progress", "a")
        await socket.create(model="one", stream_id="b")
        refused = await socket.error()
        pause.release()
        await socket.until("response.completed", "a")

    assert (refused["status"], refused["stream_id"]) == (429, "b")
    assert refused["headers"] == refused["error"]["headers"] == {"retry-after": "1"}


async def test_silence_is_filled_with_keepalives(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=0.001)
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, chunk({}, "stop")))

    async with open_socket(stand.url) as socket:
        await socket.create()
        first = [await socket.next()]
        while first[-1]["type"] != "keepalive":
            first.append(await socket.next())
        pause.release()
        last = await socket.until("response.completed")

    numbers = [event["sequence_number"] for event in first]
    assert numbers == list(range(len(first)))
    assert last["sequence_number"] > numbers[-1]


async def test_comments_do_not_exist(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(keepalive="comment", keepalive_interval=0.001)
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, chunk({}, "stop")))

    async with open_socket(stand.url) as socket:
        await socket.create()
        await socket.until("response.output_text.delta")
        await asyncio.gather(*[(await socket.connection.ping()) for _ in range(5)])
        pause.release()
        rest = [await socket.next() for _ in range(4)]

    assert rest[-1]["type"] == "response.completed"


async def test_response_begins_before_a_slow_upstream(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0.001)
    pause = Pause()
    upstream.reply(stream_answer(pause, WORD, chunk({}, "stop")))

    async with open_socket(stand.url) as socket:
        await socket.create()
        begun = [await socket.next(), await socket.next()]
        pause.release()
        await socket.until("response.completed")

    assert types(begun) == ["response.created", "response.in_progress"]


@pytest.mark.parametrize(
    ("status", "said"), [(400, 400), (401, 401), (429, 429), (500, 502), (503, 503)]
)
async def test_refusal_of_the_upstream_is_a_frame_with_its_status(
    socket: Socket, upstream: ScriptedUpstream, status: int, said: int
) -> None:
    error = {"error": {"message": "no", "type": "t", "code": None}}
    upstream.reply(json_answer(status, error, {"retry-after": "7"}), text_answer("Hello"))

    frame = await socket.refused()
    response = await socket.ask()

    assert frame["status"] == said
    assert isinstance(frame["error"]["code"], str)
    assert socket_error_errors(frame) == []
    assert response["status"] == "completed"


async def test_refusal_has_the_status_that_codex_understands(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    """As over HTTP: it repeats requests that are refused with a 404."""
    start()
    upstream.always(json_answer(404, {"error": {"message": "no such model"}}))

    async with open_socket(stand.url) as socket:
        plain = await socket.refused()
    async with open_socket(stand.url, headers={"originator": "codex_exec"}) as socket:
        codex = await socket.refused()

    assert (plain["status"], codex["status"]) == (404, 400)


async def test_failure_within_a_response_is_an_event_of_it(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, Reset()), text_answer("Hello"))

    await socket.create()
    head = [await socket.next() for _ in range(5)]
    pause.release()
    tail = [await socket.next()]
    while tail[-1]["type"] != "response.failed":
        tail.append(await socket.next())
    response = await socket.ask()

    events = head + tail
    assert types(events[-2:]) == ["error", "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "status" not in events[-2]  # what Codex would take for a refusal of the request
    assert response["status"] == "completed"


async def test_calls_and_their_outputs_go_back_and_forth(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(tool_answer(("get_weather", {"city": "Oslo"})), text_answer("Sunny."))

    called = await socket.ask(input="Weather?", tools=[TOOL])
    (call,) = called["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sun"}
    answered = await socket.ask(
        previous_response_id=called["id"], input=[output], tools=[TOOL], tool_choice="none"
    )

    messages = (await upstream.request(1)).json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == '{"city": "Oslo"}'
    assert answered["output"][0]["content"][0]["text"] == "Sunny."


class BrokenService(Service):
    """Fails as nothing should."""

    def decode(self, body: bytes) -> Any:
        raise ZeroDivisionError


async def test_unexpected_failure_is_said_and_logged(
    stand: Stand, upstream: ScriptedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    service = BrokenService(upstream.url, Settings())
    sockets = WebSocketResponses(service)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sockets(scope, receive, send, read_headers(scope))

    stand.app = app
    async with open_socket(stand.url) as socket:
        frame = await socket.refused(stream_id="a")
    await service.aclose()

    assert (frame["status"], frame["error"]["code"], frame["stream_id"]) == (
        500,
        "server_error",
        "a",
    )
    assert [record.message for record in caplog.records] == ["response failed unexpectedly"]


async def test_silent_upstream_does_not_hold_up_pings(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.reply(stream_answer(WORD, Hang()))

    await socket.create()
    await socket.until("response.output_text.delta")
    async with asyncio.timeout(5):
        await (await socket.connection.ping())
