"""Ids of our own: nobody can guess them, and they fit where they come back."""

import pytest

from adapter.asgi.service import new_id

# Of OpenAI's chat completions: "string too long. Expected a string with maximum length 40".
MAX_CALL_ID_CHARS = 40


@pytest.mark.parametrize("prefix", ["resp", "msg", "call"])
def test_ids_have_their_prefix_and_96_random_bits_or_more(prefix: str) -> None:
    name, _, digits = new_id(prefix).partition("_")

    assert name == prefix
    assert len(bytes.fromhex(digits)) >= 12
    assert new_id(prefix) != new_id(prefix)


def test_ids_of_calls_fit_into_chat_history() -> None:
    assert len(new_id("call")) <= MAX_CALL_ID_CHARS
