"""Reasoning is part of the output, whether or not the upstream counts it there."""

from typing import Any

import pytest

from adapter.translate.usage import read_usage


def counts(prompt: int, completion: int, reasoning: int, total: int) -> dict[str, Any]:
    details = {"reasoning_tokens": reasoning}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "completion_tokens_details": details,
        "total_tokens": total,
    }


@pytest.mark.parametrize(
    ("given", "output", "total"),
    [
        pytest.param(counts(10, 30, 20, 40), 30, 40, id="OpenAI: a part of the completion"),
        pytest.param(counts(10, 5, 20, 35), 25, 35, id="xAI: beside it, and in the total"),
        pytest.param(counts(10, 5, 0, 15), 5, 15, id="none"),
        pytest.param(counts(10, 5, 20, 99), 5, 99, id="a total that nobody understands"),
        pytest.param(counts(10, 5, 20, 0), 5, 15, id="no total"),
    ],
)
def test_reasoning_is_counted_once(given: dict[str, Any], output: int, total: int) -> None:
    usage = read_usage(given)

    assert usage is not None
    assert (usage.output_tokens, usage.total_tokens) == (output, total)
