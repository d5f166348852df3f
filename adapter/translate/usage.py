"""What an answer cost, in the shape of the Responses API: whole integers, and none of them null.

Source: `observed.md` §2 and `reported.md` §3.2 (the shapes), sheet §6 (what they become).
"""

from typing import Any

from adapter.types.response import InputTokensDetails, OutputTokensDetails, Usage

_NUMBERS = (int, float)


def read_usage(raw: Any) -> Usage | None:
    """Return usage of whatever form, in whole integers; None if there is none.

    vLLM's details may be null, SGLang and Kimi keep counts at the top level, DeepSeek has names of
    its own (`observed.md` §2, `reported.md` §3.2). xAI counts reasoning beside the completion, but
    into the total (LiteLLM xai/chat).
    """
    if not isinstance(raw, dict):
        return None
    prompt = _details(raw, "prompt_tokens_details", "input_tokens_details")
    completion = _details(raw, "completion_tokens_details", "output_tokens_details")
    input_tokens = _count(raw, "prompt_tokens", "input_tokens")
    output_tokens = _count(raw, "completion_tokens", "output_tokens")
    cached = _count(prompt, "cached_tokens") or _count(
        raw, "cached_tokens", "prompt_cache_hit_tokens"
    )
    written = _count(prompt, "cache_write_tokens", "created_cache_tokens") or _count(
        raw, "cache_write_tokens"
    )
    reasoning = _count(completion, "reasoning_tokens") or _count(raw, "reasoning_tokens")
    total = _count(raw, "total_tokens")
    if total == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        input_tokens_details=InputTokensDetails(cached, written),
        output_tokens=output_tokens,
        output_tokens_details=OutputTokensDetails(reasoning),
        total_tokens=total or input_tokens + output_tokens,
    )


def add_usage(first: Usage | None, second: Usage | None) -> Usage | None:
    """Return the sum; what is not known counts nothing."""
    if first is None or second is None:
        return first or second
    cached, output = first.input_tokens_details, first.output_tokens_details
    return Usage(
        first.input_tokens + second.input_tokens,
        InputTokensDetails(
            cached.cached_tokens + second.input_tokens_details.cached_tokens,
            cached.cache_write_tokens + second.input_tokens_details.cache_write_tokens,
        ),
        first.output_tokens + second.output_tokens,
        OutputTokensDetails(
            output.reasoning_tokens + second.output_tokens_details.reasoning_tokens
        ),
        first.total_tokens + second.total_tokens,
    )


def _details(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if isinstance(found := raw.get(name), dict):
            return found
    return {}


def _count(raw: dict[str, Any], *names: str) -> int:
    if not raw:
        return 0
    for name in names:
        value: Any = raw.get(name)
        if type(value) in _NUMBERS and 0 <= value < 2**63:  # of JSON: a bool is none
            return int(value)
    return 0
