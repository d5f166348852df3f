"""What holds for every answer of a chat server, and for every request.

Recorded input proves what things mean (`test_transcripts.py`); random input proves what always
holds.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.chunks import ChunkReader
from adapter.stream.encode import encode_events
from adapter.stream.grammar import check
from adapter.stream.machine import ResponseStream
from adapter.stream.turn import TurnReader
from adapter.types.events import Event
from tests.strategies import (
    ChatAnswer,
    broken,
    chat_answers,
    cuts,
)
from tests.stream.responses import NOW, as_json, new_stream

GENERIC = Dialect(name="generic", source="a test")

# The same examples in every run of CI; how long one takes on a busy machine proves nothing.
bounded = settings(
    deadline=None,
    max_examples=150,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def play(reads: Iterable[bytes]) -> list[Event]:
    """Return the events for an answer, as the loop makes them."""
    turn, stream = TurnReader(GENERIC), new_stream()
    events = stream.start()
    for read in reads:
        events += stream.feed(turn.feed(read))
    events += stream.feed(turn.end())
    return events + end(stream, turn)


def end(stream: ResponseStream, turn: TurnReader) -> list[Event]:
    if turn.failure is not None:
        return stream.fail(turn.failure)
    try:
        return stream.end_turn(turn.finish_reason, turn.usage) + stream.finish(NOW)
    except UpstreamError as error:
        return stream.fail(error)


def without_blanks(text: str) -> str:
    return "".join(text.split())


def texts_of(items: Iterable[Mapping[str, Any]], part_type: str) -> str:
    parts = [part for item in items for part in item.get("content", ())]
    return "".join(
        part.get("text", part.get("refusal")) for part in parts if part["type"] == part_type
    )


@bounded
@given(chat_answers())
def test_the_events_of_every_answer_are_legal(answer: ChatAnswer) -> None:
    assert check(as_json(play([answer.body]))) == []


@bounded
@given(st.data())
def test_where_the_bytes_are_cut_changes_nothing(data: st.DataObject) -> None:
    answer = data.draw(chat_answers())
    reads = data.draw(cuts(answer.body))

    assert encode_events(play(reads)) == encode_events(play([answer.body]))


@bounded
@given(chat_answers(cut=False))
def test_an_answer_that_ends_as_it_should_does_not_fail(answer: ChatAnswer) -> None:
    last = as_json(play([answer.body]))[-1]

    assert last["type"] in {"response.completed", "response.incomplete"}


@bounded
@given(chat_answers(cut=True))
def test_an_answer_that_was_cut_off_fails(answer: ChatAnswer) -> None:
    last = as_json(play([answer.body]))[-1]

    assert last["type"] == "response.failed"


@bounded
@given(chat_answers(cut=False))
def test_no_text_is_lost(answer: ChatAnswer) -> None:
    output = as_json(play([answer.body]))[-1]["response"]["output"]

    kinds = ("output_text", "reasoning_text", "refusal")
    found = [without_blanks(texts_of(output, kind)) for kind in kinds]
    assert found == [
        without_blanks(said) for said in (answer.text, answer.reasoning, answer.refusal)
    ]


@bounded
@given(chat_answers(cut=False))
def test_no_call_is_lost(answer: ChatAnswer) -> None:
    output = as_json(play([answer.body]))[-1]["response"]["output"]

    calls = [
        (item["name"], item["arguments"]) for item in output if item["type"] == "function_call"
    ]
    assert calls == answer.calls


@bounded
@given(chat_answers())
def test_deltas_joined_are_the_whole_and_the_whole_is_in_the_output(answer: ChatAnswer) -> None:
    events = as_json(play([answer.body]))
    output = events[-1]["response"]["output"]

    for name, key, part_type in (
        ("output_text", "text", "output_text"),
        ("reasoning_text", "text", "reasoning_text"),
        ("refusal", "refusal", "refusal"),
    ):
        deltas = [each["delta"] for each in events if each["type"] == f"response.{name}.delta"]
        wholes = [each[key] for each in events if each["type"] == f"response.{name}.done"]
        assert "".join(deltas) == "".join(wholes) == texts_of(output, part_type)


@bounded
@given(chat_answers())
def test_items_that_are_done_are_the_output(answer: ChatAnswer) -> None:
    events = as_json(play([answer.body]))

    done = [each["item"] for each in events if each["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]


@bounded
@given(chat_answers())
def test_events_are_values(answer: ChatAnswer) -> None:
    """It does not matter when they are encoded: nothing changes in an event that was returned."""
    turn, stream = TurnReader(GENERIC), new_stream()
    events: list[Event] = []
    at_once = bytearray()

    def take(some: Sequence[Event]) -> None:
        events.extend(some)
        at_once.extend(encode_events(some))

    take(stream.start())
    for place in range(0, len(answer.body), 50):
        take(stream.feed(turn.feed(answer.body[place : place + 50])))
    take(stream.feed(turn.end()))
    take(end(stream, turn))

    assert encode_events(events) == at_once


@bounded
@given(st.data())
def test_a_stream_may_fail_anywhere(data: st.DataObject) -> None:
    body = data.draw(chat_answers()).body
    turn, stream = TurnReader(GENERIC), new_stream()
    events = stream.start()
    events += stream.feed(turn.feed(body[: data.draw(st.integers(0, len(body)))]))
    events += stream.fail(UpstreamError("The connection broke."))

    assert check(as_json(events)) == []


@bounded
@given(st.binary(max_size=200))
def test_any_bytes_are_a_chunk_or_the_fault_of_the_upstream(data: bytes) -> None:
    with suppress(UpstreamError):
        ChunkReader(GENERIC).read(data)


# Every key that is read of a chunk, and then some.
_KEYS = st.sampled_from(
    [
        "choices",
        "delta",
        "message",
        "index",
        "finish_reason",
        "usage",
        "error",
        "code",
        "type",
        "param",
        "object",
        "detail",
        "content",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "refusal",
        "tool_calls",
        "function_call",
        "function",
        "name",
        "arguments",
        "id",
        "extra_content",
        "logprobs",
        "token",
        "logprob",
        "bytes",
        "top_logprobs",
        "text",
        "thinking",
        "base_resp",
        "status_msg",
        "service_tier",
        "x_groq",
        "msg",
        "loc",
        "prompt_tokens",
        "total_tokens",
    ]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["", "stop", "error", "text", "thinking", "1e999"]),
)
_CHUNKS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@bounded
@given(_CHUNKS, st.booleans())
def test_any_json_is_an_answer_or_the_fault_of_the_upstream(chunk: Any, logprobs: bool) -> None:
    turn = TurnReader(GENERIC, "application/json", logprobs=logprobs)
    deltas = turn.feed(msgspec.json.encode({"choices": [chunk], "usage": chunk})) + turn.end()
    stream = new_stream()
    events = stream.start() + stream.feed(deltas) + end(stream, turn)

    assert check(as_json(events)) == []


@bounded
@given(_CHUNKS)
def test_any_delta_is_read_or_the_fault_of_the_upstream(delta: Any) -> None:
    body = msgspec.json.encode({"choices": [{"delta": delta, "finish_reason": "stop"}]})

    assert check(as_json(play([b"data: %s\n\n" % body]))) == []


@bounded
@given(st.data())
def test_an_answer_with_broken_bytes_makes_legal_events(data: st.DataObject) -> None:
    body = data.draw(broken(data.draw(chat_answers()).body))
    reads = data.draw(cuts(body))

    assert check(as_json(play(reads))) == []
