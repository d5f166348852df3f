"""Top-level fields: those that the upstream refuses are left out, and named as the client did."""

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_encode = msgspec.json.Encoder().encode

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
_OURS = frozenset({"stream_options"})  # the client did not ask for it


def fit_fields(draft: Draft, dialect: Dialect) -> None:
    """Name the output limit as the dialect does, and leave out what it refuses."""
    limit = draft.parameters.pop("max_completion_tokens", None)
    if limit is not None:
        draft.parameters[dialect.output_limit] = limit
    for name, value in list(draft.parameters.items()):
        if name in dialect.refuses or (
            dialect.refused_values and (name, encode_value(value)) in dialect.refused_values
        ):
            del draft.parameters[name]
            path = _PATHS.get(name, name)
            if name not in _OURS and path not in draft.dropped:
                draft.dropped.append(path)


def encode_value(value: object) -> str:
    """Return a value as `Dialect.refused_values` holds it."""
    return (bytes(value) if isinstance(value, Raw) else _encode(value)).decode()
