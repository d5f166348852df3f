"""Top-level fields: those that the upstream refuses are left out, and named as the client did."""

import re
from collections.abc import Collection

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_encode = msgspec.json.Encoder().encode
_BRACKETS = re.compile(r"(?<!\s)\s*\[[^\[\]]*\]$")

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
_OUTPUT_LIMIT = "max_completion_tokens"


def fit_fields(draft: Draft, dialect: Dialect) -> None:
    """Name fields as the dialect does, and leave out what it refuses."""
    if not dialect.bracketed_models:
        draft.model = _BRACKETS.sub("", draft.model)
    limit = draft.parameters.pop(_OUTPUT_LIMIT, None)
    if limit is not None:
        draft.parameters[dialect.output_limit] = limit
        if "output_limit" in dialect.learned:
            draft.rewrite(_PATHS[_OUTPUT_LIMIT])
    for first, second in dialect.exclusive:
        if first in draft.parameters and second in draft.parameters:
            del draft.parameters[second]
            draft.dropped.append(_PATHS.get(second, second))
    if (
        dialect.renames
        or dialect.refused_values
        or dialect.only is not None
        or not dialect.refuses.isdisjoint(draft.parameters)
    ):
        _sort_out(draft, dialect)


def _sort_out(draft: Draft, dialect: Dialect) -> None:
    for name, value in list(draft.parameters.items()):
        sent = dialect.renames.get(name, name)
        if _is_refused(sent, value, dialect, draft.kept):
            del draft.parameters[name]
            _report(name, value, draft, dialect)
        elif sent != name:
            draft.parameters[sent] = draft.parameters.pop(name)


def _is_refused(name: str, value: object, dialect: Dialect, kept: Collection[str]) -> bool:
    is_known = dialect.only is None or name in dialect.only or name in kept or name == "stream"
    return (
        not is_known
        or name in dialect.refuses
        or (bool(dialect.refused_values) and (name, encode_value(value)) in dialect.refused_values)
    )


def _report(name: str, value: object, draft: Draft, dialect: Dialect) -> None:
    if any(field.partition(".")[0] == name for field in dialect.body):
        return  # the client did not ask for it
    path = _PATHS.get(name, name)
    if name == "stream_options":
        # Nor for this; but where it was learned, the usage may be missing.
        if "refuses" not in dialect.learned or name not in dialect.refuses:
            return
        draft.lossless.add(path)
    elif dialect.thinking is not None and not isinstance(value, Raw):
        field = dialect.thinking.field.partition(".")[0]
        path = _PATHS["reasoning_effort"] if name == field else path
    if path not in draft.dropped:
        draft.dropped.append(path)


def encode_value(value: object) -> str:
    """Return a value as `Dialect.refused_values` holds it."""
    return (bytes(value) if isinstance(value, Raw) else _encode(value)).decode()
