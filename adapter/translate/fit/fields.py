"""Top-level fields: those that the upstream refuses are left out, and named as the client did."""

import re

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_encode = msgspec.json.Encoder().encode
_BRACKETS = re.compile(r"\s*\[[^\]]*\]$")

# What the client calls the fields that have another name upstream.
_PATHS = {
    "logprobs": "top_logprobs",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning": "reasoning.effort",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
}
_OURS = frozenset({"stream", "stream_options"})  # the client did not ask for them


def fit_fields(draft: Draft, dialect: Dialect) -> None:
    """Name fields as the dialect does, and leave out what it refuses."""
    if not dialect.bracketed_models:
        draft.model = _BRACKETS.sub("", draft.model)
    limit = draft.parameters.pop("max_completion_tokens", None)
    if limit is not None:
        draft.parameters[dialect.output_limit] = limit
    for name, value in list(draft.parameters.items()):
        sent = dialect.renames.get(name, name)
        if _is_refused(sent, value, dialect):
            del draft.parameters[name]
            _report(name, draft, dialect)
        elif sent != name:
            draft.parameters[sent] = draft.parameters.pop(name)


def _is_refused(name: str, value: object, dialect: Dialect) -> bool:
    return (
        name in dialect.refuses
        or (dialect.only is not None and name not in dialect.only and name != "stream")
        or (bool(dialect.refused_values) and (name, encode_value(value)) in dialect.refused_values)
    )


def _report(name: str, draft: Draft, dialect: Dialect) -> None:
    path = _PATHS.get(name, name)
    is_ours = name in _OURS or any(field.partition(".")[0] == name for field in dialect.body)
    if not is_ours and path not in draft.dropped:
        draft.dropped.append(path)


def encode_value(value: object) -> str:
    """Return a value as `Dialect.refused_values` holds it."""
    return (bytes(value) if isinstance(value, Raw) else _encode(value)).decode()
