"""What is empty is as good as missing, whatever its type."""

import json
from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta, TextDelta
from adapter.stream.mend import mend_chunk


def read(chunk: Any) -> list[Delta]:
    reader = ChunkReader(Dialect(name="generic", source="a test"))
    return reader.read(json.dumps(chunk).encode())


# (name, chunk, deltas)
MENDED: list[tuple[str, Any, list[Delta]]] = [
    ("a list for the delta", {"choices": [{"delta": []}]}, []),
    (
        "a list for the log probabilities",
        {"choices": [{"delta": {"content": "a"}, "logprobs": []}]},
        [TextDelta("a")],
    ),
    (
        "a text for the calls",
        {"choices": [{"delta": {"content": "a", "tool_calls": ""}}]},
        [TextDelta("a")],
    ),
    ("false for the content", {"choices": [{"delta": {"content": False}}]}, []),
    (
        "a list for the finish",
        {"choices": [{"delta": {"content": "a"}, "finish_reason": []}]},
        [TextDelta("a")],
    ),
    ("an object for the choices", {"choices": {}, "usage": {"total_tokens": 1}}, []),
    (
        "an index in words",
        {
            "choices": [
                {
                    "index": "0",
                    "delta": {
                        "tool_calls": [
                            {"index": "1", "id": "c", "function": {"name": "f", "arguments": {}}}
                        ]
                    },
                }
            ]
        },
        [CallDelta(0, "c", "f", "{}")],
    ),
]


@pytest.mark.parametrize(
    ("chunk", "expected"), [pytest.param(*case, id=name) for name, *case in MENDED]
)
def test_empty_values_of_the_wrong_type_are_missing(chunk: Any, expected: list[Delta]) -> None:
    assert read(chunk) == expected


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [{"delta": "Hello"}]},
        {"choices": [{"index": "one", "delta": {}}]},
        {"choices": "Hello"},
    ],
)
def test_what_says_something_in_the_wrong_type_is_not_lost_in_silence(chunk: Any) -> None:
    with pytest.raises(UpstreamError, match="not a chat completion chunk"):
        read(chunk)


def test_an_error_is_still_an_error() -> None:
    with pytest.raises(UpstreamError, match="bad"):
        read({"error": {"message": "bad"}, "choices": {}})


@pytest.mark.parametrize("data", [b"", b"{", b'"\xff"', b"[" * 100_000])
def test_what_is_not_json_cannot_be_mended(data: bytes) -> None:
    assert mend_chunk(data) is None
