"""What holds for each stage alone: the state machine, calls, tags and server-sent events."""

import json
from collections.abc import Iterable
from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects.base import ThinkTags
from adapter.errors import UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.stream.encode import encode_events
from adapter.stream.grammar import check
from adapter.stream.sse import SSEReader
from adapter.stream.think_tags import ThinkTagSplitter
from adapter.tools.toolbox import open_toolbox
from tests.strategies import JSON_VALUES, TEXT_LETTERS, TEXTS, cuts
from tests.stream.responses import NOW, as_json, new_stream
from tests.test_properties import bounded, texts_of, without_blanks

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
