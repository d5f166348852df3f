"""Errors of every server, in the shapes of the Responses API."""

import json
from typing import Any

import pytest

from adapter.translate.errors import MAX_MESSAGE_CHARS, http_error, stream_error
from tests.translate.error_bodies import HTTP_ERRORS

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("status", "content_type", "body", "expected"),
    [pytest.param(*case, id=name) for name, *case in HTTP_ERRORS],
)
def test_an_answer_that_is_an_error_is_one_of_ours(
    status: int, content_type: str, body: Any, expected: tuple[Any, ...]
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = http_error(status, {"content-type": content_type}, raw)

    assert (error.status, error.type, error.code, error.param, error.message) == expected


def test_a_long_message_is_cut() -> None:
    error = http_error(400, JSON, json.dumps({"error": {"message": "x" * 41_000}}).encode())

    assert error.message == "x" * MAX_MESSAGE_CHARS + "…"


def test_when_to_try_again_is_kept_and_no_other_header() -> None:
    headers = {**JSON, "retry-after": "7", "retry-after-ms": "7000", "set-cookie": "a=b"}
    kept = {"retry-after": "7", "retry-after-ms": "7000"}

    errors = [http_error(429, headers, b"{}"), http_error(404, headers, b"")]
    assert [error.headers for error in errors] == [kept, kept]


def test_nobody_is_told_to_try_again_without_quota() -> None:
    """OpenAI's SDKs come back after a 429 unless this header says otherwise."""
    body = {"error": {"message": "slow", "code": "insufficient_quota"}}
    error = http_error(429, JSON, json.dumps(body).encode())

    assert error.headers == {"x-should-retry": "false"}


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        ('{"error": {"message": "prompt is too long"}}', "context_length_exceeded", "prompt is too long"),
        ("Bad input", None, "Bad input"),
        (" ", None, "Provider returned error"),
        (None, None, "Provider returned error"),
    ],
)  # fmt: skip
def test_message_of_the_provider_behind_openrouter_is_shown(
    raw: str | None, code: str | None, message: str
) -> None:
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
    error = http_error(400, JSON, json.dumps(body).encode())

    assert (error.code, error.message) == (code, message)


def test_what_a_gateway_says_itself_is_not_replaced() -> None:
    body = {"error": {"message": "No.", "metadata": {"raw": "Bad input"}}}

    assert http_error(400, JSON, json.dumps(body).encode()).message == "No."


@pytest.mark.parametrize("depth", [*range(940, 1000), 100_000])
@pytest.mark.parametrize(
    "body", [b'{"error": %s}', b'{"error": {"message": %s}}', b'{"message": "x", "type": %s}']
)
def test_an_error_may_be_nested_as_deeply_as_it_likes(body: bytes, depth: int) -> None:
    error = http_error(400, JSON, body % (b"[" * depth + b"]" * depth))

    assert error.status == 400


def test_an_error_inside_errors_is_not_looked_for_without_end() -> None:
    error: Any = "bad"
    for _ in range(500):
        error = {"error": error}

    assert stream_error(error).message == "The upstream reported an error without a message."


# (name, the error in a stream, status, code, message)
STREAM_ERRORS: list[tuple[str, Any, tuple[int, str | None, str]]] = [
    ("a client's fault", {"error": {"message": "bad", "code": 400}}, (400, None, "bad")),
    ("a server's fault", {"error": {"message": "bad", "code": 500}}, (502, "server_error", "bad")),
    ("overloaded", {"error": {"message": "bad", "code": 503}}, (503, "server_error", "bad")),
    ("a code that is no status", {"error": {"message": "bad", "code": 7}}, (502, "server_error", "bad")),
    ("a code that is text", {"error": {"message": "bad", "code": "x"}}, (502, "x", "bad")),
    ("text", {"error": "bad"}, (502, "server_error", "bad")),
    ("without its key", {"message": "bad", "code": 429}, (429, "rate_limit_exceeded", "bad")),
    ("MiniMax", {"base_resp": {"status_code": 1, "status_msg": "bad"}}, (502, "server_error", "bad")),
    ("MiniMax, too fast", {"base_resp": {"status_code": 1002, "status_msg": "bad"}}, (429, "rate_limit_exceeded", "bad")),
    ("MiniMax, out of money", {"base_resp": {"status_code": 1008, "status_msg": "bad"}}, (402, "insufficient_quota", "bad")),
    ("MiniMax, no number", {"base_resp": {"status_msg": "bad"}}, (502, "server_error", "bad")),
    ("an overflow", {"error": {"message": "Context size has been exceeded.", "code": 500}}, (400, "context_length_exceeded", "Context size has been exceeded.")),
    ("policy", {"error": {"message": "bad", "code": "content_filter"}}, (400, "invalid_prompt", "bad")),
    ("nothing", None, (502, "server_error", "The upstream reported an error without a message.")),
    ("an empty error", {"error": {}}, (502, "server_error", "The upstream reported an error without a message.")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*case, id=name) for name, *case in STREAM_ERRORS]
)
def test_an_error_in_a_stream_is_one_of_ours(
    given: Any, expected: tuple[int, str | None, str]
) -> None:
    error = stream_error(given)

    assert (error.status, error.code, error.message) == expected
