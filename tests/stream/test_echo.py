"""Content that begins with what a field has said already is said once."""

import json
from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import ReasoningDelta, TextDelta

GENERIC = Dialect(name="generic", source="a test")

# (name, chunks as (reasoning, content), reasoning, text)
ANSWERS: list[tuple[str, list[tuple[str, str]], str, str]] = [
    ("nothing of it", [("Hm.", ""), ("", "Hello")], "Hm.", "Hello"),
    ("blanks", [("Hm.", ""), ("", "\n\n"), ("", "Hello")], "Hm.", "\n\nHello"),
    (
        "both in every chunk",
        [("Hm", "<think>Hm"), (".", "."), ("", "</think>"), ("", "Hello")],
        "Hm.",
        "Hello",
    ),
    (
        "the echo behind it all",
        [("Hm", ""), (".", ""), ("", "<think>\nHm.\n</think>\n\nHello")],
        "Hm.",
        "\n\nHello",
    ),
    (
        "cut anywhere",
        [("Hm.", "\n<thi"), ("", "nk>H"), ("", "m.\n</th"), ("", "ink>H"), ("", "i")],
        "Hm.",
        "\n\nHi".removeprefix("\n\n"),
    ),
    ("another thought", [("Hm.", ""), ("", "<think>Oh.</think>a")], "Hm.", "<think>Oh.</think>a"),
    ("half of the thought", [("Hm.", ""), ("", "<think>H</think>a")], "Hm.", "<think>H</think>a"),
    ("more than the thought", [("Hm.", ""), ("", "<think>Hm. Oh")], "Hm.", "<think>Hm. Oh"),
    ("no tag", [("Hm.", ""), ("", "<thing>a")], "Hm.", "<thing>a"),
    ("the beginning of a tag", [("Hm.", ""), ("", "<thi")], "Hm.", "<thi"),
    ("a tag alone", [("Hm.", ""), ("", "<think>")], "Hm.", "<think>"),
    ("an echo that breaks off", [("Hm.", ""), ("", "<think>Hm")], "Hm.", ""),
    ("a mark that is only begun is text", [("<", ""), ("", "<")], "<", "<"),
    ("an echo that is not closed", [("Hm.", ""), ("", "<think>Hm.</thi")], "Hm.", ""),
    ("a tag later", [("Hm.", ""), ("", "a <think>Hm.</think>")], "Hm.", "a <think>Hm.</think>"),
    (
        "a thought that looks like its end",
        [("a < b", ""), ("", "<think>a <"), ("", " b</think>c")],
        "a < b",
        "c",
    ),
    ("a thought after the text", [("", "a"), ("Hm.", ""), ("", "<think>")], "Hm.", "a<think>"),
]


@pytest.mark.parametrize(
    ("chunks", "reasoning", "text"), [pytest.param(*case, id=name) for name, *case in ANSWERS]
)
def test_an_echo_is_left_out_and_nothing_else(
    chunks: list[tuple[str, str]], reasoning: str, text: str
) -> None:
    reader = ChunkReader(GENERIC)
    deltas: list[Any] = []
    for thought, content in chunks:
        delta = {"reasoning_content": thought, "content": content}
        deltas += reader.read(json.dumps({"choices": [{"delta": delta}]}).encode())
    deltas += reader.end()

    assert "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)) == reasoning
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == text


def test_the_marks_are_those_of_the_dialect() -> None:
    minimax = Dialect(name="m3", source="a test", think_marks=("<mm:think>", "</mm:think>"))
    reader = ChunkReader(minimax)
    delta = {"reasoning_content": "Hm.", "content": "<mm:think>Hm.</mm:think>Hello"}

    deltas = reader.read(json.dumps({"choices": [{"delta": delta}]}).encode())

    assert deltas == [ReasoningDelta("Hm."), TextDelta("Hello")]
