"""Servers that people run themselves.

Where no source is named at a fact, it is the dialect's: `observed.md` for what was recorded,
`reported.md` for the rest.
"""

from adapter.dialects.base import Dialect, ThinkingSwitch

GENERIC = Dialect(
    name="generic",
    source="the common ground of the servers below, observed 2026-11-20",
)

VLLM = Dialect(
    name="vllm",
    source="vLLM 0.32.0, observed 2026-11-20",
    owners=frozenset({"vllm"}),
    # It reads `reasoning` as well, but older versions know only `reasoning_content`.
    reasoning_field="reasoning_content",
    parts=frozenset({"image_url", "input_audio", "video_url"}),
    parameters=frozenset({"structured_outputs"}),
    # With `none` it shows the tools to the model, which then writes its call as text.
    tool_choices=frozenset({"auto", "required", "named"}),
    # xgrammar, its default, reads EBNF; the reasoning parser keeps the grammar out of thinking
    # (vllm/sampling_params.py and v1/structured_output of 0.32.0). Arguments of functions that are
    # not `strict` are free (tool_parsers/structural_tag_registry.py).
    grammar_field="structured_outputs",
    schema_patterns="strict",
    # vllm/entrypoints/serve/tokenize of 0.32.0; `usage` of a real call says the same.
    token_counters=("tokenize_messages",),
)

VLLM_OLD = Dialect(
    name="vllm-old",
    # Up to 0.11 it sends `reasoning_content`; `required` came with 0.8.3, and `reasoning_effort`
    # with 0.10.1, for models that write harmony alone.
    source="vLLM before 0.11: reported.md §3.1 and §3.4, 2026-11; vLLM's reasoning docs 0.10",
    parts=frozenset({"image_url", "input_audio", "video_url"}),
    efforts=(),
    thinking=ThinkingSwitch("chat_template_kwargs.enable_thinking", on=True, off=False),
    tool_choices=frozenset({"none", "auto", "named"}),
)

SGLANG = Dialect(
    name="sglang",
    # A named function was answered with a call of another one (`observed.md` §5), so it is made
    # the only one instead.
    source="SGLang 0.5.23, observed 2026-11-20",
    owners=frozenset({"sglang"}),
    parts=frozenset({"image_url", "input_audio", "video_url"}),
    # docs.sglang.io/advanced_features/structured_outputs and function_call_parser.py, read 2026-11
    grammar_field="ebnf",
    schema_patterns="strict",
    # Its `/tokenize` takes no messages (serving_tokenize.py, read 2026-11).
    token_counters=(),
)

LLAMA_CPP = Dialect(
    name="llama.cpp",
    source="llama.cpp b11434, observed 2026-11-20",
    owners=frozenset({"llamacpp"}),
    servers=frozenset({"llama.cpp"}),
    parts=frozenset({"image_url", "input_audio"}),
    # A name is accepted and ignored; `none` is as with vLLM.
    tool_choices=frozenset({"auto", "required"}),
    # The grammar holds from the first token, and the model could not end its thinking (issue
    # 22537). Functions are always held to their parameters.
    grammar_field="grammar",
    grammar_body={"chat_template_kwargs.enable_thinking": False},
    schema_patterns="always",
    # The first came in 2026; both say what `usage` of a real call says.
    token_counters=("chat_input_tokens", "apply_template"),
)

LLAMA_CPP_PYTHON = Dialect(
    name="llama-cpp-python",
    source="llama-cpp-python 0.3.36, observed 2026-11-20; its llama_types.py and server/app.py",
    owners=frozenset({"me"}),
    # `<think>` stays in the content; templates are given nothing but role and content.
    reasoning_field="none",
    efforts=(),
    # Its only structured output is `json_object`, which takes a schema.
    formats=frozenset({"json_object", "json_schema"}),
    format_shape="json_object",
    # llama_cpp/server/types.py, read 2026-11
    grammar_field="grammar",
    strict_tools=False,
    tool_choices=frozenset({"none", "auto", "named"}),
)

OLLAMA = Dialect(
    name="ollama",
    source="Ollama, openai/openai.go, read 2026-11; reported.md §3.1 and §3.4",
    ports=frozenset({11434}),
    owners=frozenset({"library"}),
    reasoning_field="reasoning",
    # It does not look at `tool_choice`: what cannot be forced is asked for, and for `none` the
    # tools are left out.
    tool_choices=frozenset(),
    strict_tools=False,
    image_urls="data",
)

LM_STUDIO = Dialect(
    name="lmstudio",
    source="LM Studio: lmstudio-bug-tracker #189 and #670 (2025-05), #649; fizeau 2026-05",
    ports=frozenset({1234}),
    owners=frozenset({"organization_owner"}),
    # 400 "'response_format.type' must be 'json_schema' or 'text'"
    formats=frozenset({"json_schema"}),
    # 400 "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
    tool_choices=frozenset({"none", "auto", "required"}),
    # 400 "'url' field must be a base64 encoded image."
    image_urls="data",
)

TGI = Dialect(
    name="tgi",
    source="text-generation-inference 3, router/src; reported.md §3.3, 2026-11",
    hosts=frozenset({"api-inference.huggingface.co"}),
    forward_headers=frozenset({"x-use-cache", "x-wait-for-model"}),
    reasoning_field="none",
    efforts=(),
    format_shape="tgi",
    formats=frozenset({"json_schema"}),
    grammar_field="tgi",
    strict_tools=False,
    object_arguments=True,
    # 422 "`top_p` must be > 0.0 and < 1.0"; temperature 0 means that nothing is drawn.
    ranges={"top_p": (0.01, 0.99)},
    tool_choices=frozenset({"none", "auto", "required"}),
    token_counters=("chat_tokenize",),  # router/src/server.rs
)

TRANSFORMERS = Dialect(
    name="transformers",
    source="transformers serve 5.23.0, observed 2026-11-20",
    reasoning_field="none",
    efforts=(),
    # `tool_choice` and `response_format` are accepted and ignored.
    tool_choices=frozenset(),
    formats=frozenset(),
    # 422 "Unexpected fields in the request: {'top_k', 'foo'}". What it accepts and ignores
    # (`logprobs`, `n`, …) is left out too, so that the caller hears of it.
    only=frozenset(
        {
            "stream_options",
            "temperature",
            "top_p",
            "frequency_penalty",
            "presence_penalty",
            "max_tokens",
            "max_completion_tokens",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "seed",
            "stop",
            "logit_bias",
            "user",
            "chat_template_kwargs",
            "generation_config",
        }
    ),
)

ENGINES = (
    GENERIC,
    VLLM,
    VLLM_OLD,
    SGLANG,
    LLAMA_CPP,
    LLAMA_CPP_PYTHON,
    OLLAMA,
    LM_STUDIO,
    TGI,
    TRANSFORMERS,
)
