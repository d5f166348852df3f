"""Chunks of every server become the same few deltas.

The shapes are those that servers were recorded or reported to send.
"""

from typing import Any

import pytest
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from tests.stream.chunks import call, delta, read, reader

DELTAS: list[tuple[str, list[Any], list[Delta]]] = [
    ("text", [delta(content="Hello")], [TextDelta("Hello")]),
    ("a role", [delta(role="assistant", content="")], []),
    ("a role alone", [delta(role="assistant")], []),
    ("null content", [delta(role="assistant", content=None)], []),
    ("an empty delta", [delta()], []),
    ("a null delta", [{"choices": [{"index": 0, "delta": None}]}], []),
    ("a choice without anything", [{"choices": [{}]}], []),
    ("no choices", [{"choices": []}], []),
    ("null choices", [{"choices": None}], []),
    ("an empty object", [{}], []),
    ("a choice without an index", [{"choices": [{"delta": {"content": "a"}}]}], [TextDelta("a")]),
    ("another choice", [{"choices": [{"index": 1, "delta": {"content": "b"}}]}], []),
    (
        "the first choice among others",
        [
            {
                "choices": [
                    {"index": 1, "delta": {"content": "b"}},
                    {"index": 0, "delta": {"content": "a"}},
                ]
            }
        ],
        [TextDelta("a")],
    ),
    (
        "a whole answer",
        [{"choices": [{"message": {"content": "Hello", "reasoning_content": "Hm."}}]}],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    ("reasoning of vLLM", [delta(reasoning="Hm.")], [ReasoningDelta("Hm.")]),
    ("reasoning of the others", [delta(reasoning_content="Hm.")], [ReasoningDelta("Hm.")]),
    (
        "both names for one reasoning",
        [delta(reasoning="Hm.", reasoning_content="Hm.")],
        [ReasoningDelta("Hm.")],
    ),
    (
        "null reasoning beside text",
        [delta(reasoning_content=None, content="a")],
        [TextDelta("a")],
    ),
    (
        "reasoning comes before text in time",
        [delta(content="a", reasoning="Hm.")],
        [ReasoningDelta("Hm."), TextDelta("a")],
    ),
    ("a refusal", [delta(refusal="No.")], [RefusalDelta("No.")]),
    ("an empty refusal", [delta(refusal="")], []),
    (
        "everything at once",
        [
            delta(
                tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}],
                refusal="No.",
                content="a",
                reasoning="Hm.",
            )
        ],
        [ReasoningDelta("Hm."), TextDelta("a"), RefusalDelta("No."), CallDelta(0, "c", "f", "{}")],
    ),
    (
        "tags in content",
        [delta(content="<think>Hm.</think>"), delta(content="Hello")],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    (
        "tags beside a field for reasoning are text",
        [delta(reasoning="Hm."), delta(content="<think>a")],
        [ReasoningDelta("Hm."), TextDelta("<think>a")],
    ),
    (
        "what looked like a tag before reasoning is not lost",
        [delta(content="<th"), delta(reasoning="Hm.")],
        [TextDelta("<th"), ReasoningDelta("Hm.")],
    ),
    (
        "Mistral: content as parts",
        [
            delta(
                content=[
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                    {"type": "text", "text": "Hello"},
                ]
            )
        ],
        [ReasoningDelta("Hm."), TextDelta("Hello")],
    ),
    (
        "parts of other shapes",
        [
            delta(
                content=[
                    "a",
                    "",
                    {"type": "text", "text": ""},
                    {"type": "text"},
                    {"type": "reasoning", "reasoning": "Hm."},
                    {"type": "thinking", "thinking": ["Mh", [".", {"text": 1}]]},
                    {"type": "thinking"},
                    {"type": "image"},
                    7,
                ]
            )
        ],
        [TextDelta("a"), ReasoningDelta("Hm."), ReasoningDelta("Mh.")],
    ),
    (
        "OpenAI: a call in pieces",
        [
            call(index=0, id="c", type="function", function={"name": "f", "arguments": ""}),
            call(index=0, function={"arguments": '{"a"'}),
            call(index=0, function={"arguments": ":1}"}),
        ],
        [CallDelta(0, "c", "f", ""), CallDelta(0, "", "", '{"a"'), CallDelta(0, "", "", ":1}")],
    ),
    (
        "vLLM: two entries for one call",
        [
            delta(
                tool_calls=[
                    {"id": "c", "index": 0, "function": {"name": "f"}},
                    {"index": 0, "function": {"arguments": "{"}},
                ]
            )
        ],
        [CallDelta(0, "c", "f", ""), CallDelta(0, "", "", "{")],
    ),
    (
        "SGLang: nulls on later pieces",
        [
            call(index=0, id="c", function={"name": "f", "arguments": ""}),
            call(index=0, id=None, function={"name": None, "arguments": "{}"}),
        ],
        [CallDelta(0, "c", "f", ""), CallDelta(0, "", "", "{}")],
    ),
    (
        "Ollama: arguments as an object",
        [call(function={"name": "f", "arguments": {"a": [1, "é"]}})],
        [CallDelta(0, "", "f", '{"a":[1,"é"]}')],
    ),
    (
        "arguments as an array",
        [call(function={"name": "f", "arguments": [1]})],
        [CallDelta(0, "", "f", "[1]")],
    ),
    (
        "null arguments, a number for an id, blanks around the name",
        [call(id=7, function={"name": " f ", "arguments": None})],
        [CallDelta(0, "7", "f", "")],
    ),
    (
        "Gemini: what wants to come back with a call",
        [call(index=0, id="c", extra_content={"google": {"thought_signature": "s"}})],
        [CallDelta(0, "c", "", "", Raw(b'{"google":{"thought_signature":"s"}}'))],
    ),
    (
        "nothing that wants to come back",
        [call(index=0, id="c", extra_content=None)],
        [CallDelta(0, "c", "", "")],
    ),
    (
        "OpenRouter: reasoning as a list of details",
        [
            delta(reasoning_details=[{"type": "reasoning.text", "text": "Hm"}]),
            delta(reasoning_details=[{"type": "reasoning.text", "text": "."}]),
        ],
        [ReasoningDelta("Hm"), ReasoningDelta(".")],
    ),
    (
        "details beside a text of the same",
        [delta(reasoning="Hm.", reasoning_details=[{"text": "Hm."}])],
        [ReasoningDelta("Hm.")],
    ),
    ("details without a text", [delta(reasoning_details=[{"data": "x"}])], []),
    ("a call without a function", [call(index=0, id="c")], [CallDelta(0, "c", "", "")]),
    ("null calls", [delta(tool_calls=None)], []),
    ("no calls", [delta(tool_calls=[])], []),
    (
        "one call that is not in a list",
        [delta(tool_calls={"id": "c", "function": {"name": "f"}})],
        [CallDelta(0, "c", "f", "")],
    ),
    (
        "the old function_call",
        [
            delta(function_call={"name": "f", "arguments": "{"}),
            delta(function_call={"arguments": "}"}),
        ],
        [CallDelta(0, "", "f", "{"), CallDelta(0, "", "", "}")],
    ),
    (
        "llama-cpp-python: both forms of one call",
        [
            delta(
                function_call={"name": "f", "arguments": "{}"},
                tool_calls=[{"id": "c", "index": 0, "function": {"name": "f", "arguments": "{}"}}],
            )
        ],
        [CallDelta(0, "c", "f", "{}")],
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(given, expected, id=name) for name, given, expected in DELTAS],
)
def test_chunks_become_deltas(given: list[Any], expected: list[Delta]) -> None:
    assert read(reader(), *given) == expected


def test_what_comes_back_with_a_call_is_one_line_of_utf_8() -> None:
    """It becomes part of an event, as it is."""
    extra = b'{\n"a":\r\n[1, "\\u00e9"]}'
    calls = b'[{"index": 0, "id": "c", "extra_content": %s}]' % extra

    deltas = reader().read(b'{"choices": [{"delta": {"tool_calls": %s}}]}' % calls)

    assert deltas == [CallDelta(0, "c", "", "", Raw('{"a":[1,"é"]}'.encode()))]


def test_what_comes_back_with_a_call_is_left_out_if_it_cannot_be_read() -> None:
    calls = b'[{"index": 0, "id": "c", "extra_content": "\xff"}]'

    deltas = reader().read(b'{"choices": [{"delta": {"tool_calls": %s}}]}' % calls)

    assert deltas == [CallDelta(0, "c", "", "")]


def test_details_that_repeat_themselves_are_said_once() -> None:
    minimax = Dialect(name="minimax", source="a test", cumulative_details=True)
    chunks = ChunkReader(minimax)

    deltas = read(
        chunks,
        delta(reasoning_details=[{"text": "Hm"}]),
        delta(reasoning_details=[{"text": "Hm."}]),
    )

    assert deltas == [ReasoningDelta("Hm"), ReasoningDelta(".")]


def test_the_finish_reason_is_kept() -> None:
    chunks = reader()
    read(chunks, {"choices": [{"delta": {}, "finish_reason": "length"}]}, delta(content="a"))

    assert chunks.finish_reason == "length"


def test_an_empty_finish_reason_is_none() -> None:
    chunks = reader()
    read(chunks, {"choices": [{"delta": {}, "finish_reason": ""}]})

    assert chunks.finish_reason is None


# (name, chunks, the usage that counts)
USAGES: list[tuple[str, list[Any], Any]] = [
    ("none", [delta(content="a")], None),
    ("null", [{"choices": [], "usage": None}], None),
    ("in its own chunk", [{"choices": [], "usage": {"n": 1}}], {"n": 1}),
    ("on every chunk: the last", [{"usage": {"n": 1}}, {"usage": {"n": 2}}], {"n": 2}),
    ("null after a number", [{"usage": {"n": 1}}, {"usage": None}], {"n": 1}),
    ("inside the choice", [{"choices": [{"usage": {"n": 1}}]}], {"n": 1}),
    ("Groq", [{"choices": [], "x_groq": {"id": "x", "usage": {"n": 1}}}], {"n": 1}),
    ("Groq without usage", [{"choices": [], "x_groq": {"id": "x"}}], None),
    ("null inside the choice", [{"choices": [{"usage": None}]}], None),
    (
        "Moonshot: inside the choice and again at the end",
        [{"choices": [{"usage": {"n": 1}}]}, {"choices": [], "usage": {"n": 2}}],
        {"n": 2},
    ),
    (
        "inside the choice after one outside",
        [{"usage": {"n": 2}}, {"choices": [{"usage": {"n": 1}}]}],
        {"n": 2},
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(given, expected, id=name) for name, given, expected in USAGES],
)
def test_the_last_usage_counts(given: list[Any], expected: Any) -> None:
    chunks = reader()
    read(chunks, *given)

    assert chunks.usage == expected


@pytest.mark.parametrize("usage", [b'{"n": 1e999}', b'{"\xff": 1}'])
def test_a_usage_that_cannot_be_read_is_none(usage: bytes) -> None:
    chunks = reader()
    chunks.read(b'{"choices": [], "usage": %s}' % usage)

    assert chunks.usage is None


def test_the_last_service_tier_is_kept() -> None:
    chunks = reader()
    read(chunks, {"service_tier": "auto"}, {"service_tier": "flex"}, {"service_tier": None})

    assert chunks.service_tier == "flex"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"choices": []}, False, id="no choices"),
        pytest.param({"choices": [{"index": 1, "delta": {}}]}, False, id="another choice"),
        pytest.param(delta(role="assistant"), True, id="a role"),
    ],
)
def test_an_answer_has_begun_with_its_first_choice(given: Any, expected: bool) -> None:
    chunks = reader()
    read(chunks, given)

    assert chunks.has_chunks is expected


def test_calls_over_the_limit_are_dropped_and_counted() -> None:
    chunks = reader(max_calls=1)

    deltas = read(
        chunks,
        call(index=0, id="a", function={"name": "f", "arguments": "{}"}),
        call(index=1, id="b", function={"name": "f", "arguments": "{"}),
        call(index=1, function={"arguments": "}"}),
        call(index=2, id="c", function={"name": "f", "arguments": "{}"}),
    )

    assert deltas == [CallDelta(0, "a", "f", "{}")]
    assert chunks.dropped_calls == 2


def test_the_end_gives_what_was_held_back() -> None:
    chunks = reader()

    assert read(chunks, delta(content="<thi")) == []
    assert chunks.end() == [TextDelta("<thi")]


def test_the_end_gives_nothing_when_nothing_was_held_back() -> None:
    chunks = reader()
    read(chunks, delta(content="a"))

    assert chunks.end() == []
