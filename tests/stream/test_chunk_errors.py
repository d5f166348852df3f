"""Errors in the place of chunks, and chunks that are none, are the fault of the upstream."""

from contextlib import suppress
from typing import Any

import pytest

from adapter.errors import UpstreamError
from adapter.stream.deltas import TextDelta
from tests.stream.chunks import delta, read, reader

# (name, the chunk, status, code, message)
ERRORS: list[tuple[str, bytes, int, str | None, str]] = [
    (
        "vLLM",
        b'{"error": {"message": "EngineCore died", "type": "InternalServerError", "code": 500}}',
        502,
        "server_error",
        "EngineCore died",
    ),
    (
        "a refusal in the first event",
        b'{"error": {"message": "Grammar error", "type": "BadRequestError", "code": 400}}',
        400,
        None,
        "Grammar error",
    ),
    ("transformers: a string", b'{"error": "bad"}', 502, "server_error", "bad"),
    (
        "older vLLM: not under a key",
        b'{"object": "error", "message": "bad", "code": 404}',
        404,
        "model_not_found",
        "bad",
    ),
    (
        "an error beside choices",
        b'{"error": {"message": "bad"}, "choices": []}',
        502,
        "server_error",
        "bad",
    ),
    (
        "OpenRouter: the error of a choice",
        b'{"choices": [{"error": {"message": "bad", "code": 429}}]}',
        429,
        "rate_limit_exceeded",
        "bad",
    ),
    ("FastAPI", b'{"detail": "bad"}', 502, "server_error", "bad"),
    (
        "MiniMax",
        b'{"base_resp": {"status_code": 1, "status_msg": "bad"}}',
        502,
        "server_error",
        "bad",
    ),
    (
        "Gemini: in a list",
        b'[{"error": {"message": "bad", "code": 503}}]',
        503,
        "server_error",
        "bad",
    ),
    (
        "an error that is no text",
        b'{"error": {"code": 500}}',
        502,
        "server_error",
        "The upstream reported an error without a message.",
    ),
    (
        "an error with a number that is too large",
        b'{"error": {"message": "bad", "n": 1e999}}',
        502,
        "server_error",
        "The upstream reported an error without a message.",
    ),
    (
        "an error that is no UTF-8",
        b'{"error": {"message": "\xff"}}',
        502,
        "server_error",
        "The upstream reported an error without a message.",
    ),
    (
        "the error of a choice that is no UTF-8",
        b'{"choices": [{"error": {"message": "\xff"}}]}',
        502,
        "server_error",
        "The upstream reported an error without a message.",
    ),
    (
        "an error of the wrong type",
        b'{"error": {"message": "bad"}, "choices": 7}',
        502,
        "server_error",
        "bad",
    ),
    ("an error that is no chunk", b'{"message": "bad"}', 502, "server_error", "bad"),
    (
        "an error that only its type tells",
        b'{"type": "error"}',
        502,
        "server_error",
        "The upstream reported an error without a message.",
    ),
    ("not JSON", b"<html>", 502, "server_error", "The upstream sent an event that is not JSON."),
    (
        "half a chunk",
        b'{"choices": [',
        502,
        "server_error",
        "The upstream sent an event that is not JSON.",
    ),
    ("no UTF-8", b'"\xff"', 502, "server_error", "The upstream sent an event that is not JSON."),
    (
        "a number",
        b"7",
        502,
        "server_error",
        "The upstream sent an event that is not a chat completion chunk.",
    ),
    (
        "content of the wrong type",
        b'{"choices": [{"delta": {"content": 7}}]}',
        502,
        "server_error",
        "The upstream sent an event that is not a chat completion chunk.",
    ),
    (
        "too deep",
        b"[" * 100_000 + b"]" * 100_000,
        502,
        "server_error",
        "The upstream sent an event that is not JSON.",
    ),
]


@pytest.mark.parametrize(
    ("given", "status", "code", "message"),
    [pytest.param(*case, id=name) for name, *case in ERRORS],
)
def test_errors_are_raised(given: bytes, status: int, code: str | None, message: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        reader().read(given)

    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, message)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"error": None, **delta(content="a")}, id="a null error"),
        pytest.param({"detail": "x", **delta(content="a")}, id="a detail beside choices"),
        pytest.param(
            {"base_resp": {"status_code": 0}, **delta(content="a")}, id="MiniMax: status 0"
        ),
        pytest.param(
            {"choices": [{"error": None, "delta": {"content": "a"}}]}, id="a null error of a choice"
        ),
    ],
)
def test_what_only_looks_like_an_error_is_none(given: Any) -> None:
    assert read(reader(), given) == [TextDelta("a")]


@pytest.mark.parametrize("depth", [*range(900, 1000), 5_000])
@pytest.mark.parametrize(
    "given",
    [
        b'{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":{"a":%s}}}]}}]}',
        b'{"choices":[{"delta":{"content":[{"type":"thinking","thinking":%s}]}}]}',
        b'{"error":{"message":%s}}',
        b'{"error":{"message":"bad","type":%s}}',
    ],
)
def test_a_chunk_of_any_depth_raises_nothing_else(given: bytes, depth: int) -> None:
    """Where the stack ends depends on the caller, so the depths around it are all tried."""
    with suppress(UpstreamError):
        reader().read(given % (b"[" * depth + b"]" * depth))
