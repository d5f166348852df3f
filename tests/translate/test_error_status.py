"""The status of an error whose answer had none, or a wrong one."""

import json
from typing import Any

import pytest

from adapter.translate.errors import http_error, stream_error

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"code": 400}, 400),
        ({"code": "400"}, 400),
        ({"code": "4x0"}, 502),
        ({"type": "BadRequestError"}, 400),
        ({"type": "invalid_request_error"}, 400),
        ({"status": "INVALID_ARGUMENT"}, 400),
        ({"type": "BadRequestError", "code": 503}, 503),
        ({"type": "server_error"}, 502),
    ],
)
def test_error_in_place_of_a_chunk_has_the_status_that_it_tells(
    fields: dict[str, Any], status: int
) -> None:
    assert stream_error({"message": "bad", **fields}).status == status


@pytest.mark.parametrize(
    "message",
    [
        "Unexpected message role. at row 12, column 9",
        "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required'}]",
        "image input is not supported",
    ],
)
def test_fault_of_the_client_that_comes_as_500_is_a_400(message: str) -> None:
    """llama.cpp, llama-cpp-python."""
    error = http_error(500, JSON, json.dumps({"error": {"message": message}}).encode())

    assert (error.status, error.type) == (400, "invalid_request_error")
