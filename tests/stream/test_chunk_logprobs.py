"""Text comes with its log probabilities, if they were asked for."""

from typing import Any

import pytest

from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.types.items import Logprob
from tests.stream.chunks import call, delta, read, reader


def logprob(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -0.5, "bytes": [*token.encode()]}


def with_logprobs(chunk: dict[str, Any], *tokens: str) -> dict[str, Any]:
    chunk["choices"][0]["logprobs"] = {"content": [logprob(token) for token in tokens]}
    return chunk


def entries(*tokens: str) -> tuple[Logprob, ...]:
    return tuple(Logprob(token, -0.5, (*token.encode(),)) for token in tokens)


# (name, chunks, the deltas when log probabilities were asked for)
LOGPROBS: list[tuple[str, list[Any], list[Delta]]] = [
    (
        "those of the text",
        [with_logprobs(delta(content="Hello"), "Hel", "lo")],
        [TextDelta("Hello", entries("Hel", "lo"))],
    ),
    ("none", [delta(content="a")], [TextDelta("a")]),
    ("null", [{"choices": [{"delta": {"content": "a"}, "logprobs": None}]}], [TextDelta("a")]),
    (
        "null content",
        [{"choices": [{"delta": {"content": "a"}, "logprobs": {"content": None}}]}],
        [TextDelta("a")],
    ),
    (
        "of an earlier chunk with an empty delta",
        [with_logprobs(delta(content=""), "Hel"), with_logprobs(delta(content="Hello"), "lo")],
        [TextDelta("Hello", entries("Hel", "lo"))],
    ),
    (
        "not those of reasoning",
        [with_logprobs(delta(reasoning="a"), "a"), with_logprobs(delta(content="a"), "a")],
        [ReasoningDelta("a"), TextDelta("a", entries("a"))],
    ),
    (
        "not those of tags and the thought between them",
        [with_logprobs(delta(content="<think>a</think>b"), "<think>", "a", "</think>", "b")],
        [ReasoningDelta("a"), TextDelta("b", entries("b"))],
    ),
    (
        "not those of calls",
        [
            with_logprobs(call(index=0, function={"name": "f"}), "<tool_call>"),
            with_logprobs(delta(content="a"), "a"),
        ],
        [CallDelta(0, "", "f", ""), TextDelta("a", entries("a"))],
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(given, expected, id=name) for name, given, expected in LOGPROBS],
)
def test_text_has_its_log_probabilities(given: list[Any], expected: list[Delta]) -> None:
    assert read(reader(logprobs=True), *given) == expected


def test_log_probabilities_that_nobody_asked_for_are_left_out() -> None:
    chunk = with_logprobs(delta(content="Hello"), "Hello")

    assert read(reader(), chunk) == [TextDelta("Hello")]
