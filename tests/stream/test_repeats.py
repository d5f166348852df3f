"""What an upstream says twice is said once, and what it says in other shapes is said all the same."""

import json
from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta

GENERIC = Dialect(name="generic", source="a test")


def delta(**keys: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": keys}]}


def message(**keys: Any) -> dict[str, Any]:
    """Return a chunk that holds a whole answer, as MiniMax's last one does."""
    choices = [{"index": 0, "message": keys, "finish_reason": "stop"}]
    return {"object": "chat.completion", "choices": choices, "usage": {"total_tokens": 7}}


def read(*chunks: Any, dialect: Dialect = GENERIC) -> list[Delta]:
    reader = ChunkReader(dialect)
    deltas = [each for chunk in chunks for each in reader.read(json.dumps(chunk).encode())]
    return deltas + reader.end()


CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}

# (name, chunks, deltas)
WHOLE: list[tuple[str, list[Any], list[Delta]]] = [
    (
        "the text once more",
        [delta(content="Hel"), delta(content="lo"), message(content="Hello")],
        [TextDelta("Hel"), TextDelta("lo")],
    ),
    (
        "text and reasoning once more",
        [
            delta(reasoning_content="Hm."),
            delta(content="Hello"),
            message(content="Hello", reasoning_content="Hm."),
        ],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    (
        "text with tags once more",
        [delta(content="<think>Hm.</think>Hello"), message(content="<think>Hm.</think>Hello")],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    (
        "a call once more",
        [delta(tool_calls=[CALL]), message(content="", tool_calls=[CALL])],
        [CallDelta(0, "c", "f", "{}")],
    ),
    (
        "what was not said before: a call behind text",
        [delta(content="Hello"), message(content="Hello", tool_calls=[CALL])],
        [TextDelta("Hello"), CallDelta(0, "c", "f", "{}")],
    ),
    (
        "what was not said before: text behind reasoning",
        [delta(reasoning="Hm."), message(content="Hello", reasoning="Hm.")],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    (
        "all of it, behind a delta that says nothing",
        [delta(role="assistant", content=""), message(content="Hello")],
        [TextDelta("Hello")],
    ),
    ("a whole answer", [message(content="Hello")], [TextDelta("Hello")]),
    (
        "Perplexity: a delta, and beside it everything so far",
        [
            {"choices": [{"delta": {"content": "Hel"}, "message": {"content": "Hel"}}]},
            {"choices": [{"delta": {"content": "lo"}, "message": {"content": "Hello"}}]},
        ],
        [TextDelta("Hel"), TextDelta("lo")],
    ),
    (
        "Perplexity: a whole answer with a delta that says nothing",
        [{"choices": [{"delta": {"content": ""}, "message": {"content": "Hello"}}]}],
        [TextDelta("Hello")],
    ),
]


@pytest.mark.parametrize(
    ("chunks", "expected"), [pytest.param(*case, id=name) for name, *case in WHOLE]
)
def test_a_message_at_the_end_adds_what_is_new(chunks: list[Any], expected: list[Delta]) -> None:
    """BitFun #792: a live answer of MiniMax-M2.7 ended so."""
    assert read(*chunks) == expected


def test_the_last_message_still_ends_the_answer() -> None:
    reader = ChunkReader(GENERIC)
    for chunk in (delta(content="Hello"), message(content="Hello")):
        reader.read(json.dumps(chunk).encode())

    assert (reader.finish_reason, reader.usage) == ("stop", {"total_tokens": 7})


def test_a_field_that_repeats_itself_is_said_once() -> None:
    """MiniMax sends the text of its details in `reasoning_content` as well."""
    minimax = Dialect(name="minimax", source="a test", cumulative_details=True)
    chunks = [
        delta(reasoning_content=text, reasoning_details=[{"text": text}])
        for text in ("Hm", "Hm.", "Hm.", "Hm. So")
    ]

    assert read(*chunks, dialect=minimax) == [
        ReasoningDelta("Hm"),
        ReasoningDelta("."),
        ReasoningDelta(" So"),
    ]


# (name, keys of the delta, deltas)
SHAPES: list[tuple[str, dict[str, Any], list[Delta]]] = [
    ("reasoning as an object", {"reasoning": {"content": "Hm."}}, [ReasoningDelta("Hm.")]),
    ("an object with a text", {"reasoning_content": {"text": "Hm."}}, [ReasoningDelta("Hm.")]),
    ("an object that says nothing", {"reasoning": {"id": "x"}}, []),
    ("details as one object", {"reasoning_details": {"summary": "Hm."}}, [ReasoningDelta("Hm.")]),
    ("details as a text", {"reasoning_details": "Hm."}, [ReasoningDelta("Hm.")]),
    ("content as one part", {"content": {"type": "text", "text": "Hello"}}, [TextDelta("Hello")]),
    ("a refusal as ever", {"refusal": "No."}, [RefusalDelta("No.")]),
]


@pytest.mark.parametrize(
    ("keys", "expected"), [pytest.param(*case, id=name) for name, *case in SHAPES]
)
def test_other_shapes_are_understood(keys: dict[str, Any], expected: list[Delta]) -> None:
    """`codex_chat_common.rs` of cc-switch lists them."""
    assert read(delta(**keys)) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"choices": None, "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"base_resp": {}},
        {"base_resp": 7},
    ],
)
def test_a_word_that_all_is_well_is_no_error(given: Any) -> None:
    assert read(given) == []


@pytest.mark.parametrize("choices", [None, []])
def test_a_word_that_all_is_not_well_is_an_error(choices: Any) -> None:
    with pytest.raises(UpstreamError, match="rate limit"):
        read({"choices": choices, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}})
