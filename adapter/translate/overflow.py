"""How servers say that a prompt does not fit into the model's context.

There is no code that all of them share, so most are known by their words, one row per wording.
Words that are also those of a rate limit, or of an output limit that no prompt could fit beside,
do not count.

Source: `observed.md` §3 (vLLM, SGLang, llama.cpp: seen); texts quoted in the issue trackers, tests
and error classifiers of public clients (pi-ai, opencode, LiteLLM, LibreChat, dify, qwen-code),
November 2026; documentation of the providers.
"""

import re
from collections.abc import Mapping
from typing import Any

# What stands in `code` or `type`; a code alone is enough.
_CODES = frozenset(
    {
        "1261",  # GLM
        "context_length_exceeded",  # OpenAI, Azure, Cerebras, llama-cpp-python
        "context_window_exceeded",  # gateways
        "contextwindowexceedederror",  # LiteLLM
        "exceed_context_size_error",  # llama.cpp, in `type`
        "model_context_window_exceeded",  # GLM, Anthropic
        "model_max_prompt_tokens_exceeded",  # GitHub Copilot
        "tokens_limit_reached",  # GitHub Models
    }
)

# (pattern of lower-case words, who says so)
_WORDINGS: tuple[tuple[str, str], ...] = (
    (
        r"maximum (?:context|prompt|model) length",
        "OpenAI, Azure, DeepSeek, vLLM, SGLang, llama-cpp-python, LiteLLM, OpenRouter, Mistral, xAI, "
        "Fireworks, Bedrock (Llama)",
    ),
    (r"maximum context limit", "LiteLLM"),
    (
        r"exceed(?:s|ed)? (?:the |this )?(?:model )?context window",
        "OpenAI (Responses), Anthropic, Cloudflare",
    ),
    (r"context window exceeds limit", "MiniMax"),
    (
        r"(?:longer|greater) than the (?:model's )?context length",
        "SGLang, Together, Novita, LM Studio",
    ),
    (
        r"exceed(?:s|ed)? (?:the )?(?:available |max |model's )?context (?:size|length|limit)",
        "llama.cpp, Ollama, Anthropic, Bedrock",
    ),
    (
        r"context (?:size|length|window)(?: has been|_)? ?exceeded",
        "llama.cpp (in a stream), LM Studio",
    ),
    (r"context length (?:of|is) only", "LM Studio"),
    (r"reached context length of", "LM Studio"),
    (r"configured context size is", "ds4"),
    (
        r"(?:prompt|input) (?:\([^)]{0,40}\) )?is too long|prompt (?:tokens )?too long",
        "Anthropic, Vertex, Bedrock, Ollama, Fireworks, vLLM, GLM, Baidu",
    ),
    (r"prompt 超长|超(?:过|出)[^。]{0,12}(?:上下文|token)", "GLM, Huawei"),
    (r"prompt exceeds max(?:imum)? length", "GLM"),
    (r"input token count.{0,40} exceeds the maximum", "Gemini"),
    (r"input tokens exceed the configured limit", "Azure"),
    (r"number of input tokens exceeds maximum length", "Bedrock (Nova)"),
    (
        r"(?:input|prompt) length \(?[\d,]+(?: tokens)?\)? exceeds (?:the |model's )?"
        r"maximum (?:\w+ ){0,2}length",
        "SGLang, Volcengine Ark, DeepInfra, Poolside, TensorRT-LLM (Triton)",
    ),
    (
        r"reduce the length of (?:the|your) (?:input )?(?:messages|prompt)",
        "Groq, Cerebras, OpenAI, Bedrock (Llama)",
    ),
    (r"exceeded model token limit", "Kimi"),
    (r"prompt token count .{0,40}exceeds the limit", "GitHub Copilot"),
    (r"body too large .{0,80}max size: [\d,]+ tokens", "GitHub Models"),
    (r"range of input length should be", "Qwen (DashScope), Xunfei"),
    (
        r"`inputs` (?:tokens \+ `max_new_tokens` must be <=|must have less than)",
        "TGI, Together, Hugging Face",
    ),
    (r"should not exceed max_(?:seq_len|num_tokens)", "TensorRT-LLM, NVIDIA NIM"),
    (
        r"must be less than (?:the context length|max_seq_len)",
        "Together, SiliconFlow",
    ),
    (r"length of all messages is too long", "Reka"),
    (r"too many (?:input )?tokens", "Cohere, Bedrock"),
    (r"token limit exceeded", "Novita"),
)

_OVERFLOW = re.compile("|".join(f"(?:{words})" for words, _ in _WORDINGS))

# "Too many tokens per minute" asks for patience, not for a shorter prompt (OpenAI, Groq, Anthropic,
# Kimi, Bedrock's throttling).
_RATE_LIMIT = re.compile(
    r"per (?:min|hour|day)|\btp[md]\b|rate[ _-]?limit|too many requests|throttl|quota|please wait"
    r"|try again later|temporarily"
)
# Limits of the output alone, which a shorter prompt does not help (OpenAI, Anthropic, Cohere).
_OUTPUT_LIMIT = re.compile(
    r"supports at most [\d,]+ completion tokens|maximum allowed number of output tokens"
    r"|max[_ ]tokens must be less than"
)
# vLLM and OpenAI name both numbers: what was asked for, and the whole context.
_ASKED = re.compile(
    r"too large: ([\d,]+)|requested ([\d,]+) output tokens|(?<![\d,])([\d,]+) (?:in|for) the completion"
)
_CONTEXT = re.compile(r"maximum context length is ([\d,]+)")

# How the whole context is named; the number follows.
_ALLOWED = re.compile(
    r"(?:(?:maximum|max|context|sequence|allowed|maximum input|allowed input) (?:length|limit|size)"
    r"|maximum (?:prompt|model) length|configured limit|token limit|the limit|while limit"
    r"|n_ctx|max_seq_len|max_num_tokens|tokens allowed|cannot exceed|must be <=|must have less than)"
    r"(?: is| of(?: only)?|:)? \(?([\d,]+)(?![\d,]| \+)"
    # Anthropic; Mistral
    r"|> ([\d,]+)(?: maximum|, decrease)|with ([\d,]+) maximum context"
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?!\w| characters)")


def is_overflow(error: Mapping[str, Any]) -> bool:
    """Tell whether an error says that the prompt does not fit into the model's context.

    Args:
        error: an upstream's error object; `message`, `type` and `code` are looked at.
    """
    for name in (error.get("code"), error.get("type")):
        if isinstance(name, str | int) and str(name).lower() in _CODES:
            return True
    message = error.get("message")
    text = message.lower() if isinstance(message, str) else ""
    if _RATE_LIMIT.search(text) or _OUTPUT_LIMIT.search(text):
        return False
    return bool(_OVERFLOW.search(text)) and not _is_output_too_large(text)


def overflow_counts(message: str) -> tuple[int, int] | None:
    """Return how many tokens were asked for and how many are allowed, if an overflow tells.

    vLLM stops to count where the context ends, and says "at least": that tells nothing.
    """
    text = message.lower()
    found = _ALLOWED.search(text)
    if found is None or "at least" in text:
        return None
    allowed = _number(next(filter(None, found.groups())))
    others = sorted({_number(number[0]) for number in _NUMBER.finditer(text)} - {allowed})
    asked = max(others, default=0)
    if asked < allowed:  # the prompt and the answer, which are not added up
        asked = sum(others[-2:])
    return (asked, allowed) if asked > allowed > 0 else None


def _is_output_too_large(text: str) -> bool:
    """Tell whether the output that was asked for would fill the context alone."""
    asked, context = _ASKED.search(text), _CONTEXT.search(text)
    if asked is None or context is None:
        return False
    return _number(next(filter(None, asked.groups()))) >= _number(context[1])


def _number(text: str) -> int:
    digits = text.replace(",", "")[:18]  # no more: Python refuses to read thousands of them
    return int(digits) if digits else 0
