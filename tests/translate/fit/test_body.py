"""Fields that the upstream wants in every request are added."""

from typing import Any

import msgspec
import pytest

from adapter.dialects import Dialect
from tests.translate.requests import chat, translate

ADDING = Dialect(
    name="adding",
    source="a test",
    body={"reasoning_split": True, "chat_template_kwargs.clear_thinking": False},
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {"clear_thinking": False}, id="nothing"),
        pytest.param({"a": 1}, {"a": 1}, id="an object of the client's: it knows better"),
    ],
)
def test_fields_are_added_at_their_path(given: dict[str, Any], expected: dict[str, Any]) -> None:
    extra = {"chat_template_kwargs": given} if given else {}
    sent = chat(ADDING, **extra)

    assert sent["chat_template_kwargs"] == expected
    assert sent["reasoning_split"] is True


def test_nobody_hears_of_them() -> None:
    translation = translate(ADDING)

    assert (translation.dropped, translation.adapted) == ((), ())


def test_what_the_upstream_refuses_is_left_out_again_in_silence() -> None:
    """A refusal is learned for any field; this one the client did not send."""
    refusing = msgspec.structs.replace(ADDING, refuses=frozenset({"reasoning_split"}))

    assert "reasoning_split" not in chat(refusing)
    assert translate(refusing).dropped == ()
