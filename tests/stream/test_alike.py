"""`AlikeChunks`: what is read by likeness is what reading with care gives."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects import DIALECTS
from adapter.stream.alike import MAX_MISSES, AlikeChunks
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import Delta, ReasoningDelta, TextDelta
from adapter.stream.turn import TurnReader

DIALECT = DIALECTS["vllm"]
COMPACT: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}


def chunk(text: str, options: dict[str, Any] = COMPACT, **more: Any) -> bytes:
    delta = {"content": text, **more.pop("delta", {})}
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more.pop("choice", {})}
    fields = {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more}
    return json.dumps(fields, **options).encode("utf-8", "surrogatepass")


def read_with_care(chunks: list[bytes]) -> list[Delta]:
    reader = ChunkReader(DIALECT)
    return [delta for data in chunks for delta in reader.read(data)]


def read_as_turn(chunks: list[bytes], **options: Any) -> list[Delta]:
    return TurnReader(DIALECT, **options).feed(b"".join(b"data: %b\n\n" % data for data in chunks))


@pytest.mark.parametrize("options", [COMPACT, {}, {"ensure_ascii": True}], ids=str)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_are_those_of_careful_reading(options: dict[str, Any], texts: list[str]) -> None:
    chunks = [chunk("x", options), *(chunk(text, options) for text in texts)]

    assert read_as_turn(chunks) == read_with_care(chunks)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_reasoning_is_that_of_careful_reading(field: str, texts: list[str]) -> None:
    said = [chunk("", delta={field: text}) for text in ["x", *texts]]
    # The echo of what the field says is left out, so whoever reads the field has to hear of it.
    chunks = [*said, chunk("<think>x" + "".join(texts)), chunk("</think>"), chunk("answer")]

    assert read_as_turn(chunks) == read_with_care(chunks)


def test_chunk_with_two_kinds_of_reasoning_is_not_learned() -> None:
    alike, deltas = AlikeChunks(), list[Delta]()
    both = chunk("", delta={"reasoning": "x", "reasoning_content": "x"})
    alike.learn(both, ReasoningDelta("x"))

    assert alike.read([both], 0, deltas) == 0


ODD_CHUNKS = {
    "finish": chunk("b", choice={"finish_reason": "length"}),
    "call beside text": chunk("b", delta={"tool_calls": [{"index": 0, "function": {"name": "f"}}]}),
    "reasoning beside text": chunk("b", delta={"reasoning": "r"}),
    "null": chunk("b").replace(b'"b"', b"null"),
    "number": chunk("b").replace(b'"b"', b'["b"]'),
    "text that ends the chunk": chunk('b"},"finish_reason":null}],"x":"'),
    "text like a key": chunk('","content":"'),
    "other choice": chunk("b", choice={"index": 1}),
    "usage": chunk("b", usage={"prompt_tokens": 1}),
    "other id": chunk("b").replace(b'"id":"c"', b'"id":"d"'),
}


@pytest.mark.parametrize("odd", ODD_CHUNKS.values(), ids=ODD_CHUNKS)
def test_odd_chunk_among_alike_ones_is_read_with_care(odd: bytes) -> None:
    chunks = [chunk("a"), chunk("b"), odd, chunk("c"), chunk("d")]
    turn = TurnReader(DIALECT)
    careful = ChunkReader(DIALECT)
    deltas = turn.feed(b"".join(b"data: %b\n\n" % data for data in chunks))

    assert deltas == [delta for data in chunks for delta in careful.read(data)]
    assert turn.finish_reason == careful.finish_reason
    assert (turn.usage is None) == (careful.usage is None)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda text: chunk(text, choice={"message": {"content": "x"}}), id="behind"),
        pytest.param(
            lambda text: chunk(text).replace(
                b'"choices":[', b'"choices":[{"index":1,"delta":{"content":"x"}},'
            ),
            id="before",
        ),
    ],
)
def test_chunk_with_two_contents_is_not_learned(make: Callable[[str], bytes]) -> None:
    alike, deltas = AlikeChunks(), list[Delta]()
    alike.learn(make("x"), TextDelta("x"))

    assert alike.read([make("x")], 0, deltas) == 0
    assert deltas == []


def test_string_that_is_not_json_is_not_taken() -> None:
    alike, deltas = AlikeChunks(), list[Delta]()
    alike.learn(chunk("a"), TextDelta("a"))
    broken = [chunk("b"), chunk("c").replace(b'"c"', b'"c'), chunk("d").replace(b'"d"', b'"\xff"')]

    assert alike.read(broken, 0, deltas) == 1
    assert alike.read(broken, 2, deltas) == 2
    assert deltas == [TextDelta("b")]


def test_nothing_is_learned_where_no_chunk_is_like_the_one_before() -> None:
    alike, deltas = AlikeChunks(), list[Delta]()
    for number in range(MAX_MISSES + 1):
        alike.learn(chunk("a", created=number), TextDelta("a"))

    assert alike.read([chunk("b", created=MAX_MISSES)], 0, deltas) == 0
    assert alike.read([chunk("b", created=MAX_MISSES - 1)], 0, deltas) == 1


def test_text_that_nobody_is_shown_in_pieces_is_one() -> None:
    chunks = [chunk("a"), chunk("b"), chunk(""), chunk("c"), chunk("d", choice={"index": 1})]

    assert read_as_turn(chunks, joins=True) == [TextDelta("a"), TextDelta("bc")]
