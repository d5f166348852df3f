"""What holds for every answer of a chat server, and for every request.

Recorded input proves what things mean (`test_transcripts.py`); random input proves what always
holds.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.dialects import Dialect
from adapter.dialects.base import ThinkTags
from adapter.errors import UpstreamError
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.stream.encode import encode_events
from adapter.stream.grammar import check
from adapter.stream.machine import ResponseStream
from adapter.stream.sse import SSEReader
from adapter.stream.think_tags import ThinkTagSplitter
from adapter.stream.turn import TurnReader
from adapter.tools.toolbox import open_toolbox
from adapter.types.events import Event
from tests.strategies import (
    JSON_VALUES,
    TEXT_LETTERS,
    TEXTS,
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


DELTAS = st.lists(
    st.one_of(
        st.builds(TextDelta, TEXTS),
        st.builds(RefusalDelta, TEXTS),
        st.builds(ReasoningDelta, TEXTS),
        st.builds(
            CallDelta,
            st.integers(0, 2),
            st.sampled_from(["", "call_a", "call_b"]),
            st.sampled_from(["", "f", "g"]),
            st.sampled_from(["", " ", "{", "}", "{}", '"a":1', "[", "x"]),
        ),
    ),
    max_size=12,
)


@bounded
@given(DELTAS, st.sampled_from(["stop", "length", "content_filter", "abort", None]))
def test_any_deltas_make_legal_events(deltas: list[Delta], finish_reason: str | None) -> None:
    stream = new_stream()
    events = stream.start() + stream.feed(deltas)
    try:
        events += stream.end_turn(finish_reason) + stream.finish(NOW)
    except UpstreamError as error:
        events += stream.fail(error)

    assert check(as_json(events)) == []


TOOLS = open_toolbox(
    [
        msgspec.Raw(msgspec.json.encode(tool))
        for tool in (
            {"type": "apply_patch"},
            {"type": "computer"},
            {"type": "custom", "name": "write"},
            {"type": "function", "name": "f"},
            {"type": "local_shell"},
            {"type": "shell"},
            {"type": "tool_search", "execution": "client"},
        )
    ]
).offered
# What models write for a call, right, wrong and cut off.
_WORDS = st.sampled_from(
    [
        *'{}[]":,\\ \n',
        '{"input":"',
        '{"input":',
        "input",
        "\\n",
        "\\ud83d",
        "\\ude00",
        "\\u-001",
        "\\u00",
        '{"commands":["',
        '{"command":"ls"',
        '{"type":"',
        "create_file",
        '"path":"a"',
        '"diff":"',
        '{"actions":[',
        "```sh\n",
        "\n```",
        "ls -l",
        "é",
        "1e999",
        '{"a":' * 600,
    ]
)
ARGUMENTS = st.lists(_WORDS, max_size=8) | JSON_VALUES.map(
    lambda value: [msgspec.json.encode(value).decode()]
)


@bounded
@given(st.sampled_from(sorted(TOOLS)), ARGUMENTS, st.sampled_from(["tool_calls", "length"]))
def test_any_arguments_of_any_tool_make_legal_events(
    name: str, pieces: list[str], finish_reason: str
) -> None:
    stream = new_stream(tools=TOOLS)
    events = stream.start() + stream.feed([CallDelta(0, "call_a", name, "")])
    events += stream.feed([CallDelta(0, "", "", piece) for piece in pieces])
    events += stream.end_turn(finish_reason) + stream.finish(NOW)

    assert check(as_json(events)) == []


@bounded
@given(st.text(TEXT_LETTERS, max_size=30), st.data())
def test_the_input_of_a_custom_tool_arrives_however_it_is_cut(
    text: str, data: st.DataObject
) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=data.draw(st.booleans())).encode()
    places = sorted(data.draw(st.lists(st.integers(0, len(arguments.decode())), max_size=6)))
    stream = new_stream(tools=TOOLS)
    stream.feed([CallDelta(0, "call_a", "write", "")])
    for piece in pieces_of(arguments.decode(), places):
        stream.feed([CallDelta(0, "", "", piece)])
    stream.end_turn("tool_calls")

    output = as_json(stream.finish(NOW))[0]["response"]["output"]
    assert [item["input"] for item in output] == [text]


def pieces_of(text: str, places: list[int]) -> list[str]:
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@bounded
@given(DELTAS)
def test_how_deltas_come_together_changes_nothing(deltas: list[Delta]) -> None:
    together, one_by_one = new_stream(), new_stream()

    events = [event for delta in deltas for event in one_by_one.feed([delta])]

    assert encode_events(events) == encode_events(together.feed(deltas))


@bounded
@given(DELTAS)
def test_no_word_of_any_deltas_is_lost(deltas: list[Delta]) -> None:
    stream = new_stream()
    said = {
        kind: without_blanks("".join(each.text for each in deltas if isinstance(each, type_)))
        for kind, type_ in (
            ("output_text", TextDelta),
            ("reasoning_text", ReasoningDelta),
            ("refusal", RefusalDelta),
        )
    }
    stream.feed(deltas)
    with suppress(UpstreamError):  # of calls without a name, and nothing else
        stream.end_turn("stop")
    output = as_json(stream.finish(NOW))[0]["response"]["output"]

    assert {kind: without_blanks(texts_of(output, kind)) for kind in said} == said


@bounded
@given(st.sampled_from(["start", "opened", "anywhere", "off"]), st.data())
def test_where_tags_are_cut_changes_nothing(mode: ThinkTags, data: st.DataObject) -> None:
    words = st.sampled_from(["<think>", "</think>", "<", "<thi", "</", ">", "a", " ", "\n"])
    text = "".join(data.draw(st.lists(words, max_size=10)))
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))

    assert divided(mode, pieces_of(text, places)) == divided(mode, [text])


def divided(mode: ThinkTags, texts: Iterable[str]) -> tuple[str, str]:
    splitter = ThinkTagSplitter(mode)
    pieces = [piece for text in texts for piece in splitter.split(text)] + splitter.end()
    return (
        "".join(text for is_reasoning, text in pieces if is_reasoning),
        "".join(text for is_reasoning, text in pieces if not is_reasoning),
    )


SSE_BYTES = st.lists(
    st.sampled_from(
        [b"data: ", b"data:", b"\n", b"\r", b"\r\n", b"\n\n", b"a", b":", b"\xef\xbb\xbf"]
    ),
    max_size=20,
).map(b"".join)


@bounded
@given(st.data())
def test_where_events_are_cut_changes_nothing(data: st.DataObject) -> None:
    body = data.draw(SSE_BYTES)
    reads = data.draw(cuts(body))

    assert events_of(reads) == events_of([body])


def events_of(reads: Iterable[bytes]) -> list[bytes]:
    reader = SSEReader()
    return [data for read in reads for data in reader.feed(read)] + reader.end()


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
