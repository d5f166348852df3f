"""A connection lasts an hour, in virtual time: what it says then, and what becomes of its responses.

Source: sheet §9; OpenAI's guide to the WebSocket mode (November 2026).
"""

import json
from collections.abc import Sequence
from typing import Any

from tests.asgi.virtual_time import Sent, event, play_socket
from tests.servers.answers import chunk

HOUR = 3600.0
CREATE = {"type": "response.create", "model": "m", "input": "Hi"}
ANSWER = [event(chunk({"content": "Hello"})), event(chunk({}, "stop")), event("[DONE]")]
EXPIRED = "websocket_connection_limit_reached"


def frames(sent: Sequence[Sent]) -> list[tuple[float, dict[str, Any]]]:
    """Return when each frame was sent, and the frame."""
    return [(each.at, json.loads(each.message["text"])) for each in sent if "text" in each.message]


def errors(sent: Sequence[Sent]) -> list[tuple[float, str, str | None]]:
    """Return when an error was said, its code, and the lane."""
    return [
        (at, frame["error"]["code"], frame.get("stream_id"))
        for at, frame in frames(sent)
        if frame["type"] == "error"
    ]


def test_idle_connection_ends_after_an_hour() -> None:
    sent = play_socket([CREATE], ANSWER)

    assert errors(sent) == [(HOUR, EXPIRED, None)]
    assert (sent[-1].at, sent[-1].message) == (HOUR, {"type": "websocket.close", "code": 1000})


def test_limit_is_told_in_minutes() -> None:
    _, last = frames(play_socket([], ANSWER))[-1]

    assert last["status"] == 400
    assert last["error"]["type"] == "invalid_request_error"
    assert "(60 minutes)" in last["error"]["message"]


def test_what_runs_may_end_and_what_waits_is_refused() -> None:
    running = {**CREATE, "stream_id": "a"}

    sent = play_socket(
        [HOUR - 10, running, running, 15.0, {**CREATE, "stream_id": "b"}],
        [100.0, *ANSWER],
        keepalive="off",
    )

    last = [
        (at, frame["stream_id"])
        for at, frame in frames(sent)
        if "response.completed" in frame["type"]
    ]
    assert last == [(HOUR + 90, "a")]
    assert errors(sent) == [
        (HOUR, EXPIRED, "a"),
        (HOUR + 5, EXPIRED, "b"),
        (HOUR + 90, EXPIRED, None),
    ]
    assert sent[-1].message == {"type": "websocket.close", "code": 1000}


def test_keepalives_of_a_response_are_numbered_with_its_events() -> None:
    sent = play_socket([CREATE], [ANSWER[0], 40.0, *ANSWER[1:]], keepalive_interval=15)

    events = [(at, frame) for at, frame in frames(sent) if frame["type"] != "error"]
    assert [at for at, frame in events if frame["type"] == "keepalive"] == [15, 30]
    assert [frame["sequence_number"] for _, frame in events] == list(range(len(events)))
