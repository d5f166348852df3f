"""The stream of a response, as it is on the wire: framing, order, reads and sends, other names.

Source: sheet §2 and §7; `design.md` §4 (one send per upstream read, no queue between).
"""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.recorder import Recorder
from tests.asgi.streams import DONE, open_stream, parse, read_stream, text_of, types
from tests.servers.answers import (
    Answer,
    Pause,
    chunk,
    cut,
    sse,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

MULTIBYTE = "Grüße, 日本語, 👋🏽 "
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}


async def test_stream_is_legal_and_says_what_the_upstream_says(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello there, world", reasoning="Let me think"))

    stream = await read_stream(client)

    assert check(stream.events) == []
    assert text_of(stream.events) == "Hello there, world"
    assert types(stream.events)[-1] == "response.completed"


async def test_stream_ends_in_done_and_has_it_once(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    stream = await read_stream(client)

    assert stream.blocks[-1] == DONE
    assert stream.blocks.count(DONE) == 1
    assert stream.raw.endswith(b"\n\ndata: [DONE]\n\n")


async def test_lines_are_event_and_data_with_line_feeds_only(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """A strict parser knows no other line end, and U+2028 in text is not one."""
    start()
    upstream.reply(stream_answer(chunk({"content": "a\r\nb\u2028c\u0085d"}), chunk({}, "stop")))

    stream = await read_stream(client)

    lines = stream.raw.split(b"\n")
    assert {line.partition(b":")[0] for line in lines} == {b"event", b"data", b""}
    assert b"\r" not in stream.raw
    assert text_of(stream.events) == "a\r\nb\u2028c\u0085d"


async def test_answer_has_the_headers_of_a_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    async with open_stream(client) as stream:
        headers = stream.answer.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-request-id"].startswith("req_")


async def test_one_read_from_upstream_is_one_send_of_whole_events(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stand: Stand
) -> None:
    recorder = stand.app = Recorder(start())
    pauses = [Pause(), Pause()]
    writes = [
        b"".join(part for part in sse(*words, done=False) if isinstance(part, bytes))
        for words in (_chunks("role", "a", "b", "c"), _chunks("d", "e"))
    ]
    end = sse(chunk({}, "stop"))
    upstream.reply(stream_answer(writes[0], pauses[0], writes[1], pauses[1], *end, done=False))

    async with open_stream(client) as stream:
        for pause, last in zip(pauses, "ce", strict=True):
            await _until_text(stream, last)
            pause.release()
        await stream.rest()

    deltas = [text_of(parse(body)) for body in recorder.bodies]
    assert deltas[:2] == ["abc", "de"]
    assert "".join(deltas[2:]) == ""


async def test_event_that_is_cut_upstream_is_sent_whole(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stand: Stand
) -> None:
    recorder = stand.app = Recorder(start())
    pause = Pause()
    head, tail = cut(b"".join(_bytes(sse(chunk({"content": "whole"}, "stop")))), 30)
    upstream.reply(stream_answer(chunk({"content": "first "}), head, pause, tail, done=False))

    async with open_stream(client) as stream:
        await _until_text(stream, "first ")
        await pause.reached.wait()
        pause.release()
        await stream.rest()

    assert text_of(stream.events) == "first whole"
    assert all(body.endswith(b"\n\n") for body in recorder.bodies)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_characters_cut_between_reads_come_out_whole(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, size: int
) -> None:
    start()
    body = b"".join(_bytes(sse(chunk({"content": MULTIBYTE}), chunk({}, "stop"))))
    pieces = cut(body, *range(size, len(body), size))
    upstream.reply(Answer(headers={"content-type": "text/event-stream"}, chunks=pieces))

    stream = await read_stream(client)

    assert text_of(stream.events) == MULTIBYTE
    assert check(stream.events) == []


async def test_parallel_streams_do_not_mix(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    pauses = {f"prompt {number}": Pause() for number in range(10)}

    def answer(request: Request) -> Answer:
        prompt = request.json["messages"][-1]["content"]
        words = [chunk({"content": f"{prompt}, word {number}; "}) for number in range(5)]
        return stream_answer(words[0], pauses[prompt], *words[1:], chunk({}, "stop"))

    upstream.always(answer)
    async with asyncio.TaskGroup() as group:
        tasks = {prompt: group.create_task(read_stream(client, input=prompt)) for prompt in pauses}
        for pause in pauses.values():
            await pause.reached.wait()
        for pause in reversed(pauses.values()):
            pause.release()

    streams = {prompt: task.result() for prompt, task in tasks.items()}
    assert {prompt: text_of(stream.events) for prompt, stream in streams.items()} == {
        prompt: "".join(f"{prompt}, word {number}; " for number in range(5)) for prompt in pauses
    }
    assert all(check(stream.events) == [] for stream in streams.values())
    assert len({stream.events[0]["response"]["id"] for stream in streams.values()}) == 10


async def test_tool_calls_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(tool_answer(("get_weather", {"city": "Paris"}), text="Let me look."))

    stream = await read_stream(client, tools=[TOOL])

    assert check(stream.events) == []
    message, call = stream.events[-1]["response"]["output"]
    assert message["content"][0]["text"] == "Let me look."
    assert json.loads(call["arguments"]) == {"city": "Paris"}


async def test_whole_answer_to_a_stream_request_is_streamed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """Some servers ignore `stream`; vLLM's answer to a request of its own middleware may be one."""
    start()
    body = chunk(object="chat.completion") | {
        "choices": [{"index": 0, "message": {"content": "All at once"}, "finish_reason": "stop"}]
    }
    upstream.reply(
        Answer(headers={"content-type": "application/json"}, chunks=[json.dumps(body).encode()])
    )

    stream = await read_stream(client)

    assert text_of(stream.events) == "All at once"
    assert check(stream.events) == []


async def test_answer_without_stream_is_the_collected_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(text_answer("Hello there", reasoning="Hm"))

    whole = (await client.post("/v1/responses", json={"model": "m", "input": "Hi"})).json()
    last = (await read_stream(client)).events[-1]["response"]

    assert _without_ids(whole) == _without_ids(last)
    assert (await upstream.request(0)).json["stream"] is True


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        pytest.param({"reasoning_events": "reasoning"}, {}, id="setting"),
        pytest.param({}, {"OpenResponses-Version": "latest"}, id="header"),
    ],
)
async def test_reasoning_has_the_names_of_open_responses_by_request_or_setting(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    settings: dict[str, str],
    headers: dict[str, str],
) -> None:
    start(**settings)
    upstream.reply(text_answer("Hello", reasoning="Hm"))

    stream = await read_stream(client, headers=headers)

    names = set(types(stream.events))
    assert {"response.reasoning.delta", "response.reasoning.done"} <= names
    assert not {name for name in names if "reasoning_text" in name}


async def test_reasoning_has_the_names_of_openai_by_default(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello", reasoning="Hm"))

    stream = await read_stream(client)

    names = set(types(stream.events))
    assert {"response.reasoning_text.delta", "response.reasoning_text.done"} <= names
    assert "response.reasoning.delta" not in names


def _chunks(*words: str) -> list[dict[str, Any]]:
    role = {"role": "assistant", "content": ""}
    return [chunk(role if word == "role" else {"content": word}) for word in words]


def _bytes(steps: tuple[Any, ...]) -> list[bytes]:
    return [step for step in steps if isinstance(step, bytes)]


async def _until_text(stream: Any, text: str) -> None:
    while (await stream.until("response.output_text.delta"))["delta"] != text:
        pass


def _without_ids(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is new in every response."""
    output = [{**item, "id": ""} for item in response["output"]]
    return response | {"id": "", "created_at": 0, "completed_at": 0, "output": output}
