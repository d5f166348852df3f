"""Dialects that users define: a table of facts, such as `[dialects.my-server]` of the settings.

    [dialects.my-server]
    base = "vllm"
    reasoning_field = "reasoning"
    refuses = ["logit_bias"]

What is not in the table is as the base has it, except how the upstream is recognised, which would
otherwise be a matter of two rows.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapter.dialects.base import Dialect, ModelFacts

DEFAULT_BASE = "generic"
# What says which upstream it is, instead of what it is like.
_OWN = frozenset({"source", "hosts", "ports", "owners", "servers"})
# What no table sets: the heading does, and refusals do.
_UNSET = frozenset({"name", "learned"})

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def dialect_from(table: Mapping[str, Any], name: str, known: Mapping[str, Dialect]) -> Dialect:
    """Return the dialect that a table describes.

    Args:
        table: facts of `Dialect` by name, as TOML has them, and `base`, the name of the dialect
            that has the others.
        name: of the dialect.
        known: the dialects to build on, by name.

    Raises:
        ValueError: an unknown base or fact, or a value that does not fit; the message says what
            was found and what was expected.
    """
    facts = dict(table)
    base = _base(facts.pop("base", DEFAULT_BASE), name, known)
    if "name" in facts:
        raise _invalid(name, "'name': expected only in the heading of the table")
    _check_names(facts, name)
    own = {"name": name, "source": f"settings, on the base of {base.name}"}
    dialect = _convert(own | _inherited(base, facts) | facts, name)
    return msgspec.structs.replace(dialect, models=_typed_models(dialect, name))


def _inherited(base: Dialect, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base's facts as a table has them; those of its models give way to the table's."""
    inherited = msgspec.structs.asdict(base)
    inherited["models"] = [
        {"match": row.match, "facts": {k: v for k, v in row.facts.items() if k not in facts}}
        for row in base.models
    ]
    table: dict[str, Any] = msgspec.to_builtins(
        {fact: value for fact, value in inherited.items() if fact not in _OWN | _UNSET}
    )
    return table


def _typed_models(dialect: Dialect, name: str) -> tuple[ModelFacts, ...]:
    """Return the facts of models in the types of `Dialect`, in place of a table's lists."""
    whole = msgspec.to_builtins(msgspec.structs.replace(dialect, models=()))
    for row in dialect.models:
        _check_names(row.facts, name, "'models': ")
    return tuple(
        ModelFacts(
            row.match,
            {fact: getattr(_convert(whole | row.facts, name), fact) for fact in row.facts},
        )
        for row in dialect.models
    )


def _check_names(facts: Mapping[str, Any], name: str, at: str = "") -> None:
    known = set(Dialect.__struct_fields__) - _UNSET
    if unknown := sorted(facts.keys() - known - {"name"}):
        expected = ", ".join(sorted(known | {"base"}))
        raise _invalid(name, f"{at}unknown fact {unknown[0]!r}; expected one of {expected}")


def _base(given: Any, name: str, known: Mapping[str, Dialect]) -> Dialect:
    if isinstance(given, str) and given in known:
        return known[given]
    expected = ", ".join(sorted(known))
    raise _invalid(name, f"'base': expected one of {expected}, got {given!r}")


def _convert(values: dict[str, Any], name: str) -> Dialect:
    try:
        return msgspec.convert(values, Dialect)
    except msgspec.ValidationError as exc:
        raise _invalid(name, _explain(str(exc))) from exc


def _explain(reason: str) -> str:
    """Return what msgspec found wrong, with the path of the fact first."""
    place = _AT.search(reason)
    found = reason[: place.start()].replace("`", "") if place else reason
    return f"{place['path']!r}: {found[0].lower()}{found[1:]}" if place else found


def _invalid(name: str, reason: str) -> ValueError:
    return ValueError(f"Invalid dialect {name!r}: {reason}.")
