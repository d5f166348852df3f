"""How many items an input may have: each costs time in which nobody else is served."""

import json
from typing import Any

import pytest

from adapter.errors import InvalidRequestError
from adapter.translate.decode import check_size, decode_request

MESSAGE: dict[str, Any] = {"role": "user", "content": "Hi"}
PART = {"type": "input_text", "text": "Hi"}
CALL = {"type": "function_call_output", "call_id": "c", "output": [PART] * 3}


def check(given: Any) -> None:
    body = json.dumps({"model": "m", "input": given}).encode()
    check_size(decode_request(body), 10)


@pytest.mark.parametrize(
    "given",
    [
        [MESSAGE] * 11,
        [{**MESSAGE, "content": [PART] * 10}],
        [{**MESSAGE, "content": [PART] * 5}] * 2,
        [CALL] * 3,
        [{}] * 11,
        [[{}]] * 11,
    ],
)
def test_more_than_there_may_be_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequestError, match="at most 10 items") as refused:
        check(given)

    assert (refused.value.param, refused.value.code) == ("input", "array_above_max_length")


@pytest.mark.parametrize(
    "given",
    [
        "{" * 100,
        [MESSAGE] * 10,
        [{**MESSAGE, "content": [PART] * 9}],
        [{**MESSAGE, "content": "{" * 100}],
        [{**MESSAGE, "extra": [{}] * 100}],
        [{"content": 5, "more": [{}] * 100}],
        [5],
        [*[{}] * 9, "{" * 9],
    ],
)
def test_everything_else_is_looked_at_later(given: Any) -> None:
    check(given)
