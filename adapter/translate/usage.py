"""What an answer cost, in the shape of the Responses API: whole integers, and none of them null.

Source: `observed.md` §2 and `reported.md` §3.2 (the shapes), sheet §6 (what they become).
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from adapter.types.response import InputTokensDetails, OutputTokensDetails, Usage

_MOST = 2**63 - 1
_NUMBERS = (int, float)
_DETAILS = "_details"
_Count = Annotated[int, Meta(ge=0, le=_MOST)] | None


class _Details(msgspec.Struct, frozen=True, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    created_cache_tokens: _Count = None  # vLLM
    reasoning_tokens: _Count = None


class _Counts(msgspec.Struct, frozen=True, gc=False):
    """The names of all servers.

    vLLM's details may be null, SGLang and Kimi keep counts at the top level, DeepSeek has names of
    its own (`observed.md` §2, `reported.md` §3.2).
    """

    prompt_tokens: _Count = None
    input_tokens: _Count = None
    completion_tokens: _Count = None
    output_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    cached_tokens: _Count = None
    prompt_cache_hit_tokens: _Count = None
    cache_write_tokens: _Count = None
    reasoning_tokens: _Count = None


_NO_DETAILS = _Details()


def read_usage(raw: Any) -> Usage | None:
    """Return usage of whatever form, in whole integers; None if there is none.

    xAI counts reasoning beside the completion, but into the total (LiteLLM xai/chat).
    """
    if not isinstance(raw, dict):
        return None
    try:
        counts = msgspec.convert(raw, _Counts)
    except msgspec.ValidationError:
        counts = msgspec.convert(_only_counts(raw), _Counts)
    prompt = counts.prompt_tokens_details or counts.input_tokens_details or _NO_DETAILS
    completion = counts.completion_tokens_details or counts.output_tokens_details or _NO_DETAILS
    input_tokens = counts.prompt_tokens or counts.input_tokens or 0
    output_tokens = counts.completion_tokens or counts.output_tokens or 0
    cached = prompt.cached_tokens or counts.cached_tokens or counts.prompt_cache_hit_tokens or 0
    written = (
        prompt.cache_write_tokens or prompt.created_cache_tokens or counts.cache_write_tokens or 0
    )
    reasoning = completion.reasoning_tokens or counts.reasoning_tokens or 0
    total = counts.total_tokens
    if total == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    return Usage(
        input_tokens,
        InputTokensDetails(cached, written),
        output_tokens,
        OutputTokensDetails(reasoning),
        total or input_tokens + output_tokens,
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


def _only_counts(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what are numbers of tokens, as whole ones: not -1, true, or details that are a text."""
    details = {
        name: _numbers(value)
        for name, value in raw.items()
        if isinstance(value, dict) and name.endswith(_DETAILS)
    }
    return _numbers(raw) | details


def _numbers(raw: dict[str, Any]) -> dict[str, int]:
    return {
        name: int(value)
        for name, value in raw.items()
        # Of JSON, where a bool is no number.
        if type(value) in _NUMBERS and 0 <= value <= _MOST and not name.endswith(_DETAILS)
    }
