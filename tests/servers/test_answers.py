"""The answers that tests queue are what a chat server would send."""

import json
from typing import Any

from tests.servers.answers import (
    Answer,
    Pause,
    chunk,
    cut,
    json_answer,
    sse,
    text_answer,
    tool_answer,
    whole_answer,
)


def read_chunks(answer: Answer) -> list[Any]:
    body = b"".join(step for step in answer.chunks if isinstance(step, bytes))
    events = body.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def test_sse_takes_objects_data_bytes_and_steps() -> None:
    pause = Pause()

    assert sse({"a": "é"}, "no json", b": ping\n\n", pause) == (
        '{"a":"é"}'.join(["data: ", "\n\n"]).encode(),
        b"data: no json\n\n",
        b": ping\n\n",
        pause,
        b"data: [DONE]\n\n",
    )


def test_sse_without_done_ends_with_its_last_chunk() -> None:
    assert sse("x", done=False) == (b"data: x\n\n",)


def test_text_answer_streams_reasoning_then_words_then_finish_then_usage() -> None:
    chunks = read_chunks(text_answer("Hello you", reasoning="Hm."))

    deltas = [each["choices"][0]["delta"] for each in chunks if each["choices"]]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm."},
        {"content": "Hello"},
        {"content": " you"},
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 12


def test_text_answer_without_usage_ends_with_the_finish() -> None:
    chunks = read_chunks(text_answer("Hello", usage=None))

    assert chunks[-1] == chunk({}, "stop")


def test_tool_answer_gives_each_call_an_id_and_its_arguments_in_pieces() -> None:
    chunks = read_chunks(
        tool_answer(("get_weather", {"city": "Paris"}), ("get_time", {}), text="Let me see.")
    )

    deltas = [each["choices"][0]["delta"] for each in chunks if each["choices"]]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    arguments = ["", ""]
    for call in calls:
        arguments[call["index"]] += call["function"]["arguments"]
    assert [call["id"] for call in calls if "id" in call] == ["call_0", "call_1"]
    assert arguments == ['{"city": "Paris"}', "{}"]
    assert "".join(delta.get("content", "") for delta in deltas) == "Let me see."
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_whole_answer_is_one_completion() -> None:
    answer = whole_answer("Hello")

    (body,) = answer.chunks
    assert isinstance(body, bytes)
    assert json.loads(body)["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}


def test_json_answer_keeps_status_and_headers() -> None:
    answer = json_answer(429, {"error": "slow"}, {"retry-after": "3"})

    assert answer.status == 429
    assert answer.headers == {"content-type": "application/json", "retry-after": "3"}
    assert answer.chunks == [b'{"error":"slow"}']


def test_cut_keeps_every_byte() -> None:
    assert cut(b"abcdef", 1, 4) == (b"a", b"bcd", b"ef")
