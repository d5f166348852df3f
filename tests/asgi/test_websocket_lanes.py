"""Lanes: requests of one `stream_id` in order, those of different ones side by side.

Source: OpenAI's guide to the WebSocket mode (November 2026); SDK 3.51 `ResponseCreate.stream_id`.
"""

from typing import Any

import pytest

from adapter.asgi.connection_limits import ConnectionLimits
from tests.asgi.conftest import Limit, Stand
from tests.asgi.socket_stands import stand
from tests.asgi.sockets import Socket, open_socket
from tests.asgi.streams import text_of
from tests.servers.answers import Answer, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

__all__ = ["stand"]  # a fixture
pytestmark = pytest.mark.anyio


def held(pause: Pause, word: str = "Hello") -> Answer:
    """Return an answer that begins, and goes on when it is let."""
    return stream_answer(chunk({"content": word}), pause, chunk({}, "stop"))


async def test_events_carry_the_name_of_their_lane(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello"))

    await socket.create(stream_id="a.b_c-1")
    (events,) = (await socket.turns(1))["a.b_c-1"]
    await socket.create()
    unnamed = await socket.turn()

    assert {event["stream_id"] for event in events} == {"a.b_c-1"}
    assert not any("stream_id" in event for event in unnamed)


async def test_lanes_run_side_by_side(socket: Socket, upstream: ScriptedUpstream) -> None:
    pauses = [Pause() for _ in range(3)]
    upstream.reply(*(held(pause) for pause in pauses))

    for lane in (None, "a", "b"):
        await socket.create(stream_id=lane)
    for pause in pauses:
        await pause.reached.wait()
    for pause in pauses:
        pause.release()
    ended = await socket.turns(3)

    assert ended.keys() == {None, "a", "b"}


async def test_requests_of_one_lane_wait_for_each_other(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    pause = Pause()
    upstream.reply(held(pause, "one"), text_answer("two"), text_answer("three"))

    for word in ("1", "2", "3"):
        await socket.create(input=word)
    await pause.reached.wait()
    await (await socket.connection.ping())
    waiting = len(upstream.requests)
    pause.release()
    ended = (await socket.turns(3))[None]

    assert waiting == 1
    assert [text_of(events) for events in ended] == ["one", "two", "three"]
    asked = [request.json["messages"][-1]["content"] for request in upstream.requests]
    assert asked == ["1", "2", "3"]


async def test_refusal_does_not_overtake_what_is_before_it(
    socket: Socket, upstream: ScriptedUpstream
) -> None:
    pause = Pause()
    upstream.reply(held(pause))

    await socket.create()
    await socket.create(temperature="hot")
    await pause.reached.wait()
    pause.release()
    await socket.turn()
    frame = await socket.error()

    assert frame["error"]["param"] == "temperature"


async def test_no_more_run_than_may(limit: Limit, stand: Stand, upstream: ScriptedUpstream) -> None:
    limit(ConnectionLimits(running=2))
    pauses = [Pause(), Pause()]
    upstream.reply(*(held(pause) for pause in pauses), text_answer("last"))

    async with open_socket(stand.url) as socket:
        for lane in "abc":
            await socket.create(stream_id=lane)
        for pause in pauses:
            await pause.reached.wait()
        await (await socket.connection.ping())
        running = len(upstream.requests)
        for pause in pauses:
            pause.release()
        ended = await socket.turns(3)

    assert running == 2
    assert text_of(ended["c"][0]) == "last"


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(ConnectionLimits(waiting=1), id="number"),
        pytest.param(ConnectionLimits(waiting_bytes=100), id="bytes"),
    ],
)
async def test_no_more_wait_than_may(
    limit: Limit, stand: Stand, upstream: ScriptedUpstream, limits: ConnectionLimits
) -> None:
    limit(limits)
    pause = Pause()
    upstream.reply(held(pause), text_answer("second"), text_answer("fourth"))

    async with open_socket(stand.url) as socket:
        await socket.create()
        await pause.reached.wait()
        await socket.create(input="x" * 100)
        await socket.create()
        frame = await socket.next()
        while frame["type"] != "error":
            frame = await socket.next()
        pause.release()
        await socket.until("response.completed")
        second = await socket.turn()
        fourth = await socket.ask()

    assert (frame["status"], frame["error"]["code"]) == (429, "rate_limit_exceeded")
    assert text_of(second) == "second"
    assert fourth["status"] == "completed"


async def test_number_of_named_lanes_is_limited_for_good(
    limit: Limit, stand: Stand, upstream: ScriptedUpstream
) -> None:
    limit(ConnectionLimits(named_lanes=2))
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        for lane in (None, "a", "b", "a"):
            await socket.create(stream_id=lane)
            await socket.turns(1)
        frame = await socket.refused(stream_id="c")
        await socket.create(stream_id="b")
        await socket.turns(1)

    assert (frame["status"], frame["stream_id"]) == (400, "c")
    assert frame["error"]["code"] == "websocket_stream_limit_reached"
    assert frame["error"]["param"] == "stream_id"


@pytest.mark.parametrize("stream_id", ["", "a b", "ä", "x" * 257, "a\n", 1, True, {}, ["a"]])
async def test_lane_of_an_impossible_name_is_refused(socket: Socket, stream_id: Any) -> None:
    frame = await socket.refused(stream_id=stream_id)

    assert (frame["status"], frame["error"]["code"]) == (400, "invalid_stream_id")
    assert "stream_id" not in frame


async def test_longest_name_is_accepted(socket: Socket, upstream: ScriptedUpstream) -> None:
    upstream.reply(text_answer("Hello"))

    await socket.create(stream_id="x" * 256)
    ended = await socket.turns(1)

    assert ended.keys() == {"x" * 256}
