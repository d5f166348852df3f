"""Why an upstream refused, where its status does not say: the causes that clients act on.

A client comes back after a 5xx (Codex 30 times), and after most of the others too, so a refusal
that will be the same next time needs a status and a code that say so. Servers and gateways word
the same refusal in many ways and with any status, so it is known by its code or by its words.

Source: openai/codex `api_bridge.rs` and `error.rs` (what is tried again, which codes end a turn);
texts quoted in the issue trackers, tests and error classifiers of public clients (opencode, pi-ai,
LiteLLM, LibreChat), November 2026; documentation of the providers.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapter.translate.overflow import is_overflow

OVERFLOW = "context_length_exceeded"
NO_QUOTA = "insufficient_quota"
NO_MODEL = "model_not_found"
POLICY = "invalid_prompt"  # OpenAI's code; the one of its kind that ends a turn of Codex


class Cause(msgspec.Struct, frozen=True):
    """What clients are told.

    Attributes:
        status: of the answer.
        code: of the error.
        param: of the request, if one is at fault.
    """

    status: int
    code: str
    param: str | None = None


_NO_MODEL_CODES = frozenset(
    {
        "1211",  # GLM
        "20012",  # SiliconFlow
        "deploymentnotfound",  # Azure
        "invalid_model",  # Perplexity
        "invalidendpointormodel.notfound",  # Volcengine Ark
        "model_not_found",  # OpenAI, Groq, DashScope, Cerebras; new-api with status 503
        "model_not_supported",  # GitHub Copilot
    }
)
_NO_MODEL = re.compile(
    # OpenAI, vLLM, Groq, xAI, DeepSeek, Ollama, Gemini, LM Studio, Fireworks, SiliconFlow
    r"\bmodels?\b(?:(?!\b(?:tool|function|file|template|parser)\b).){0,160}?"
    r"\b(?:(?:does not|doesn't|not) exist|not found)\b"
    # Kimi, MiniMax, Mistral, Perplexity, LiteLLM, OpenRouter
    r"|not found the model|\bunknown model\b|\binvalid model\b|not a valid model"
    # Together, GitHub Copilot, Bedrock, Azure, llama-swap
    r"|unable to access model|requested model is not supported|model identifier is invalid"
    r"|deployment for this resource does not exist|could not find real modelid"
    # new-api and one-api, GLM
    r"|no available channel for model|无可用渠道|模型不存在"
)

_NO_QUOTA_CODES = frozenset(
    {
        "1113",  # GLM
        "arrearage",  # DashScope
        "billing_error",  # Anthropic
        "billing_hard_limit_reached",  # OpenAI
        "billing_not_active",  # OpenAI
        "exceeded_current_quota_error",  # Kimi, in `type`
        "insufficient_quota",  # OpenAI, Azure
        "insufficient_user_quota",  # new-api
    }
)
_NO_QUOTA = re.compile(
    # OpenAI, Kimi; DeepSeek, GLM; OpenRouter; Anthropic
    r"exceeded your current quota|insufficient (?:account )?(?:balance|quota|credits?|funds)"
    r"|credit balance is too low|余额不足"
)
# Gemini words a limit per minute as a quota, and says when it is over.
_COMES_BACK = re.compile(r"(?:retry|try again) in\b|per (?:min|day)")

_POLICY_CODES = frozenset(
    {
        "1301",  # GLM
        "content_filter",  # Azure, Kimi in `type`
        "content_moderation",
        "content_policy_violation",  # OpenAI, OpenRouter
        "data_inspection_failed",  # DashScope
        "datainspectionfailed",
        "responsibleaipolicyviolation",  # Azure, within
    }
)
_POLICY = re.compile(
    # OpenAI; Anthropic; Azure
    r"violating our usage policy|result of our safety system|blocked by content filtering policy"
    r"|content management policy"
    # xAI; DashScope; GLM; DeepSeek; OpenRouter
    r"|violates usage guidelines|may contain inappropriate content"
    r"|potentially unsafe or sensitive content|content exists risk|your input was flagged"
)

# Azure, in both spellings; OpenRouter.
_INNER_CODES = (("innererror", "code"), ("inner_error", "code"), ("metadata", "error_type"))


def find_cause(error: Mapping[str, Any], status: int) -> Cause | None:
    """Return why an upstream refused, or None if its status says enough.

    Args:
        error: its error object.
        status: the one that its answer has so far.
    """
    codes, text = _codes(error), str(error.get("message")).lower()
    if status != 429 and is_overflow(error):
        return Cause(400, OVERFLOW)
    if status == 402 or _has(codes, _NO_QUOTA_CODES) or _lacks_quota(text):
        return Cause(status if status < 500 else 429, NO_QUOTA)
    if status == 429 or status == 401:
        return None
    if _has(codes, _POLICY_CODES) or _POLICY.search(text):
        return Cause(400, POLICY)
    if _has(codes, _NO_MODEL_CODES) or _NO_MODEL.search(text):
        return Cause(400 if status == 400 else 404, NO_MODEL, "model")
    return None


def _lacks_quota(text: str) -> bool:
    return bool(_NO_QUOTA.search(text)) and not _COMES_BACK.search(text)


def _has(codes: frozenset[str], known: frozenset[str]) -> bool:
    return not codes.isdisjoint(known)


def _codes(error: Mapping[str, Any]) -> frozenset[str]:
    """Return what stands where servers put codes, in lower case."""
    found = [error.get("code"), error.get("type")]
    for place, name in _INNER_CODES:
        inner = error.get(place)
        if isinstance(inner, dict):
            found.append(inner.get(name))
    return frozenset(str(code).lower() for code in found if isinstance(code, str | int))
