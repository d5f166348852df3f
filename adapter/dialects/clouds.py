"""Services that run other people's models: hosts of open models, and routers to many services."""

from adapter.dialects.base import ALL_TOOL_CHOICES, Dialect, ModelFacts, ThinkingSwitch

HF_ROUTER = Dialect(
    name="hf-router",
    # `model:provider` chooses one of many services, whose own habits shine through: what they
    # refuse is learned by model.
    source="huggingface.co/docs/inference-providers 2026-11; reported.md §3.4",
    hosts=frozenset({"router.huggingface.co"}),
    forward_headers=frozenset({"x-use-cache", "x-wait-for-model", "x-hf-bill-to"}),
    reasoning_field="none",
    strict_tools=False,
)

GROQ = Dialect(
    name="groq",
    source="console.groq.com/docs/openai and /reasoning 2026-11; pydantic-ai profiles/groq.py",
    hosts=frozenset({"api.groq.com"}),
    # Reasoning does not go back: in tags it would teach the model to write them.
    reasoning_field="none",
    output_limit="max_completion_tokens",
    parameters=frozenset({"user", "service_tier"}),
    # 400 each; `json_schema` is for some models, and not for streams.
    refuses=frozenset({"logprobs", "top_logprobs", "logit_bias"}),
    formats=frozenset({"json_object"}),
    json_word=True,
    tool_choices=ALL_TOOL_CHOICES,
    efforts=(),
    models=(
        ModelFacts(("openai/gpt-oss*",), {"efforts": ("low", "medium", "high")}),
        ModelFacts(
            ("qwen/qwen3*",),
            {
                "efforts": ("none", "default"),
                "effort_names": dict.fromkeys(
                    ("minimal", "low", "medium", "high", "xhigh", "max"), "default"
                ),
                "body": {"reasoning_format": "parsed"},
            },
        ),
    ),
)

TOGETHER = Dialect(
    name="together",
    source="docs.together.ai 2026; LiteLLM together_ai/chat; reported.md §3.1 and §3.2, 2026-11",
    hosts=frozenset({"api.together.xyz", "api.together.ai"}),
    models=(
        # The template would leave out what is sent back.
        ModelFacts(("*glm*",), {"body": {"chat_template_kwargs.clear_thinking": False}}),
    ),
)

FIREWORKS = Dialect(
    name="fireworks",
    source="docs.fireworks.ai post-chatcompletions 2026; LiteLLM fireworks_ai/chat; reported.md §3",
    hosts=frozenset({"api.fireworks.ai"}),
    parameters=frozenset({"user"}),
    # docs.fireworks.ai/structured-responses/structured-output-grammar-based 2026
    grammar_field="fireworks",
)

CEREBRAS = Dialect(
    name="cerebras",
    source="inference-docs.cerebras.ai/resources/openai 2026; pydantic-ai providers/cerebras.py",
    hosts=frozenset({"api.cerebras.ai"}),
    reasoning_field="reasoning",
    output_limit="max_completion_tokens",
    parameters=frozenset({"user"}),
    # 400 each
    refuses=frozenset(
        {"presence_penalty", "frequency_penalty", "logit_bias", "parallel_tool_calls"}
        | {"service_tier"}
    ),
    # All tools have to be strict, or none.
    strict_tools=False,
    efforts=(),
    models=(
        ModelFacts(("gpt-oss*",), {"efforts": ("low", "medium", "high")}),
        ModelFacts(
            ("zai-*",),
            {
                "reasoning_field": "tags",
                "thinking": ThinkingSwitch("disable_reasoning", on=False, off=True),
            },
        ),
    ),
)

OPENROUTER = Dialect(
    name="openrouter",
    source="openrouter.ai/docs 2026-11; cc-switch; LiteLLM openrouter/chat; reported.md §3",
    hosts=frozenset({"openrouter.ai"}),
    forward_headers=frozenset({"http-referer", "x-title"}),
    reasoning_field="reasoning",
    effort_field="reasoning.effort",
    # `max` is a 400.
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    parameters=frozenset({"user", "verbosity", "prompt_cache_key"}),
    parts=frozenset({"image_url", "input_audio", "file"}),
    tool_choices=ALL_TOOL_CHOICES,
)

NVIDIA_NIM = Dialect(
    name="nvidia-nim",
    source="docs.api.nvidia.com/nim 2026-08; opencodex registry.ts 2026-08; reported.md §3.1, §3.3",
    hosts=frozenset({"integrate.api.nvidia.com"}),
    # Not all models have it, and those that do switch it in their own ways.
    efforts=(),
    # 400 "This model only supports single tool-calls at once!"
    refused_values=frozenset({("parallel_tool_calls", "true")}),
    models=(
        ModelFacts(("openai/gpt-oss*",), {"efforts": ("low", "medium", "high")}),
        ModelFacts(
            ("qwen/*", "z-ai/*"),
            {
                "thinking": ThinkingSwitch(
                    "chat_template_kwargs.enable_thinking", on=True, off=False
                )
            },
        ),
        ModelFacts(
            ("moonshotai/kimi*", "deepseek-ai/*"),
            {"thinking": ThinkingSwitch("chat_template_kwargs.thinking", on=True, off=False)},
        ),
        ModelFacts(("mistralai/*",), {"tool_bridge": "Understood."}),
    ),
)

SILICONFLOW = Dialect(
    name="siliconflow",
    source="docs.siliconflow.cn chat-completions 2026; cc-switch, reported.md §3.1, 2026-11",
    hosts=frozenset({"api.siliconflow.cn", "api.siliconflow.com"}),
    efforts=(),
    # Whatever the model's own vendor has.
    thinking=ThinkingSwitch("enable_thinking", on=True, off=False),
    models=(
        ModelFacts(
            ("*deepseek-v4*", "*glm-5.2*"),
            {
                "efforts": ("high", "max"),
                "effort_names": {"minimal": "high", "low": "high", "medium": "high"}
                | {"xhigh": "max"},
            },
        ),
    ),
)

MODELVERSE = Dialect(
    name="modelverse",
    # It resells the models of many vendors; nothing more is known than that it speaks the common
    # ground, so what its models refuse is learned.
    source="UCloud ModelVerse, api.modelverse.cn, as named by cc-switch presets, 2026-11",
    hosts=frozenset({"api.modelverse.cn", "umodelverse.ai"}),
)

CLOUDS = (
    HF_ROUTER,
    GROQ,
    TOGETHER,
    FIREWORKS,
    CEREBRAS,
    OPENROUTER,
    NVIDIA_NIM,
    SILICONFLOW,
    MODELVERSE,
)
