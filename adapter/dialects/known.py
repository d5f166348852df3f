"""The upstreams that we know, one row each."""

from adapter.dialects.base import ALL_TOOL_CHOICES, Dialect

GENERIC = Dialect(
    name="generic",
    source="the common ground of the servers below, observed 2026-11-20",
)

VLLM = Dialect(
    name="vllm",
    # It reads `reasoning` as well, but older versions know only `reasoning_content`.
    source="vLLM 0.32.0, observed 2026-11-20",
    parts=frozenset({"image_url", "input_audio", "video_url"}),
    parameters=frozenset({"structured_outputs"}),
    tool_choices=ALL_TOOL_CHOICES,
)

LLAMA_CPP = Dialect(
    name="llama.cpp",
    source="llama.cpp b11434, observed 2026-11-20",
    parts=frozenset({"image_url", "input_audio"}),
    # A named tool_choice is accepted and ignored.
    tool_choices=frozenset({"none", "auto", "required"}),
)

OPENAI = Dialect(
    name="openai",
    source="OpenAI chat completions reference, 2026-11",
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
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (GENERIC, VLLM, LLAMA_CPP, OPENAI)
}


def dialect_named(name: str) -> Dialect:
    """Return a known dialect.

    Raises:
        KeyError: there is none of that name; the message lists those that there are.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        known = ", ".join(sorted(DIALECTS))
        raise KeyError(f"no dialect is named {name!r}; known: {known}") from None
