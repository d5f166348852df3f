"""The services of those who make the models: DeepSeek, Moonshot, Z.AI, MiniMax, Alibaba."""

from adapter.dialects.base import Dialect, ModelFacts, ThinkingSwitch

_SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})

DEEPSEEK = Dialect(
    name="deepseek",
    source="api-docs.deepseek.com thinking_mode 2026-08; reported.md §3.1 and §3.3; opencode #25000",
    hosts=frozenset({"api.deepseek.com"}),
    # 400 "The reasoning_content in the thinking mode must be passed back to the API."
    reasoning_replay="all_or_nothing",
    efforts=("low", "high", "max"),
    # The vendor's own table; the nearest value would be the lower one.
    effort_names={"minimal": "low", "medium": "high", "xhigh": "high"},
    thinking=ThinkingSwitch("thinking.type", on="enabled", off="disabled"),
    # It thinks unless told otherwise, and cannot be forced while it does.
    tool_choices=frozenset({"none", "auto"}),
    empty_answers=False,
    formats=frozenset({"json_object"}),
    json_word=True,
)

MOONSHOT = Dialect(
    name="moonshot",
    source="platform.moonshot.ai; LiteLLM moonshot/chat; opencodex registry.ts 2026-08; reported.md",
    hosts=frozenset({"api.moonshot.ai", "api.moonshot.cn", "api.kimi.com"}),
    # One blank is the least that it takes.
    reasoning_replay="always",
    reasoning_filler=" ",
    efforts=(),
    tool_choices=frozenset({"none", "auto"}),
    strict_tools=False,
    bracketed_models=False,
    empty_answers=False,
    image_urls="data",
    formats=frozenset({"json_object"}),
    parameters=frozenset({"prompt_cache_key"}),
    # All Kimi models have theirs fixed.
    refuses=_SAMPLING,
    models=(
        ModelFacts(
            ("moonshot-v1*",),
            {
                "reasoning_replay": "optional",
                "refuses": frozenset(),
                "ranges": {"temperature": (0.0, 1.0)},
            },
        ),
        ModelFacts(
            ("kimi-k2.5*", "kimi-k2.6*"),
            {"thinking": ThinkingSwitch("thinking.type", on="enabled", off="disabled")},
        ),
        ModelFacts(
            ("kimi-k3*", "k3*"),
            {
                "efforts": ("low", "high", "max"),
                "effort_names": {"medium": "high", "xhigh": "max"},
            },
        ),
    ),
)

GLM = Dialect(
    name="glm",
    source="docs.z.ai 2026-08; agentscope-java GLM, opencodex registry.ts 2026-08; reported.md §3",
    hosts=frozenset({"api.z.ai", "open.bigmodel.cn"}),
    # 400 code 1211 for a name such as `glm-5.2[1m]`
    bracketed_models=False,
    efforts=(),
    thinking=ThinkingSwitch("thinking.type", on="enabled", off="disabled"),
    # `auto` is all that there is; for `none` the tools are left out.
    tool_choices=frozenset({"auto"}),
    strict_tools=False,
    ranges={"temperature": (0.0, 1.0), "top_p": (0.01, 1.0)},
    formats=frozenset({"json_object"}),
    # Usage always comes, so it need not be asked for.
    refuses=frozenset({"stream_options", "presence_penalty", "frequency_penalty"}),
    models=(
        # Without it, the arguments of a call come in one piece after minutes of silence.
        ModelFacts(("glm-4.6*", "glm-4.7*", "glm-5*"), {"body": {"tool_stream": True}}),
        ModelFacts(("glm-5.2*",), {"efforts": ("low", "medium", "high", "xhigh", "max")}),
        ModelFacts(
            ("glm-5.3*",),
            {
                "efforts": ("low", "high", "max"),
                "effort_names": {"minimal": "low", "medium": "high", "xhigh": "max"},
                "thinking": None,
            },
        ),
    ),
)

MINIMAX = Dialect(
    name="minimax",
    source="platform.minimax.io 2026; agentscope-java MiniMax 2026; pydantic-ai; reported.md §3",
    hosts=frozenset({"api.minimax.io", "api.minimaxi.com", "api.minimaxi.chat"}),
    # Reasoning comes apart from the content, and says everything again with every chunk.
    body={"reasoning_split": True},
    cumulative_details=True,
    efforts=(),
    # Its schema has no `tool_choice`.
    tool_choices=frozenset(),
    strict_tools=False,
    output_limit="max_completion_tokens",
    ranges={"temperature": (0.01, 2.0), "top_p": (0.01, 1.0)},
    formats=frozenset(),
    models=(
        ModelFacts(
            ("minimax-m3*",),
            {"thinking": ThinkingSwitch("thinking.type", on="adaptive", off="disabled")},
        ),
    ),
)

DASHSCOPE = Dialect(
    name="dashscope",
    source="help.aliyun.com model-studio 2026; cc-switch, opencodex 2026-08; reported.md §3.1, §3.3",
    hosts=frozenset(
        {
            "dashscope.aliyuncs.com",
            "dashscope-intl.aliyuncs.com",
            "dashscope-us.aliyuncs.com",
            "maas.aliyuncs.com",
        }
    ),
    efforts=(),
    thinking=ThinkingSwitch("enable_thinking", on=True, off=False),
    # It cannot be forced while it thinks.
    tool_choices=frozenset({"none", "auto"}),
    strict_tools=False,
    parts=frozenset({"image_url", "input_audio", "video_url"}),
    formats=frozenset({"json_object"}),
    # 400 "'messages' must contain the word 'json' in some form"
    json_word=True,
    models=(
        ModelFacts(
            ("qwen3.8-max*",),
            {
                "efforts": ("low", "medium", "xhigh"),
                "effort_names": {"minimal": "low", "high": "xhigh", "max": "xhigh"},
                "formats": frozenset({"json_object", "json_schema"}),
            },
        ),
        ModelFacts(
            ("deepseek-v4*",),
            {
                "efforts": ("low", "high", "max"),
                "effort_names": {"minimal": "low", "medium": "high", "xhigh": "high"},
                "reasoning_replay": "all_or_nothing",
            },
        ),
    ),
)

CHINESE_VENDORS = (DEEPSEEK, MOONSHOT, GLM, MINIMAX, DASHSCOPE)
