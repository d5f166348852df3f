"""Upstreams that break: whatever they do, a stream ends in exactly one terminal event, legally.

Source: `observed.md` §3, `reported.md` §3.2; sheet §7.2.
"""

import json
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.stream.grammar import check
from adapter.upstream.base import Upstream
from tests.asgi.conftest import Stand, Start
from tests.asgi.streams import DONE, REQUEST, open_stream, read_stream, types
from tests.servers.answers import (
    Answer,
    Eof,
    Pause,
    Reset,
    chunk,
    json_answer,
    raw,
    stream_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

SSE = {"content-type": "text/event-stream"}
HTML = Answer(
    headers={"content-type": "text/html"}, chunks=[b"<!doctype html><title>Welcome</title>"]
)
WORD = chunk({"content": "Hello"})
CALL = chunk(
    {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a'}}]}
)
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def body(*parts: bytes) -> Answer:
    return Answer(headers=SSE, chunks=parts)


NOTHING_SAID = [
    pytest.param(body(), 502, id="empty-body"),
    pytest.param(body(b"\n\n\n\n"), 502, id="blank-lines"),
    pytest.param(body(b": ping\n\n"), 502, id="comment-only"),
    pytest.param(body(b"data: [DONE]\n\n"), 502, id="done-only"),
    pytest.param(body(b"\x00\xff\xfe garbage"), 502, id="garbage"),
    pytest.param(body(b"data: \xff\xfe\n\n"), 502, id="bytes-that-are-not-utf-8"),
    pytest.param(body(b"data: {not json\n\n"), 502, id="data-that-is-not-json"),
    pytest.param(body(b"data: 42\n\n"), 502, id="number"),
    pytest.param(body(b"data: []\n\n"), 502, id="list"),
    pytest.param(body(b'data: {"choices": "many"}\n\n'), 502, id="wrong-types"),
    pytest.param(body(b"data: " + b"[" * 100_000 + b"\n\n"), 502, id="deep"),
    pytest.param(body(b"data: " + b"x" * 5000), 502, id="event-over-the-limit"),
    pytest.param(HTML, 502, id="html"),
    pytest.param(json_answer(200, {}), 502, id="empty-object"),
    pytest.param(json_answer(200, None), 502, id="null"),
    pytest.param(json_answer(200, {"choices": []}), 502, id="no-choices"),
    pytest.param(json_answer(200, {"error": {"message": "No", "code": 418}}), 418, id="json-error"),
    pytest.param(json_answer(200, {"detail": "No"}), 502, id="detail"),
    pytest.param(json_answer(200, "x" * 5000), 502, id="json-over-the-limit"),
    pytest.param(Answer(200, {"content-type": "application/json"}), 502, id="empty-json"),
    pytest.param(Answer(204, framing="close"), 502, id="204"),
    pytest.param(Answer(301, {"location": "/elsewhere"}), 502, id="redirect"),
    pytest.param(Answer(before=[Eof()]), 502, id="closed-before-the-status"),
    pytest.param(Answer(before=[Reset()]), 502, id="reset-before-the-status"),
    pytest.param(Answer(headers=SSE, chunks=[Eof()]), 502, id="closed-in-the-body"),
    pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n"), 502, id="not-http"),
]

SOMETHING_SAID = [
    pytest.param([Eof()], id="cut-in-the-framing"),
    pytest.param([], id="ends-without-finish-or-done"),
    pytest.param([b"data: {not json\n\n"], id="garbage"),
    pytest.param([b'data: {"choices": [{"index"'], id="half-a-chunk"),
    pytest.param([{"error": {"message": "Out of memory", "code": 500}}], id="error-event"),
    pytest.param([{"object": "error", "message": "Out of memory"}], id="old-error-event"),
    pytest.param(["Internal Server Error"], id="text"),
    pytest.param([chunk({}, "abort"), "[DONE]"], id="abort"),
    pytest.param([b"data: " + b"x" * 5000], id="event-over-the-limit"),
]


@pytest.mark.parametrize(("answer", "status"), NOTHING_SAID)
async def test_answer_without_a_word_is_an_http_error(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    status: int,
) -> None:
    start(start_grace=60, max_event_bytes=4096)
    upstream.always(answer)

    answers = [
        await client.post("/v1/responses", json={"model": "m", "input": "Hi", "stream": stream})
        for stream in (True, False)
    ]

    for each in answers:
        assert each.status_code == status
        assert each.json()["error"].keys() == {"message", "type", "param", "code"}
        assert len(each.json()["error"]["message"]) < 1100


@pytest.mark.parametrize(("answer", "status"), NOTHING_SAID)
async def test_answer_without_a_word_fails_a_stream_that_has_begun(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    status: int,
) -> None:
    start(start_grace=0, max_event_bytes=4096)
    upstream.always(answer)

    stream = await read_stream(client)

    assert types(stream.blocks) == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
        DONE,
    ]
    assert check(stream.events) == []


@pytest.mark.parametrize("first", [pytest.param(WORD, id="text"), pytest.param(CALL, id="call")])
@pytest.mark.parametrize("rest", SOMETHING_SAID)
async def test_answer_that_breaks_off_closes_what_is_open_and_fails(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    first: dict[str, Any],
    rest: list[Any],
) -> None:
    start(max_event_bytes=4096)
    upstream.reply(stream_answer(first, *rest, done=False))

    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    stream = await read_stream(client, tools=[tool])

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert [name for name in types(stream.events) if name in TERMINAL] == ["response.failed"]
    assert check(stream.events) == []
    (item,) = stream.events[-1]["response"]["output"]
    assert item["status"] == "incomplete"


@pytest.mark.parametrize("rest", SOMETHING_SAID)
async def test_answer_that_breaks_off_is_an_http_error_without_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, rest: list[Any]
) -> None:
    start(max_event_bytes=4096)
    upstream.reply(stream_answer(WORD, *rest, done=False))

    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi"})

    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "server_error"


async def test_abort_as_the_only_chunk_fails(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """vLLM says so when it is stopped."""
    start()
    upstream.always(stream_answer(chunk({}, "abort")))

    stream = await read_stream(client)
    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi"})

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert check(stream.events) == []
    assert answer.status_code == 502


async def test_connection_that_is_reset_in_the_middle_fails_the_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    pause = Pause()
    upstream.reply(stream_answer(WORD, pause, Reset()))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        pause.release()
        await stream.rest()

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert check(stream.events) == []


async def test_half_a_json_document_fails_the_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0)
    document = json.dumps(WORD).encode()
    upstream.reply(Answer(headers={"content-type": "application/json"}, chunks=[document[:40]]))

    stream = await read_stream(client)

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert check(stream.events) == []


async def test_nothing_is_lost_when_the_connection_closes_right_behind_done(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """Servers that end the body by closing, and one that forgets the last blank line."""
    start()
    steps = stream_answer(WORD, chunk({}, "stop"), b"data: [DONE]", done=False).chunks
    upstream.reply(Answer(headers=SSE, chunks=steps, framing="close"))

    stream = await read_stream(client)

    assert types(stream.blocks)[-2:] == ["response.completed", DONE]
    assert check(stream.events) == []


async def test_fault_of_ours_fails_the_stream_and_is_logged(
    stand: Stand, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    stand.app = ResponsesAPI(_Broken(), environ={}, start_grace=0)

    stream = await read_stream(client)

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert "on purpose" not in stream.raw.decode()
    assert "on purpose" in caplog.text


@pytest.mark.parametrize("stream", [True, False])
async def test_fault_of_ours_before_the_stream_is_an_http_error_without_its_text(
    stand: Stand, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    stand.app = ResponsesAPI(_Broken(), environ={}, start_grace=60)

    answer = await client.post("/v1/responses", json=REQUEST | {"stream": stream})

    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert "on purpose" not in answer.text
    assert "on purpose" in caplog.text


class _Broken(Upstream):
    """An upstream with a bug."""

    def open(self, body: bytes, headers: object) -> Any:
        raise LookupError("on purpose")

    async def aclose(self) -> None:
        """Nothing is kept open."""
