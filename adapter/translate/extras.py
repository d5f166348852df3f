"""Fields of a request that are not the question: which of them are sent, and which are reported.

Hints, such as `user`, do not change the answer and are sent where the dialect knows them. Fields that
the Responses API does not have but chat servers do (`top_k`, `seed`, …) pass through unchanged.
Anything else passes on where the operator of the route says so, and is dropped or refused otherwise.
"""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

UnknownFields = Literal["ignore", "reject"]

# Sampling and template fields of chat servers (OpenAI, vLLM, SGLang, llama.cpp) that have no place
# in the Responses API; clients send them as `extra_body`.
PASSED_THROUGH = frozenset(
    {
        "add_generation_prompt",
        "allowed_token_ids",
        "bad_words",
        "cache_salt",
        "chat_template",
        "chat_template_kwargs",
        "continue_final_message",
        "documents",
        "dry_multiplier",
        "ebnf",
        "enable_thinking",
        "grammar",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "ignore_eos",
        "include_reasoning",
        "include_stop_str_in_output",
        "length_penalty",
        "logit_bias",
        "lora_path",
        "min_p",
        "min_tokens",
        "mirostat",
        "mm_processor_kwargs",
        "priority",
        "reasoning_effort",
        "regex",
        "repeat_penalty",
        "repetition_penalty",
        "seed",
        "separate_reasoning",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop",
        "stream_interval",
        "stop_token_ids",
        "structured_outputs",
        "thinking",
        "thinking_budget",
        "top_a",
        "top_k",
        "truncate_prompt_tokens",
        "typical_p",
        "verbosity",
    }
)

# Fields of a chat request that are ours to write.
_RESERVED = frozenset({"messages", "n", "stream", "stream_options"})
# Sent where the dialect knows them, or the route passes them on.
_HINTS = (
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
)
_hints_of = attrgetter(*_HINTS)
_NO_HINTS = (None,) * len(_HINTS)
# Sent where the route passes them on: chat completions have them too, for a store of their own.
_PASSABLE = ("metadata", "store")


def kept_fields(
    request: ResponseRequest, pass_fields: frozenset[str], body: Mapping[str, Any]
) -> frozenset[str]:
    """Return the fields of a request that pass on by the operator's word.

    Args:
        request: the request.
        pass_fields: as the route has them; `*` is all fields of the provider's own.
        body: fields that the route adds.
    """
    if not pass_fields and not body:
        return pass_fields
    return pass_fields.union(body, request.extras if "*" in pass_fields else ())


def add_hints(
    chat: dict[str, Any],
    request: ResponseRequest,
    known: Collection[str],
    pass_fields: Collection[str],
) -> Sequence[str]:
    """Send what does not change the answer, and return the names of what is not sent."""
    hints = _hints_of(request)
    if hints == _NO_HINTS and not pass_fields:
        return ()
    dropped: list[str] = []
    for name, value in zip(_HINTS, hints, strict=True):
        if value is None:
            continue
        if name in known or name in pass_fields:
            chat[name] = value
        else:
            dropped.append(name)
    for name in _PASSABLE if pass_fields else ():
        value = getattr(request, name)
        if value is not None and name in pass_fields:
            chat[name] = value
    return dropped


def add_verbosity(
    chat: dict[str, Any], verbosity: str, known: Collection[str], pass_fields: Collection[str]
) -> Sequence[str]:
    """Send how much to say, and return its path where nobody knows it: that changes the answer."""
    if "verbosity" not in known and "verbosity" not in pass_fields:
        return ("text.verbosity",)
    chat["verbosity"] = verbosity
    return ()


def add_extras(
    chat: dict[str, Any],
    extras: dict[str, Raw],
    unknown: UnknownFields,
    pass_fields: Collection[str],
) -> list[str]:
    """Send fields that the Responses API does not have, and return the names of what is not sent.

    Raises:
        InvalidRequestError: an unknown field, where the setting rejects them.
    """
    dropped: list[str] = []
    for name, raw in extras.items():
        passes = name not in _RESERVED and (name in pass_fields or "*" in pass_fields)
        if passes or name in PASSED_THROUGH:
            if is_given(raw):
                chat.setdefault(name, raw)
        elif unknown == "reject":
            raise InvalidRequestError(
                f"Unknown parameter: '{name[:64]}'.", code="unknown_parameter", param=name[:64]
            )
        else:
            dropped.append(name[:64])
    return dropped
