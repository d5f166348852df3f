"""Numbers are clamped to what the upstream takes, and the caller hears of it."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from tests.translate.requests import chat, translate

CLAMPING = Dialect(
    name="clamping",
    source="a test",
    ranges={"temperature": (0.01, 1.0), "min_p": (0.0, 0.5), "user": (0, 1)},
    parameters=frozenset({"user"}),
)

# (name, field, given, sent)
NUMBERS: list[tuple[str, str, Any, Any]] = [
    ("a number inside", "temperature", 0.5, 0.5),
    ("the least", "temperature", 0.01, 0.01),
    ("the greatest", "temperature", 1, 1),
    ("one below", "temperature", 0, 0.01),
    ("one above", "temperature", 2, 1.0),
    ("one that passes through as it came", "min_p", 0.9, 0.5),
    ("one inside that passes through", "min_p", 0.25, 0.25),
    ("no number", "min_p", "0.9", "0.9"),
    ("a number in words", "min_p", True, True),
    ("text where a range is", "user", "me", "me"),
]


@pytest.mark.parametrize(
    ("field", "given", "sent"), [pytest.param(*case, id=name) for name, *case in NUMBERS]
)
def test_the_nearest_number_is_sent(field: str, given: Any, sent: Any) -> None:
    body = {field: given}

    assert chat(CLAMPING, **body)[field] == sent
    assert translate(CLAMPING, **body).adapted == (() if sent == given else (field,))


def test_what_is_not_given_is_not_sent() -> None:
    assert "temperature" not in chat(CLAMPING)
