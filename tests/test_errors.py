"""An error knows by itself how it is answered."""

import pytest

from adapter.errors import (
    AdapterError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    StoreError,
    TooLargeError,
    ToolError,
    UpstreamError,
    UpstreamTimeoutError,
)

# (class, the class whose blame it shares, status, type, code)
KINDS = [
    (AdapterError, Exception, 500, "server_error", None),
    (InvalidRequestError, AdapterError, 400, "invalid_request_error", None),
    (NotFoundError, InvalidRequestError, 404, "invalid_request_error", None),
    (MethodNotAllowedError, InvalidRequestError, 405, "invalid_request_error", None),
    (TooLargeError, InvalidRequestError, 413, "invalid_request_error", "request_too_large"),
    (UpstreamError, AdapterError, 502, "server_error", "server_error"),
    (UpstreamTimeoutError, UpstreamError, 504, "server_error", "server_error"),
    (ToolError, AdapterError, 502, "server_error", "tool_error"),
    (StoreError, AdapterError, 503, "server_error", "store_error"),
]
CASES = [pytest.param(*kind, id=kind[0].__name__) for kind in KINDS]


@pytest.mark.parametrize(("kind", "parent", "status", "type_", "code"), CASES)
def test_an_error_has_the_answer_of_its_class(
    kind: type[AdapterError], parent: type, status: int, type_: str, code: str | None
) -> None:
    error = kind("It broke.")

    assert (error.status, error.headers, error.body()) == (
        status,
        {},
        {"error": {"message": "It broke.", "type": type_, "param": None, "code": code}},
    )


@pytest.mark.parametrize(("kind", "parent", "status", "type_", "code"), CASES)
def test_the_tree_is_the_one_that_the_module_draws(
    kind: type[AdapterError], parent: type, status: int, type_: str, code: str | None
) -> None:
    assert kind.__mro__[1] is parent


def test_one_error_may_differ_from_its_class() -> None:
    error = UpstreamError(
        "Too fast.",
        code="rate_limit_exceeded",
        param="model",
        status=429,
        type="tokens",
        headers={"retry-after": "7"},
    )

    assert (error.status, error.headers, error.body()) == (
        429,
        {"retry-after": "7"},
        {
            "error": {
                "message": "Too fast.",
                "type": "tokens",
                "param": "model",
                "code": "rate_limit_exceeded",
            }
        },
    )


def test_an_error_says_its_message() -> None:
    assert str(ToolError("It broke.")) == "It broke."
