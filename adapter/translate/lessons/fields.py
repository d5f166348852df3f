"""Fields that a server does not have, or not with this value."""

from collections.abc import Callable

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.translate.fit.fields import encode_value
from adapter.translate.refusal import Refusal

# Fields without which there is no request, and those that other lessons put in another form.
_NEEDED = frozenset({"model", "messages", "stream", "tools", "n", "tool_choice", "response_format"})
# Fields whose values we made or checked ourselves: a server that takes others is the exception.
# For any other field, a value that is refused is the client's fault.
_CHECKED = frozenset(
    {
        "chat_template_kwargs",
        "frequency_penalty",
        "logprobs",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
        "stream_options",
        "temperature",
        "thinking",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
_SPELLINGS = {
    "top_logprobs": ("logprobs",),
    "stream_options": ("include_usage",),
    "chat_template_kwargs": ("enable_thinking",),
    "reasoning": ("effort",),
}


def output_limit(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The two names of the output limit: a server that refuses one has the other."""
    name = dialect.output_limit
    other = "max_tokens" if name == "max_completion_tokens" else "max_completion_tokens"
    if name not in refusal.chat.parameters or "output_limit" in dialect.learned:
        return None
    if not refusal.mentions(name):
        return None
    if refusal.blame == "value" and not refusal.mentions(other):
        return None
    return msgspec.structs.replace(dialect, output_limit=other)


def strict_schemas(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """`strict` of a function, or of the schema of `response_format`."""
    if not refusal.mentions("strict") or refusal.mentions("strict mode", "invalid schema"):
        return None  # or the schema is not as strict as it says
    parameters = refusal.chat.parameters
    if any(tool.function.strict is not UNSET for tool in parameters.get("tools", ())):
        return msgspec.structs.replace(dialect, strict_tools=False)
    given = parameters.get("response_format")
    if isinstance(given, dict) and "strict" in (given.get("json_schema") or {}):
        return msgspec.structs.replace(dialect, strict_formats=False)
    return None


def pointed_fields(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Fields that are named so that no other word could be meant."""
    return _without(
        refusal, dialect, lambda name: refusal.points_at(name) or _is_odd(name, refusal)
    )


def named_fields(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Fields whose names are words of any text, such as `stop` and `user`."""
    return _without(refusal, dialect, refusal.names)


def _is_odd(name: str, refusal: Refusal) -> bool:
    return "_" in name and refusal.names(name)


def _without(refusal: Refusal, dialect: Dialect, is_named: Callable[[str], bool]) -> Dialect | None:
    blame = refusal.blame
    named = [
        name
        for name in refusal.chat.parameters
        if name not in _NEEDED
        and any(is_named(spelled) for spelled in (name, *_SPELLINGS.get(name, ())))
        and not _is_role(name, refusal)
    ]
    if blame == "unclear":
        named = [name for name in named if name in _CHECKED]
        values = {(name, encode_value(refusal.chat.parameters[name])) for name in named}
        return msgspec.structs.replace(dialect, refused_values=dialect.refused_values | values)
    if blame == "value":
        return None
    return msgspec.structs.replace(dialect, refuses=dialect.refuses | set(named))


def _is_role(name: str, refusal: Refusal) -> bool:
    """Tell whether a name is that of a role, in a text about messages."""
    return name == "user" and refusal.mentions("role", "roles", "assistant")
