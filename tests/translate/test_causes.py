"""Refusals that will be the same next time are told by a status and a code that say so.

Source: openai/codex (which statuses are tried again); the texts are those that the servers send.
"""

from typing import Any

import pytest

from adapter.translate.causes import Cause, find_cause

NO_MODEL_404 = Cause(404, "model_not_found", "model")
NO_MODEL_400 = Cause(400, "model_not_found", "model")
POLICY = Cause(400, "invalid_prompt")

# (who says it, status, error, cause)
CAUSES: list[tuple[str, int, dict[str, Any], Cause]] = [
    ("vLLM", 404, {"message": "The model `x` does not exist.", "code": 404}, NO_MODEL_404),
    (
        "OpenAI",
        404,
        {
            "message": "The model `x` does not exist or you do not have access to it.",
            "code": "model_not_found",
        },
        NO_MODEL_404,
    ),
    (
        "OpenAI Responses",
        400,
        {"message": "The requested model 'x' does not exist.", "code": "model_not_found"},
        NO_MODEL_400,
    ),
    ("Ollama", 404, {"message": 'model "x" not found, try pulling it first'}, NO_MODEL_404),
    ("DeepSeek", 400, {"message": "Model Not Exist"}, NO_MODEL_400),
    ("OpenRouter", 400, {"message": "x is not a valid model ID", "code": 400}, NO_MODEL_400),
    (
        "LiteLLM",
        400,
        {"message": "Invalid model name passed in model=x. Call `/v1/models` to view"},
        NO_MODEL_400,
    ),
    ("Mistral", 400, {"message": "Invalid model: x", "code": "1500"}, NO_MODEL_400),
    ("Perplexity", 400, {"message": "Invalid model 'x'.", "type": "invalid_model"}, NO_MODEL_400),
    ("Kimi", 404, {"message": "Not found the model x or Permission denied"}, NO_MODEL_404),
    ("MiniMax", 400, {"message": "invalid params, unknown model 'x' (2013)"}, NO_MODEL_400),
    ("GLM", 400, {"message": "模型不存在。", "code": "1211"}, NO_MODEL_400),
    ("SiliconFlow", 400, {"message": "No.", "code": 20012}, NO_MODEL_400),
    (
        "Gemini",
        404,
        {"message": "models/x is not found for API version v1main, or is not supported."},
        NO_MODEL_404,
    ),
    ("Together", 404, {"message": "Unable to access model x. Please visit"}, NO_MODEL_404),
    ("Fireworks", 404, {"message": "Model not found, inaccessible, and/or not deployed"}, NO_MODEL_404),
    (
        "Azure",
        404,
        {"message": "The API deployment for this resource does not exist."},
        NO_MODEL_404,
    ),
    ("Bedrock", 400, {"message": "The provided model identifier is invalid."}, NO_MODEL_400),
    ("GitHub Copilot", 400, {"message": "The requested model is not supported."}, NO_MODEL_400),
    ("llama-swap", 400, {"message": "could not find real modelID for x"}, NO_MODEL_400),
    (
        "new-api, with status 503",
        503,
        {"message": "No available channel for model x under group default", "code": "model_not_found"},
        NO_MODEL_404,
    ),
    (
        "one-api, with status 503",
        503,
        {"message": "当前分组 default 下对于模型 x 无可用渠道", "code": "new_api_error"},
        NO_MODEL_404,
    ),
    ("a gateway, with status 500", 502, {"message": "Model x not found"}, NO_MODEL_404),
    ("a code alone", 403, {"message": "No.", "code": "model_not_found"}, NO_MODEL_404),
    (
        "OpenAI, out of quota",
        429,
        {"message": "You exceeded your current quota, please check your plan.", "code": "insufficient_quota"},
        Cause(429, "insufficient_quota"),
    ),
    ("DeepSeek, out of money", 402, {"message": "Insufficient Balance"}, Cause(402, "insufficient_quota")),
    ("any 402", 402, {"message": "No."}, Cause(402, "insufficient_quota")),
    (
        "Anthropic, out of money",
        400,
        {"message": "Your credit balance is too low to access the Anthropic API."},
        Cause(400, "insufficient_quota"),
    ),
    ("GLM, out of money", 429, {"message": "No.", "code": "1113"}, Cause(429, "insufficient_quota")),
    ("Kimi, out of money", 429, {"message": "No.", "type": "exceeded_current_quota_error"}, Cause(429, "insufficient_quota")),
    ("a gateway, out of money", 502, {"message": "Insufficient funds"}, Cause(429, "insufficient_quota")),
    (
        "OpenAI, policy",
        400,
        {"message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy."},
        POLICY,
    ),
    (
        "Azure, policy",
        400,
        {"message": "The response was filtered", "code": "content_filter"},
        POLICY,
    ),
    (
        "Azure, policy, within",
        400,
        {"message": "No.", "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        POLICY,
    ),
    (
        "Azure, policy, within, spelled otherwise",
        400,
        {"message": "No.", "inner_error": {"code": "ResponsibleAIPolicyViolation"}},
        POLICY,
    ),
    ("Anthropic, policy", 400, {"message": "Output blocked by content filtering policy"}, POLICY),
    ("xAI, policy", 403, {"message": "Content violates usage guidelines."}, POLICY),
    ("DeepSeek, policy", 400, {"message": "Content Exists Risk"}, POLICY),
    ("Qwen, policy", 400, {"message": "No.", "code": "data_inspection_failed"}, POLICY),
    ("Qwen, policy, in words", 400, {"message": "Output data may contain inappropriate content."}, POLICY),
    ("GLM, policy", 400, {"message": "No.", "code": "1301"}, POLICY),
    ("Kimi, policy", 400, {"message": "It was considered high risk", "type": "content_filter"}, POLICY),
    ("OpenRouter, policy", 403, {"message": "No.", "metadata": {"error_type": "content_policy_violation"}}, POLICY),
    ("a gateway, policy", 502, {"message": "No.", "code": "content_policy_violation"}, POLICY),
    ("overflow", 400, {"message": "prompt is too long"}, Cause(400, "context_length_exceeded")),
    ("overflow, with status 500", 502, {"message": "prompt is too long"}, Cause(400, "context_length_exceeded")),
    ("overflow, with status 413", 413, {"message": "prompt is too long"}, Cause(400, "context_length_exceeded")),
]  # fmt: skip

# (what it is, status, error)
NONE: list[tuple[str, int, dict[str, Any]]] = [
    ("a fault of the request", 400, {"message": "temperature must be non-negative"}),
    ("a field", 400, {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."}),
    ("a tool", 400, {"message": "Tool 'f' not found in 'tools' parameter."}),
    ("a tool of a model", 502, {"message": "The model called a tool that was not found."}),
    ("a picture", 400, {"message": "this model does not support images"}),
    ("the wrong key", 401, {"message": "The model's key does not exist."}),
    ("no permission", 403, {"message": "You may not do this."}),
    ("too fast", 429, {"message": "Rate limit reached for gpt-4o."}),
    ("too fast, of a model", 429, {"message": "model not found in time", "code": "rate_limit"}),
    (
        "Gemini, too fast",
        429,
        {"message": "You exceeded your current quota. Please retry in 37.5s.", "code": 429},
    ),
    ("overflow, with status 429", 429, {"message": "prompt is too long"}),
    ("a server that broke", 502, {"message": "Internal error"}),
    ("codes of no use", 400, {"message": "No.", "code": None, "type": [], "innererror": {}, "metadata": {}}),
    ("nothing", 400, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error", "cause"), [pytest.param(*case, id=who) for who, *case in CAUSES]
)
def test_cause_is_told_whatever_the_status(
    status: int, error: dict[str, Any], cause: Cause
) -> None:
    assert find_cause(error, status) == cause


@pytest.mark.parametrize(
    ("status", "error"), [pytest.param(*case, id=what) for what, *case in NONE]
)
def test_other_refusals_keep_their_status(status: int, error: dict[str, Any]) -> None:
    assert find_cause(error, status) is None
