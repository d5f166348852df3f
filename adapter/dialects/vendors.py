"""The services of those who make the models: OpenAI, Anthropic, Google, Mistral, xAI, Perplexity."""

from adapter.dialects.base import ALL_TOOL_CHOICES, Dialect, ModelFacts

_SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
_LOGPROBS = frozenset({"logprobs", "top_logprobs"})

# Models that always reason refuse what steers the choice of tokens, and others the effort.
# Source: OpenAI's guides "Reasoning models" and "Using GPT-5", 2026-11; reported.md §3.3.
_OPENAI_MODELS = (
    ModelFacts(
        ("o1*", "o3*", "o4*", "gpt-5", "gpt-5-mini*", "gpt-5-nano*", "gpt-5-20*"),
        {
            "refuses": _SAMPLING | _LOGPROBS | {"logit_bias", "stop"},
            "efforts": ("minimal", "low", "medium", "high"),
        },
    ),
    ModelFacts(("o1*", "o3*", "o4*"), {"efforts": ("low", "medium", "high")}),
    ModelFacts(("gpt-5.1*",), {"efforts": ("none", "low", "medium", "high")}),
    ModelFacts(
        ("gpt-5.[2-9]*",),
        {"efforts": ("none", "low", "medium", "high", "xhigh")},
    ),
    ModelFacts(
        ("gpt-5.6*",),
        {"efforts": ("none", "low", "medium", "high", "xhigh", "max")},
    ),
    ModelFacts(("gpt-3.5*", "gpt-4*", "chatgpt-4o*", "gpt-5-chat*"), {"efforts": ()}),
)

OPENAI = Dialect(
    name="openai",
    source="OpenAI chat completions reference, 2026-11",
    hosts=frozenset({"api.openai.com"}),
    models=_OPENAI_MODELS,
    responses_api=True,
    forward_headers=frozenset({"openai-organization", "openai-project"}),
    system_role="developer",
    late_system="system",
    merge_same_role=False,
    output_limit="max_completion_tokens",
    reasoning_field="none",
    think_tags="off",
    parts=frozenset({"image_url", "input_audio", "file"}),
    parameters=frozenset(
        {
            "verbosity",
            "user",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "service_tier",
        }
    ),
    tool_choices=ALL_TOOL_CHOICES,
    refusal_field=True,
    # 400 "'messages' must contain the word 'json' in some form"
    json_word=True,
)

AZURE = Dialect(
    name="azure",
    # The name of a model is that of a deployment, so nothing can be told from it: what a model
    # refuses is learned.
    source="Azure OpenAI v1 API: reported.md §3.2 and §3.4, pydantic-ai providers/azure.py, 2026-11",
    hosts=frozenset({"openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"}),
    responses_api=True,
    forward_headers=frozenset({"api-key"}),
    system_role="developer",
    late_system="system",
    merge_same_role=False,
    output_limit="max_completion_tokens",
    reasoning_field="none",
    think_tags="off",
    # Documents are for its Responses API alone.
    parts=frozenset({"image_url", "input_audio"}),
    parameters=frozenset({"user", "prompt_cache_key"}),
    tool_choices=ALL_TOOL_CHOICES,
    refusal_field=True,
    json_word=True,
)

ANTHROPIC = Dialect(
    name="anthropic",
    source="Anthropic's OpenAI SDK compatibility page, 2026-10; reported.md §3.1",
    hosts=frozenset({"api.anthropic.com"}),
    # Every system message is moved to the front, so a late one is sent as the user's.
    late_system="user",
    reasoning_field="none",
    think_tags="off",
    efforts=(),
    # What it ignores is not sent, so that the caller hears of it.
    strict_tools=False,
    formats=frozenset(),
    refuses=frozenset({"presence_penalty", "frequency_penalty", "logit_bias", "seed"}) | _LOGPROBS,
    ranges={"temperature": (0.0, 1.0)},
    empty_answers=False,
    tool_choices=ALL_TOOL_CHOICES,
)

GEMINI = Dialect(
    name="gemini",
    source="ai.google.dev OpenAI compatibility 2026-11; reported.md §3.1 and §3.3; continue #8865",
    hosts=frozenset({"generativelanguage.googleapis.com"}),
    reasoning_field="none",
    # Thoughts come only if they are asked for in `extra_body`, and then in tags of its own.
    think_marks=("<thought>", "</thought>"),
    signature_filler="skip_thought_signature_validator",
    efforts=("none", "minimal", "low", "medium", "high"),
    # 400 "Unknown name \"frequency_penalty\": Cannot find field."
    refuses=frozenset({"presence_penalty", "frequency_penalty", "seed"}),
    empty_answers=False,
    schema_refuses=frozenset(
        {"$schema", "$id", "$ref", "$defs", "additionalProperties", "patternProperties"}
        | {"exclusiveMinimum", "exclusiveMaximum", "const", "examples"}
    ),
)

MISTRAL = Dialect(
    name="mistral",
    source="Mistral API: reported.md §3.1 and §3.3; LiteLLM mistral/chat; zed #37021, 2026-04",
    hosts=frozenset({"api.mistral.ai", "codestral.mistral.ai"}),
    reasoning_field="parts",
    # 400 on all others (hermes-agent #11243, 2026-06): it thinks, or it does not.
    efforts=("none", "high"),
    effort_names=dict.fromkeys(("low", "medium", "xhigh", "max"), "high") | {"minimal": "none"},
    call_id_length=9,
    # 400 "Unexpected role 'user' after role 'tool'"
    tool_bridge="Understood.",
    empty_answers=False,
    # 422 "extra_forbidden" on what is not here. Usage always comes, so it need not be asked for.
    only=frozenset(
        {
            "temperature",
            "top_p",
            "max_tokens",
            "stop",
            "random_seed",
            "response_format",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "presence_penalty",
            "frequency_penalty",
            "reasoning_effort",
            "prompt_mode",
            "safe_prompt",
            "prediction",
            "n",
        }
    ),
    renames={"seed": "random_seed"},
    strict_tools=False,
    schema_refuses=frozenset({"$schema", "$id", "additionalProperties"}),
)

XAI = Dialect(
    name="xai",
    source="docs.x.ai 2026-08; LiteLLM xai/chat; opencodex registry.ts 2026-08; reported.md §3.1",
    hosts=frozenset({"api.x.ai"}),
    late_system="system",
    # Its reasoning must come back, or the cache of the prompt is missed.
    reasoning_field="reasoning_content",
    efforts=("low", "medium", "high"),
    parameters=frozenset({"user"}),
    strict_tools=False,
    tool_choices=ALL_TOOL_CHOICES,
    models=(
        ModelFacts(
            ("grok-3-mini*", "grok-4*", "grok-code*"),
            {"refuses": frozenset({"presence_penalty", "frequency_penalty", "stop"})},
        ),
        ModelFacts(("grok-4.6*",), {"efforts": ("low", "medium", "high", "xhigh")}),
        ModelFacts(
            ("grok-4", "grok-4-0*", "grok-4-fast*", "*non-reasoning*", "grok-code*"),
            {"efforts": ()},
        ),
    ),
)

PERPLEXITY = Dialect(
    name="perplexity",
    source="docs.perplexity.ai 2026; LiteLLM perplexity/chat; langchain #38070, 2026-06",
    hosts=frozenset({"api.perplexity.ai"}),
    # `<think>` stays in the content of the models that reason.
    reasoning_field="none",
    efforts=("minimal", "low", "medium", "high"),
    empty_answers=False,
    formats=frozenset({"json_schema"}),
    refuses=frozenset({"logit_bias", "seed", "stop"}) | _LOGPROBS,
)

VENDORS = (OPENAI, AZURE, ANTHROPIC, GEMINI, MISTRAL, XAI, PERPLEXITY)
