"""Frames that make no sense are answered with a frame that says why, and the connection lives on."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.sync.client import connect

from adapter import ResponsesAPI
from adapter.asgi.socket_frames import (
    encode_error,
    encode_texts,
    lane_of,
    read_body,
    read_frame,
)
from adapter.config import Settings
from adapter.errors import AdapterError, InvalidRequestError
from adapter.types.events import Keepalive
from tests.asgi.sockets import Socket
from tests.open_responses import socket_error_errors
from tests.servers.adapter import serve
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

CREATE = {"type": "response.create", "model": "m", "input": "Hi"}

# (id, frame, code, param)
# fmt: off
WRONG: list[tuple[str, str | bytes, str, str | None]] = [
    ("empty", "", "invalid_json", None),
    ("no-json", "hello", "invalid_json", None),
    ("cut", '{"type": "response.create"', "invalid_json", None),
    ("array", "[]", "invalid_type", None),
    ("null", "null", "invalid_type", None),
    ("binary", json.dumps(CREATE).encode(), "invalid_value", None),
    ("no-type", '{"model": "m"}', "missing_required_parameter", "type"),
    ("null-type", '{"type": null}', "missing_required_parameter", "type"),
    ("other-type", '{"type": "response.made_up"}', "invalid_value", "type"),
    ("number-as-type", '{"type": 1}', "invalid_value", "type"),
    ("object-as-type", '{"type": {"a": []}}', "invalid_value", "type"),
    ("deep", '{"a":' + "[" * 100_000, "invalid_json", None),
    ("no-model", '{"type": "response.create"}', "missing_required_parameter", "model"),
    ("no-input", '{"type": "response.create", "model": "m"}', "missing_required_parameter", "input"),
    ("odd-generate", json.dumps({**CREATE, "generate": 1}), "invalid_type", "generate"),
    ("odd-previous", json.dumps({**CREATE, "previous_response_id": [1]}), "invalid_type", "previous_response_id"),
    ("odd-field", json.dumps({**CREATE, "temperature": 3}), "decimal_above_max_value", "temperature"),
    ("steer-without-input", '{"type": "response.steer"}', "missing_required_parameter", "input"),
]
# fmt: on


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("frame", "code", "param"), [pytest.param(*row[1:], id=row[0]) for row in WRONG]
)
async def test_wrong_frame_is_answered_and_the_connection_lives_on(
    socket: Socket, upstream: ScriptedUpstream, frame: str | bytes, code: str, param: str | None
) -> None:
    upstream.reply(text_answer("Hello"))

    await socket.send(frame)
    answer = await socket.error()
    response = await socket.ask()

    assert (answer["status"], answer["error"]["type"]) == (400, "invalid_request_error")
    assert (answer["error"]["code"], answer["error"]["param"]) == (code, param)
    assert socket_error_errors(answer) == []
    assert response["status"] == "completed"


@pytest.mark.anyio
async def test_wrong_frame_is_answered_on_its_lane(socket: Socket) -> None:
    await socket.send({"type": "response.made_up", "stream_id": "a"})

    assert (await socket.error())["stream_id"] == "a"


@pytest.mark.anyio
async def test_steering_is_given_back(socket: Socket) -> None:
    """SDK 3.51 `ResponseSteerFailedEvent`: what cannot be used comes back to the client."""
    steer = {"previous_response_id": "resp_1", "input": [{"role": "user", "content": "Wait"}]}

    await socket.send({"type": "response.steer", **steer})
    event = await socket.next()

    assert (event["type"], event["steer"]) == ("response.steer.failed", steer)
    assert event["error"]["code"] == "steering_not_supported"


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="not Unicode"):
        read_body({"type": "websocket.receive", "text": '"\ud800"'}, 100)


def test_error_without_a_code_has_its_type_for_one() -> None:
    """Open Responses requires a code, the SDK a type."""
    frame = json.loads(encode_error(AdapterError("no"), None))

    assert frame == {
        "type": "error",
        "status": 500,
        "error": {"message": "no", "type": "server_error", "param": None, "code": "server_error"},
    }


def test_lane_is_written_behind_the_event() -> None:
    event = Keepalive(3)

    assert encode_texts([event], None) == [b'{"type":"keepalive","sequence_number":3}']
    assert encode_texts([event], "a") == [
        b'{"type":"keepalive","sequence_number":3,"stream_id":"a"}'
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["type", "stream_id", "generate", "previous_response_id", "model", "input", "tools", "stream"]
)
TYPES = st.sampled_from(["response.create", "response.steer", "response.cancel"])
LANES = st.none() | st.sampled_from(["a", "b", "..", ""])
FRAMES = (
    st.text(max_size=20)
    | st.binary(max_size=20)
    | JSON.map(json.dumps)
    | st.builds(
        lambda fields, kind, lane: json.dumps({"type": kind, "stream_id": lane, **fields}),
        st.dictionaries(NAMES, JSON, max_size=5),
        TYPES,
        LANES,
    )
    | st.builds(
        lambda fields, lane: json.dumps({**CREATE, "stream_id": lane, **fields}),
        st.dictionaries(NAMES, JSON, max_size=2),
        LANES,
    )
)


@given(st.text(max_size=40) | JSON.map(json.dumps))
def test_any_text_is_a_frame_or_refused(text: str) -> None:
    with suppress(InvalidRequestError):
        lane_of(read_frame(read_body({"text": text}, 1000)))


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of a WebSocket, in threads of its own: hypothesis knows no coroutines."""
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello"))
        app = ResponsesAPI(upstream.url, settings=Settings.load(environ={}))
        with serve(app) as url:
            yield f"{url.replace('http', 'ws', 1)}/v1/responses"


@settings(max_examples=100, deadline=None)
@given(frames=st.lists(FRAMES, min_size=1, max_size=6))
def test_no_frames_break_a_connection(served: str, frames: list[str | bytes]) -> None:
    """Whatever is sent, what comes back is JSON objects, and then a request is answered."""
    with connect(served, compression=None, open_timeout=5, close_timeout=5) as connection:
        for frame in frames:
            connection.send(frame)
        connection.send(json.dumps({**CREATE, "stream_id": "last"}))
        event: dict[str, Any] = {}
        while (event.get("type"), event.get("stream_id")) != ("response.completed", "last"):
            event = json.loads(connection.recv(timeout=5))
            assert isinstance(event["type"], str)
            if event["type"] == "error" and "sequence_number" not in event:
                assert event["status"] == 400
