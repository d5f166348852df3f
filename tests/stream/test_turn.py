"""The body of an answer becomes deltas, as a stream or as one document, and its end is judged."""

import json
from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.turn import TurnReader
from adapter.types.items import Logprob
from adapter.types.response import Usage

GENERIC = Dialect(name="generic", source="a test")
DONE = b"data: [DONE]\n\n"


def reader(content_type: str = "text/event-stream", **options: Any) -> TurnReader:
    return TurnReader(GENERIC, content_type, **options)


def chunk(content: str | None = None, finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice], **fields}).encode()


def sse(*chunks: bytes) -> bytes:
    return b"".join(b"data: %s\n\n" % each for each in chunks)


def read(turn: TurnReader, *bodies: bytes) -> list[Delta]:
    deltas = [delta for body in bodies for delta in turn.feed(body)]
    return deltas + turn.end()


def joined(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


# (name, the body, its deltas)
STREAMS: list[tuple[str, bytes, list[Delta]]] = [
    (
        "finish and [DONE]",
        sse(chunk("Hel"), chunk("lo"), chunk(None, "stop"), b"[DONE]"),
        [TextDelta("Hel"), TextDelta("lo")],
    ),
    ("transformers: no [DONE]", sse(chunk("a", "stop")), [TextDelta("a")]),
    ("[DONE] without a finish reason", sse(chunk("a"), b"[DONE]"), [TextDelta("a")]),
    (
        "a last event without a blank line",
        sse(chunk("a")) + b"data: " + chunk("b", "stop"),
        [TextDelta("a"), TextDelta("b")],
    ),
    (
        "no blank lines at all",
        b"data: %s\ndata: %s\n\ndata: [DONE]\n" % (chunk("a"), chunk("b", "stop")),
        [TextDelta("a"), TextDelta("b")],
    ),
    (
        "one chunk over several lines",
        b'data: {"choices": [\ndata: {"delta": {"content": "a"},\ndata: "finish_reason": "stop"}]}\n\n',
        [TextDelta("a")],
    ),
    (
        "comments and other events between",
        b": wait\n\nevent: ping\n\n" + sse(chunk("a", "stop")),
        [TextDelta("a")],
    ),
    (
        "text that was held back comes with the end",
        sse(chunk("<thi", "stop"), b"[DONE]"),
        [TextDelta("<thi")],
    ),
    ("an answer without a word", sse(chunk(None, "stop")), []),
]
CASES = [pytest.param(body, expected, id=name) for name, body, expected in STREAMS]


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_a_stream_becomes_deltas(body: bytes, expected: list[Delta]) -> None:
    assert read(reader(), body) == expected


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_a_stream_that_ends_as_it_should_is_no_failure(body: bytes, expected: list[Delta]) -> None:
    turn = reader()
    read(turn, body)

    assert turn.failure is None


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_a_stream_may_be_cut_anywhere(body: bytes, expected: list[Delta]) -> None:
    wrong = [at for at in range(len(body) + 1) if read(reader(), body[:at], body[at:]) != expected]

    assert wrong == []


WHOLE = json.dumps(
    {
        "choices": [
            {
                "message": {
                    "content": "Hello",
                    "reasoning_content": "Hm.",
                    "tool_calls": [
                        {
                            "id": "c",
                            "function": {"name": "f", "arguments": "{}"},
                            "type": "function",
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
).encode()


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_a_whole_answer_is_one_big_chunk(content_type: str) -> None:
    turn = reader(content_type)

    assert read(turn, WHOLE) == [
        ReasoningDelta("Hm."),
        TextDelta("Hello"),
        CallDelta(0, "c", "f", "{}"),
    ]


def test_a_whole_answer_may_come_in_pieces() -> None:
    pieces = [WHOLE[at : at + 7] for at in range(0, len(WHOLE), 7)]

    assert read(reader("application/json"), *pieces) == read(reader("application/json"), WHOLE)


def test_a_whole_answer_may_begin_with_blank_lines() -> None:
    """DeepSeek keeps a connection alive with them."""
    turn = reader("application/json")

    assert read(turn, b"\n\n", b" \r\n" + WHOLE)[0] == ReasoningDelta("Hm.")


def test_a_whole_answer_is_complete_without_a_finish_reason() -> None:
    turn = reader("application/json")

    assert read(turn, b'{"choices": [{"message": {"content": "a"}}]}') == [TextDelta("a")]


EMPTY = "The upstream's answer is empty."
CUT = "The upstream's answer was cut off before it was complete."
NO_JSON = "The upstream sent an event that is not JSON."
BAD = b'{"error": {"message": "bad"}}'
SSE = "text/event-stream"
JSON = "application/json"

# (name, content type, body, the text that came before, message)
BROKEN = [
    ("nothing", SSE, b"", "", EMPTY),
    ("only [DONE]", SSE, DONE, "", EMPTY),
    ("only comments", SSE, b": wait\n\n", "", EMPTY),
    ("only usage", SSE, sse(b'{"choices": [], "usage": {}}', b"[DONE]"), "", EMPTY),
    ("cut behind a chunk", SSE, sse(chunk("a")), "a", CUT),
    ("cut while text was held back", SSE, sse(chunk("<th")), "<th", CUT),
    ("cut before the blank line of a chunk", SSE, b"data: " + chunk("a"), "a", CUT),
    ("cut inside a chunk", SSE, sse(chunk("a")) + b'data: {"cho', "a", NO_JSON),
    ("an error behind a chunk", SSE, sse(chunk("a"), BAD, b"[DONE]"), "a", "bad"),
    ("an error before a chunk", SSE, sse(BAD, chunk("a", "stop")), "", "bad"),
    ("no JSON before a chunk", SSE, sse(b"<html>", chunk("a", "stop")), "", NO_JSON),
    ("a line that is no chunk", SSE, b"data: %s\ndata: \xff\n\n" % chunk("a"), "a", NO_JSON),
    ("an empty document", JSON, b"", "", NO_JSON),
    ("half a document", JSON, WHOLE[:-1], "", NO_JSON),
    ("a document without choices", JSON, b'{"choices": []}', "", EMPTY),
    ("an error with status 200", JSON, BAD, "", "bad"),
]
FAILURES = [
    pytest.param(kind, body, (text, message), id=name) for name, kind, body, text, message in BROKEN
]


@pytest.mark.parametrize(("content_type", "body", "expected"), FAILURES)
def test_an_answer_that_is_broken_is_a_failure_behind_what_it_said(
    content_type: str, body: bytes, expected: tuple[str, str]
) -> None:
    turn = reader(content_type)
    text = joined(read(turn, body))

    assert isinstance(turn.failure, UpstreamError)
    assert (text, turn.failure.message) == expected


@pytest.mark.parametrize(("content_type", "body", "expected"), FAILURES)
def test_an_answer_may_break_anywhere(
    content_type: str, body: bytes, expected: tuple[str, str]
) -> None:
    found = set()
    for at in range(len(body) + 1):
        turn = reader(content_type)
        found.add((joined(read(turn, body[:at], body[at:])), str(turn.failure)))

    assert found == {expected}


def test_nothing_is_read_behind_a_failure() -> None:
    turn = reader()
    turn.feed(sse(b"<html>"))

    assert read(turn, sse(chunk("a", "stop"))) == []


# (name, content type, bytes within the limit, the bytes over it, message)
LIMITS = [
    ("document", JSON, b'{"choices"', b":", "The upstream sent an answer of more than 10 bytes."),
    ("event", SSE, b"data: 4567", b"8", "The upstream sent an event of more than 10 bytes."),
]


@pytest.mark.parametrize(
    ("content_type", "within", "over", "message"),
    [pytest.param(*limit, id=name) for name, *limit in LIMITS],
)
def test_what_is_over_the_limit_is_refused_before_it_ends(
    content_type: str, within: bytes, over: bytes, message: str
) -> None:
    turn = reader(content_type, max_event_bytes=10)
    failures = [turn.failure for body in (within, over) for _ in [turn.feed(body)]]

    assert [str(failure) for failure in failures] == ["None", message]


def test_an_answer_has_begun_with_its_first_choice() -> None:
    turn = reader()
    begun = [turn.has_begun]
    for body in (b": wait\n\n", sse(b'{"choices": []}'), sse(chunk(""))):
        turn.feed(body)
        begun.append(turn.has_begun)

    assert begun == [False, False, False, True]


def test_what_came_besides_the_text_is_kept() -> None:
    turn = reader(max_calls=0)
    call = b'{"choices": [{"delta": {"tool_calls": [{"function": {"name": "f"}}]}}]}'
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    read(turn, sse(call, chunk(None, "length", usage=usage, service_tier="flex"), b"[DONE]"))

    found = (turn.finish_reason, turn.usage, turn.service_tier, turn.dropped_calls)
    assert found == ("length", Usage(1, output_tokens=2, total_tokens=3), "flex", 1)


def test_nothing_is_known_before_it_came() -> None:
    turn = reader()

    found = (turn.finish_reason, turn.usage, turn.service_tier, turn.dropped_calls)
    assert found == (None, None, None, 0)


def test_log_probabilities_are_read_if_asked() -> None:
    body = (
        b'{"choices": [{"delta": {"content": "a"}, "finish_reason": "stop",'
        b' "logprobs": {"content": [{"token": "a", "logprob": -0.5}]}}]}'
    )

    assert read(reader(logprobs=True), sse(body)) == [TextDelta("a", (Logprob("a", -0.5, (97,)),))]
