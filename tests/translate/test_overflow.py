"""Every known wording of an overflow is told from those that only look like one."""

import pytest

from adapter.translate.overflow import is_overflow
from tests.translate.overflow_texts import OTHERS, OVERFLOWS


@pytest.mark.parametrize("message", [pytest.param(text, id=who) for who, text in OVERFLOWS])
def test_servers_say_in_many_words_that_a_prompt_does_not_fit(message: str) -> None:
    assert is_overflow({"message": message})
    assert is_overflow({"message": f"ERROR: {message.upper()}", "code": 400})


@pytest.mark.parametrize("message", [pytest.param(text, id=who) for who, text in OTHERS])
def test_limits_of_other_things_are_no_overflow(message: str) -> None:
    assert not is_overflow({"message": message})


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded"},
        {"message": "Something went wrong.", "code": "context_length_exceeded"},
        {"message": "too long", "type": "exceed_context_size_error"},
        {"message": "No.", "code": "model_max_prompt_tokens_exceeded"},
        {"message": "No.", "code": "tokens_limit_reached"},
        {"message": "No.", "type": "ContextWindowExceededError"},
        {"message": "No.", "code": 1261},
        {"message": "No.", "code": "1261"},
    ],
)
def test_code_or_type_is_enough(error: dict[str, object]) -> None:
    assert is_overflow(error)


@pytest.mark.parametrize(
    "error", [{}, {"message": "context"}, {"message": None, "code": 400}, {"code": [], "type": {}}]
)
def test_other_errors_are_no_overflow(error: dict[str, object]) -> None:
    assert not is_overflow(error)


def test_number_without_digits_does_no_harm() -> None:
    said = "'max_tokens' is too large: ,. This model's maximum context length is , tokens."

    assert not is_overflow({"message": said})


def test_very_long_message_is_read_in_linear_time() -> None:
    """Each pattern is bounded: 256 KB of a hostile upstream are read at once."""
    said = "input token count prompt token count body too large model " * 4000

    assert not is_overflow({"message": said})
