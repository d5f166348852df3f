"""An answer in words becomes the call that it stands for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects import Dialect
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.stream.text_call import TextCall
from adapter.stream.turn import TurnReader
from adapter.tools.unwrap import InputReader

GENERIC = Dialect(name="generic", source="a test")


def read(*deltas: Delta, finish_reason: str | None = "stop") -> list[Delta]:
    call = TextCall("w")
    return [*call.feed(deltas), *call.end(finish_reason)]


def arguments(deltas: list[Delta]) -> str:
    return "".join(delta.arguments for delta in deltas if isinstance(delta, CallDelta))


def test_its_pieces_are_pieces_of_arguments() -> None:
    assert read(TextDelta('a"'), TextDelta(""), TextDelta("\n")) == [
        CallDelta(-1, "", "w", '{"input":"a\\"'),
        CallDelta(-1, "", "", "\\n"),
        CallDelta(-1, "", "", '"}'),
    ]


def test_what_is_no_text_stays_what_it_is() -> None:
    others: list[Delta] = [ReasoningDelta("Hm."), RefusalDelta("No."), CallDelta(0, "c", "f", "{}")]

    assert read(*others) == others


def test_an_answer_without_a_word_is_an_empty_input() -> None:
    """Some grammars have it, and the call was certain."""
    assert arguments(read()) == '{"input":""}'
    assert arguments(read(ReasoningDelta("Hm."))) == '{"input":""}'


@pytest.mark.parametrize("finish_reason", ["length", "content_filter", None])
def test_unless_it_was_cut_off(finish_reason: str | None) -> None:
    assert read(finish_reason=finish_reason) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_it_comes_back_as_it_was(pieces: list[str]) -> None:
    """Piece by piece as well: a client sees each when it is there."""
    deltas = read(*map(TextDelta, pieces))
    reader = InputReader()
    said = [reader.feed(delta.arguments) for delta in deltas if isinstance(delta, CallDelta)]

    assert json.loads(arguments(deltas)) == {"input": "".join(pieces)}
    assert said == [*pieces, ""]


def test_the_reader_of_a_turn_ends_it() -> None:
    reader = TurnReader(GENERIC, text_call="w")
    body = b'data: {"choices":[{"index":0,"delta":{"content":"<think>Hm.</think>x"}}]}\n\n'

    deltas = [*reader.feed(body + b"data: [DONE]\n\n"), *reader.end()]

    assert ReasoningDelta("Hm.") in deltas
    assert json.loads(arguments(deltas)) == {"input": "x"}


def test_text_that_was_held_back_belongs_to_it() -> None:
    """`<thi` could have become a tag."""
    reader = TurnReader(GENERIC, text_call="w")
    body = b'data: {"choices":[{"index":0,"delta":{"content":"<thi"},"finish_reason":"stop"}]}\n\n'

    deltas = [*reader.feed(body), *reader.end()]

    assert json.loads(arguments(deltas)) == {"input": "<thi"}
