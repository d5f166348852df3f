"""`AlikeChunks`: what is read by likeness is what reading with care gives."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects import DIALECTS
from adapter.stream.alike import MAX_MISSES, MAX_RUN, AlikeChunks
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
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


def as_events(chunks: list[bytes]) -> bytes:
    return b"".join(b"data: %b\n\n" % data for data in chunks)


def read_as_turn(chunks: list[bytes], **options: Any) -> list[Delta]:
    return TurnReader(DIALECT, **options).feed(as_events(chunks))


def read_one_by_one(chunks: list[bytes]) -> list[Delta]:
    turn = TurnReader(DIALECT)
    return [delta for data in chunks for delta in turn.feed(as_events([data]))]


def read_alike(alike: AlikeChunks, *chunks: bytes) -> list[Delta] | None:
    """Return what chunks say; None if they are not alike."""
    deltas: list[Delta] = []
    return deltas if alike.read(as_events(list(chunks)), deltas) else None


@pytest.mark.parametrize("options", [COMPACT, {}, {"ensure_ascii": True}], ids=str)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_are_those_of_careful_reading(options: dict[str, Any], texts: list[str]) -> None:
    chunks = [chunk("x", options), *(chunk(text, options) for text in texts)]

    assert read_as_turn(chunks) == read_with_care(chunks)
    assert read_one_by_one(chunks) == read_with_care(chunks)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_reasoning_is_that_of_careful_reading(field: str, texts: list[str]) -> None:
    said = [chunk("", delta={field: text}) for text in ["x", *texts]]
    # The echo of what the field says is left out, so whoever reads the field has to hear of it.
    chunks = [*said, chunk("<think>x" + "".join(texts)), chunk("</think>"), chunk("answer")]

    assert read_as_turn(chunks) == read_with_care(chunks)
    assert read_one_by_one(chunks) == read_with_care(chunks)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=repr)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    cuts=st.lists(st.integers(0, 2000)),
)
def test_a_cut_anywhere_changes_nothing(line_end: bytes, texts: list[str], cuts: list[int]) -> None:
    chunks = [chunk("x"), *map(chunk, texts)]
    body = as_events(chunks).replace(b"\n", line_end)
    places = [0, *sorted(cuts), len(body)]
    turn = TurnReader(DIALECT)
    reads = [body[start:end] for start, end in pairwise(places)]

    assert [delta for read in reads for delta in turn.feed(read)] == read_with_care(chunks)


def test_reasoning_behind_text_is_that_of_careful_reading() -> None:
    """Nothing can be its echo any more, so nobody has to hear of it."""
    thought = chunk("", delta={"reasoning": "x"})
    chunks = [thought, chunk("a"), chunk("b"), thought, thought, thought, chunk("c")]

    assert read_as_turn(chunks) == read_with_care(chunks)
    assert read_one_by_one(chunks) == read_with_care(chunks)


def test_chunk_with_two_kinds_of_reasoning_is_not_learned() -> None:
    alike = AlikeChunks()
    both = chunk("", delta={"reasoning": "x", "reasoning_content": "x"})
    alike.learn(both, ReasoningDelta("x"))

    assert read_alike(alike, both) is None


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
    alike = AlikeChunks()
    alike.learn(make("x"), TextDelta("x"))

    assert read_alike(alike, make("x")) is None


NO_STRINGS = {
    "no end": chunk("X").replace(b'"X"', b'"c'),
    "no beginning": chunk("X").replace(b'"X"', b'c"'),
    "nothing": chunk("X").replace(b'"X"', b""),
    "one quote": chunk("X").replace(b'"X"', b'"'),
    "no UTF-8": chunk("X").replace(b'"X"', b'"\xff"'),
    "half a character": chunk("X").replace(b'"X"', rb'"\ud83d"'),
    "a line break": chunk("X").replace(b'"X"', b'"\n"'),
    "two strings": chunk("X").replace(b'"X"', b'"c","c"'),
    "two arrays": chunk("X").replace(b'"X"', b'"c"],["c"'),
    "an end that is escaped": chunk("X").replace(b'"X"', rb'"c\"'),
}


@pytest.mark.parametrize("broken", NO_STRINGS.values(), ids=NO_STRINGS)
def test_string_that_is_not_json_is_not_taken(broken: bytes) -> None:
    alike = AlikeChunks()
    alike.learn(chunk("a"), TextDelta("a"))

    assert read_alike(alike, chunk("b")) == [TextDelta("b")]
    assert read_alike(alike, broken) is None
    assert read_alike(alike, chunk("b"), broken) is None
    assert read_alike(alike, broken, chunk("b")) is None


def test_string_runs_not_into_the_next() -> None:
    """Two strings in one chunk, and none in another, are not two."""
    alike = AlikeChunks()
    alike.learn(chunk("a"), TextDelta("a"))
    two, half = NO_STRINGS["two strings"], NO_STRINGS["an end that is escaped"]

    assert read_alike(alike, two, half, chunk("b")) is None


def test_chunks_around_one_that_is_broken_are_read() -> None:
    broken = NO_STRINGS["no UTF-8"]
    turn = TurnReader(DIALECT)

    assert turn.feed(as_events([chunk("a"), chunk("b"), broken, chunk("d")])) == [
        TextDelta("a"),
        TextDelta("b"),
    ]
    assert turn.failure is not None


@pytest.mark.parametrize("read", [b"\n", b"\n\n", b"\ndata: a\n\n", b""])
def test_nothing_is_alike_before_anything_was_learned(read: bytes) -> None:
    alike, deltas = AlikeChunks(), list[Delta]()

    assert not alike.read(read, deltas)
    alike.learn(chunk("a"), TextDelta("a"))
    alike.forget()
    assert not alike.read(read, deltas)
    assert deltas == []


def test_nothing_is_learned_where_no_chunk_is_like_the_one_before() -> None:
    alike = AlikeChunks()
    for number in range(MAX_MISSES + 1):
        alike.learn(chunk("a", created=number), TextDelta("a"))

    assert read_alike(alike, chunk("b", created=MAX_MISSES)) is None
    assert read_alike(alike, chunk("b", created=MAX_MISSES - 1)) == [TextDelta("b")]


@pytest.mark.parametrize("length", [MAX_RUN - 1, MAX_RUN, MAX_RUN + 1, 3 * MAX_RUN])
def test_long_run_between_others_is_that_of_careful_reading(length: int) -> None:
    alike = [chunk(str(number)) for number in range(length)]
    chunks = [chunk("", delta={"role": "assistant"}), *alike, chunk("x", id="d"), *alike]

    assert read_as_turn([*chunks, chunk("", choice={"finish_reason": "stop"})]) == read_with_care(
        chunks
    )


def test_event_over_the_limit_is_refused_although_it_is_alike() -> None:
    turn = TurnReader(DIALECT, max_event_bytes=len(chunk("")) + 20)
    turn.feed(as_events([chunk("a"), chunk("b")]))

    assert turn.feed(as_events([chunk("c"), chunk("d" * 100), chunk("e")])) == [TextDelta("c")]
    assert turn.failure is not None


def test_text_that_nobody_is_shown_in_pieces_is_one() -> None:
    chunks = [chunk("a"), chunk("b"), chunk(""), chunk("c"), chunk("d", choice={"index": 1})]

    assert read_as_turn(chunks, joins=True) == [TextDelta("a"), TextDelta("bc")]
    assert read_as_turn(chunks[:2], joins=True) == [TextDelta("a"), TextDelta("b")]


def call(arguments: Any, index: int | None = 0, **more: Any) -> bytes:
    named = {"name": more.pop("name")} if "name" in more else {}
    fragment = {"index": index, **more, "function": {**named, "arguments": arguments}}
    return chunk("", delta={"tool_calls": [fragment]})


FRAGMENTS = [
    call("", id="call_a", name="f"),
    call("", id="call_b", name="g"),
    call("", 1, id="call_c", name="h"),
    call("{}", name="f"),
    call("{}", id="call_a"),
    call('{"a":"', None),
    call('{"a":"'),
    call('{"a":"'),
    call('b"}'),
    call('b"}'),
    call("", 0),
    call({"a": 1}),
    call('b"}', 1),
    chunk(" and "),
    chunk("", choice={"finish_reason": "tool_calls"}),
]


@pytest.mark.parametrize("max_calls", [None, 1])
@given(chunks=st.lists(st.sampled_from(FRAGMENTS), max_size=12), cut=st.integers(0, 12))
def test_arguments_are_those_of_careful_reading(
    max_calls: int | None, chunks: list[bytes], cut: int
) -> None:
    """Whatever a server does with indexes, ids and names between them."""
    turn, careful = (
        TurnReader(DIALECT, max_calls=max_calls),
        ChunkReader(DIALECT, max_calls=max_calls),
    )
    reads = [*([data] for data in chunks[:cut]), chunks[cut:]]
    deltas = [delta for read in reads for delta in turn.feed(as_events(read))]

    assert deltas == [delta for data in chunks for delta in careful.read(data)]
    assert turn.dropped_calls == careful.dropped_calls


@given(pieces=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_pieces_of_arguments_are_those_of_careful_reading(pieces: list[str]) -> None:
    chunks = [call("", id="call_a", name="f"), *map(call, pieces)]
    # Whether an unnamed index goes on or begins anew depends on what the call has so far.
    chunks += [call("{}", name="g"), call("{}", name="h")]

    assert read_as_turn(chunks) == read_with_care(chunks)
    assert read_one_by_one(chunks) == read_with_care(chunks)


def test_arguments_that_nobody_is_shown_in_pieces_are_one() -> None:
    chunks = [call("", id="call_a", name="f"), *map(call, ["{", '"a"', ":", "1}"])]
    first, *others = read_as_turn(chunks, joins=True)

    assert first == CallDelta(0, "call_a", "f", "")
    assert others == [CallDelta(0, "", "", "{"), CallDelta(0, "", "", '"a":1}')]


def test_arguments_with_what_the_upstream_wants_back_are_read_with_care() -> None:
    chunks = [call("{}", extra_content={"google": 1}), call("{}", extra_content={"google": 1})]

    assert read_as_turn(chunks) == read_with_care(chunks)


def test_arguments_are_not_learned_where_log_probabilities_are_asked_for() -> None:
    """The entries on their chunks belong to no text."""
    entry = {"token": "a", "logprob": -1.0, "bytes": [97]}
    logprobs = {"logprobs": {"content": [entry]}}
    fragment = chunk("", delta=json.loads(call("{"))["choices"][0]["delta"], choice=logprobs)
    turn = TurnReader(DIALECT, logprobs=True)
    turn.feed(as_events([fragment] * 3))

    (delta,) = turn.feed(as_events([chunk("a", choice=logprobs)]))
    assert isinstance(delta, TextDelta)
    assert len(delta.logprobs) == 1
