"""When a stream begins: with the upstream's first word, or after the grace; and errors around it.

Source: `design.md` §4 "Start of the stream"; sheet §8.
"""

import json
from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Start
from tests.asgi.streams import DONE, open_stream, parse, read_stream, text_of, types
from tests.asgi.virtual_time import Turns, event, play
from tests.servers.answers import Answer, Pause, chunk, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

OPENING = ["response.created", "response.in_progress"]
SHORT, LONG = 0.001, 60.0  # a grace that is over at once, and one that no test waits for
SSE = {"content-type": "text/event-stream"}


@pytest.mark.parametrize("grace", [0, SHORT])
async def test_stream_begins_although_the_upstream_has_not_answered(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, grace: float
) -> None:
    start(start_grace=grace)
    pause = Pause()
    upstream.reply(Answer(headers=SSE, before=[pause], chunks=text_answer("Hello").chunks))

    async with open_stream(client) as stream:
        first = [await stream.next(), await stream.next()]
        await pause.reached.wait()
        pause.release()
        await stream.rest()

    assert types(first) == OPENING
    assert text_of(stream.events) == "Hello"
    assert check(stream.events) == []


async def test_stream_begins_although_the_upstream_has_sent_only_headers(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """vLLM sends its 200 before it looks at the request."""
    start(start_grace=SHORT)
    pause = Pause()
    upstream.reply(stream_answer(pause, chunk({"content": "Hello"}, "stop")))

    async with open_stream(client) as stream:
        first = [await stream.next(), await stream.next()]
        pause.release()
        await stream.rest()

    assert types(first) == OPENING
    assert check(stream.events) == []


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(chunk({"role": "assistant", "content": ""}), id="role"),
        pytest.param(chunk({"role": "assistant", "content": None}), id="role-with-null"),
        pytest.param(chunk({}), id="empty-delta"),
        pytest.param(chunk({"content": "\n"}), id="blank-that-is-held-back"),
        pytest.param(chunk({"content": "Hello"}), id="content"),
    ],
)
async def test_first_chunk_begins_the_stream_within_the_grace(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, word: dict[str, Any]
) -> None:
    start(start_grace=LONG)
    pause = Pause()
    upstream.reply(stream_answer(word, pause, chunk({"content": "End"}, "stop")))

    async with open_stream(client) as stream:
        first = [await stream.next(), await stream.next()]
        pause.release()
        await stream.rest()

    assert types(first) == OPENING
    assert check(stream.events) == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param(400, 400, id="400"),
        pytest.param(404, 404, id="404"),
        pytest.param(429, 429, id="429"),
        pytest.param(503, 503, id="503"),
        pytest.param(500, 502, id="500"),
        pytest.param("bad", 502, id="word"),
        pytest.param(None, 502, id="none"),
        pytest.param(200, 502, id="200"),
        pytest.param(99999, 502, id="no-status"),
    ],
)
async def test_error_as_first_event_is_an_http_error_with_its_code_as_status(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, code: Any, status: int
) -> None:
    start(start_grace=LONG)
    error = {"error": {"message": "That did not work.", "type": "t", "code": code}}
    upstream.always(stream_answer(error))

    answers = [
        await client.post("/v1/responses", json={"model": "m", "input": "Hi", "stream": stream})
        for stream in (True, False)
    ]

    for answer in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]["message"] == "That did not work."
        assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


async def test_comments_and_empty_events_do_not_begin_the_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """OpenRouter sends comments while it looks for a server, and may then send an error."""
    start(start_grace=LONG)
    error = {"error": {"message": "No server.", "code": 404}}
    upstream.reply(stream_answer(b": PROCESSING\n\n", b"\n\n", b"data:\n\n", error))

    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi", "stream": True})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            stream_answer({"error": {"message": "Too late.", "code": 400}}), id="error-event"
        ),
        pytest.param(json_answer(400, {"error": {"message": "Too late."}}), id="http-error"),
        pytest.param(json_answer(400, {"object": "error", "message": "Too late."}), id="old-vllm"),
    ],
)
async def test_error_after_the_grace_is_error_and_failed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, answer: Answer
) -> None:
    start(start_grace=SHORT)
    pause = Pause()
    upstream.reply(Answer(answer.status, answer.headers, answer.chunks, [pause], answer.framing))

    async with open_stream(client) as stream:
        await stream.until("response.in_progress")
        pause.release()
        last = await stream.rest()

    assert stream.answer.status_code == 200
    assert types(last) == ["error", "response.failed", DONE]
    assert last[0]["error"]["message"] == "Too late."
    assert last[0]["error"]["type"] == "invalid_request_error"
    assert last[1]["response"]["error"]["message"] == "Too late."
    assert check(stream.events) == []


async def test_refused_connection_after_the_start_is_error_and_failed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(start_grace=0)
    await upstream.__aexit__(None, None, None)

    stream = await read_stream(client)

    assert types(stream.blocks) == [*OPENING, "error", "response.failed", DONE]
    assert check(stream.events) == []


@pytest.mark.parametrize("turns", range(8))
def test_stream_begins_once_when_the_grace_ends_as_the_upstream_speaks(turns: int) -> None:
    """The timer and the read may be due in the same turn of the event loop, in either order."""
    sent = play([0.25, Turns(turns), event(chunk({"content": "Hello"}, "stop"))], start_grace=0.25)

    starts = [each for each in sent if each.message["type"] == "http.response.start"]
    blocks = parse(b"".join(each.body for each in sent))
    assert len(starts) == 1
    assert check(blocks[:-1]) == []


@pytest.mark.parametrize("turns", range(8))
def test_error_as_the_grace_ends_is_one_answer(turns: int) -> None:
    """Either JSON with a status, or a stream that fails; never both, never neither."""
    error = event({"error": {"message": "No.", "code": 400}})

    sent = play([0.25, Turns(turns), error], start_grace=0.25)

    (status,) = [each.message["status"] for each in sent if "status" in each.message]
    body = b"".join(each.body for each in sent)
    if status == 200:
        assert types(parse(body)) == [*OPENING, "error", "response.failed", DONE]
    else:
        assert (status, json.loads(body)["error"]["message"]) == (400, "No.")


def test_grace_counts_from_the_request_to_the_first_word() -> None:
    sent = play([7.0, event(chunk({"content": "Hello"}, "stop"))], start_grace=0.25)

    first, opening, *_ = sent
    assert first.message["type"] == "http.response.start"
    assert types(parse(opening.body)) == OPENING
    assert (first.at, opening.at) == (0.25, 0.25)


def test_word_within_the_grace_does_not_wait_for_its_end() -> None:
    sent = play([0.125, event(chunk({"content": "Hello"}, "stop"))], start_grace=0.25)

    assert {each.at for each in sent} == {0.125}
