"""Usage of every server, in whole numbers."""

from typing import Any

import pytest

from adapter.translate.usage import add_usage, read_usage
from adapter.types.response import InputTokensDetails, OutputTokensDetails, Usage


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
        "details among what is no number of tokens",
        {
            "prompt_tokens": 3.0,
            "prompt_tokens_details": {"cached_tokens": 1.0, "cache_write_tokens": "2"},
            "completion_tokens_details": 5,
            "cost_details": {"upstream": 0.1},
        },
        usage(3, 0, 1),
    ),
    (
        "a zero under one name, a number under another",
        {"prompt_tokens": 0, "input_tokens": 3, "output_tokens": 4},
        usage(3, 4),
    ),
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
