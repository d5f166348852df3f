"""Errors and usage of every server, in the shapes of the Responses API."""

import json
from typing import Any

import pytest

from adapter.translate.answer import (
    MAX_MESSAGE_CHARS,
    add_usage,
    http_error,
    is_overflow,
    read_usage,
    stream_error,
)
from adapter.types.response import InputTokensDetails, OutputTokensDetails, Usage

JSON = {"content-type": "application/json"}
NO_CHAT = "The upstream has no chat completions at this address (status 404). Check the base URL."

# (name, status, content type, body, status, type, code, param, message)
HTTP_ERRORS: list[tuple[str, int, str, Any, tuple[int, str, str | None, str | None, str]]] = [
    (
        "vLLM",
        400,
        "application/json",
        {
            "error": {
                "message": "temperature must be non-negative",
                "type": "BadRequestError",
                "param": "temperature",
                "code": 400,
            }
        },
        (
            400,
            "invalid_request_error",
            None,
            "temperature",
            "temperature must be non-negative",
        ),
    ),
    (
        "vLLM: a string",
        401,
        "application/json",
        {"error": "Unauthorized"},
        (401, "invalid_request_error", "invalid_api_key", None, "Unauthorized"),
    ),
    (
        "vLLM: an unknown model",
        404,
        "application/json",
        {"error": {"message": "The model `x` does not exist.", "code": 404}},
        (404, "invalid_request_error", "model_not_found", None, "The model `x` does not exist."),
    ),
    (
        "SGLang: not under a key",
        400,
        "application/json",
        {
            "object": "error",
            "message": "bad",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        (400, "invalid_request_error", None, None, "bad"),
    ),
    (
        "llama.cpp: a fault of the client with status 500",
        500,
        "application/json",
        {"error": {"code": 500, "message": "bad", "type": "server_error"}},
        (502, "server_error", "server_error", None, "bad"),
    ),
    (
        "transformers: detail",
        422,
        "application/json",
        {"detail": "Unexpected fields"},
        (422, "invalid_request_error", None, None, "Unexpected fields"),
    ),
    (
        "FastAPI: a list of details",
        422,
        "application/json",
        {"detail": [{"loc": ["body", "messages", 0], "msg": "field required"}]},
        (422, "invalid_request_error", None, None, "field required (body.messages.0)"),
    ),
    (
        "FastAPI: a detail without a place",
        422,
        "application/json",
        {"detail": [{"msg": "bad"}]},
        (422, "invalid_request_error", None, None, "bad"),
    ),
    (
        "Gemini: in a list",
        400,
        "application/json",
        [{"error": {"message": "bad", "code": 400, "status": "INVALID_ARGUMENT"}}],
        (400, "invalid_request_error", None, None, "bad"),
    ),
    (
        "a code that is text",
        429,
        "application/json",
        {"error": {"message": "slow", "code": "insufficient_quota"}},
        (429, "too_many_requests", "insufficient_quota", None, "slow"),
    ),
    (
        "too fast",
        429,
        "application/json",
        {"error": {"message": "slow"}},
        (429, "too_many_requests", "rate_limit_exceeded", None, "slow"),
    ),
    (
        "too many tokens a minute are no overflow",
        429,
        "application/json",
        {"error": {"message": "Too many tokens, please wait."}},
        (429, "too_many_requests", "rate_limit_exceeded", None, "Too many tokens, please wait."),
    ),
    (
        "overflow: vLLM",
        400,
        "application/json",
        {"error": {"message": "maximum context length is 2048 tokens", "param": "input_tokens"}},
        (
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "input_tokens",
            "maximum context length is 2048 tokens",
        ),
    ),
    (
        "overflow: llama.cpp, by its type",
        500,
        "application/json",
        {"error": {"message": "too long", "type": "exceed_context_size_error"}},
        (400, "invalid_request_error", "context_length_exceeded", None, "too long"),
    ),
    (
        "overflow: by its code",
        400,
        "application/json",
        {"error": {"message": "too long", "code": "context_length_exceeded"}},
        (400, "invalid_request_error", "context_length_exceeded", None, "too long"),
    ),
    (
        "an inner message",
        400,
        "application/json",
        {"message": {"detail": "bad"}, "code": "x"},
        (400, "invalid_request_error", "x", None, "bad"),
    ),
    (
        "messages in a list",
        400,
        "application/json",
        {"error": {"message": ["bad", "worse"]}},
        (400, "invalid_request_error", None, None, "bad"),
    ),
    (
        "a message that is no text",
        400,
        "application/json",
        {"error": {"message": 7}},
        (400, "invalid_request_error", None, None, '{"error": {"message": 7}}'),
    ),
    (
        "a message with line breaks",
        400,
        "application/json",
        {"error": {"message": "19 errors:\n  one\n  two "}},
        (400, "invalid_request_error", None, None, "19 errors: one two"),
    ),
    (
        "a param that is no name",
        400,
        "application/json",
        {"error": {"message": "bad", "param": "x" * 201}},
        (400, "invalid_request_error", None, None, "bad"),
    ),
    (
        "plain text",
        400,
        "text/plain; charset=utf-8",
        b" bad\n",
        (400, "invalid_request_error", None, None, "bad"),
    ),
    (
        "a page of HTML",
        403,
        "text/html",
        b"<html>Forbidden</html>",
        (
            403,
            "invalid_request_error",
            None,
            None,
            "The upstream answered 403 without an error message.",
        ),
    ),
    (
        "a page of HTML that calls itself text",
        403,
        "text/plain",
        b"<!DOCTYPE html>",
        (
            403,
            "invalid_request_error",
            None,
            None,
            "The upstream answered 403 without an error message.",
        ),
    ),
    (
        "plain text of a server that broke",
        500,
        "text/plain",
        b"Traceback (most recent call last)",
        (
            502,
            "server_error",
            "server_error",
            None,
            "The upstream answered 500 without an error message.",
        ),
    ),
    (
        "nothing",
        503,
        "",
        b"",
        (
            503,
            "server_error",
            "server_error",
            None,
            "The upstream answered 503 without an error message.",
        ),
    ),
    ("404: nothing", 404, "", b"", (502, "server_error", "server_error", None, NO_CHAT)),
    ("404: HTML", 404, "text/html", b"<p>", (502, "server_error", "server_error", None, NO_CHAT)),
    (
        "404: JSON without an error",
        404,
        "application/json",
        {},
        (502, "server_error", "server_error", None, NO_CHAT),
    ),
    (
        "504",
        504,
        "application/json",
        {"error": {"message": "late"}},
        (504, "server_error", "server_error", None, "late"),
    ),
    (
        "a redirect",
        307,
        "",
        b"",
        (
            502,
            "server_error",
            "server_error",
            None,
            "The upstream answered 307 without an error message.",
        ),
    ),
    (
        "an empty list",
        400,
        "application/json",
        [],
        (400, "invalid_request_error", None, None, "[]"),
    ),
    (
        "an empty string",
        400,
        "application/json",
        b'""',
        (400, "invalid_request_error", None, None, '""'),
    ),
    (
        "no UTF-8",
        400,
        "application/json",
        b'{"error": "\xff"}',
        (400, "invalid_request_error", None, None, '{"error": "\ufffd"}'),
    ),
]


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


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 2048 tokens.",
        "the request exceeds the available context size",
        "Input is too long for requested model.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "`inputs` tokens + `max_new_tokens` must be <= 4096",
        "input length exceeds the context window",
    ],
)
def test_servers_say_in_many_words_that_a_prompt_does_not_fit(message: str) -> None:
    assert is_overflow({"message": message})


@pytest.mark.parametrize("error", [{}, {"message": "context"}, {"message": None, "code": 400}])
def test_other_errors_are_no_overflow(error: dict[str, Any]) -> None:
    assert not is_overflow(error)


def usage(
    prompt: int = 0, completion: int = 0, cached: int = 0, written: int = 0, reasoning: int = 0
) -> Usage:
    return Usage(
        prompt,
        InputTokensDetails(cached, written),
        completion,
        OutputTokensDetails(reasoning),
        prompt + completion,
    )


# (name, what the server says, our usage)
USAGES: list[tuple[str, Any, Usage | None]] = [
    ("nothing", None, None),
    ("no object", [1], None),
    ("an empty object", {}, usage()),
    (
        "three numbers",
        {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        usage(3, 4),
    ),
    ("no total", {"prompt_tokens": 3, "completion_tokens": 4}, usage(3, 4)),
    (
        "OpenAI",
        {
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
        },
        usage(3, 4, 1, 0, 2),
    ),
    (
        "vLLM",
        {
            "prompt_tokens": 3,
            "completion_tokens": None,
            "prompt_tokens_details": {"cached_tokens": 1, "created_cache_tokens": 2},
            "completion_tokens_details": None,
        },
        usage(3, 0, 1, 2),
    ),
    (
        "SGLang: reasoning at the top",
        {"prompt_tokens": 3, "completion_tokens": 4, "reasoning_tokens": 2},
        usage(3, 4, 0, 0, 2),
    ),
    (
        "Kimi: cached at the top",
        {"prompt_tokens": 3, "cached_tokens": 1, "prompt_tokens_details": {}},
        usage(3, 0, 1),
    ),
    ("DeepSeek", {"prompt_tokens": 3, "prompt_cache_hit_tokens": 1}, usage(3, 0, 1)),
    ("OpenRouter", {"prompt_tokens": 3, "cache_write_tokens": 2, "cost": 0.1}, usage(3, 0, 0, 2)),
    (
        "xAI: reasoning beside the completion",
        {
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "total_tokens": 9,
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        usage(3, 6, 0, 0, 2),
    ),
    (
        "the names of the Responses API",
        {
            "input_tokens": 3,
            "output_tokens": 4,
            "input_tokens_details": {"cached_tokens": 1},
            "output_tokens_details": {"reasoning_tokens": 2},
        },
        usage(3, 4, 1, 0, 2),
    ),
    ("numbers with a fraction", {"prompt_tokens": 3.0, "completion_tokens": 4.7}, usage(3, 4)),
    (
        "what is no number of tokens",
        {"prompt_tokens": -1, "completion_tokens": True, "total_tokens": 10**30, "input_tokens": "3"},
        usage(),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*case, id=name) for name, *case in USAGES]
)
def test_usage_is_whole_numbers_whatever_the_server_says(
    given: Any, expected: Usage | None
) -> None:
    assert read_usage(given) == expected


ONE = usage(1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(None, None, None, id="neither"),
        pytest.param(ONE, None, ONE, id="the first"),
        pytest.param(None, ONE, ONE, id="the second"),
        pytest.param(ONE, ONE, usage(2, 4, 6, 8, 10), id="both"),
    ],
)
def test_usage_is_added_up(
    first: Usage | None, second: Usage | None, expected: Usage | None
) -> None:
    assert add_usage(first, second) == expected
