"""Why something was not sent upstream as it came: in words, for a person.

The translation reports paths alone; what is behind them is told by their form, and by what the
dialect is like. A path of no form that is known here is explained in general.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from adapter.dialects import Dialect
from adapter.translate.items import SKIPPED_ITEMS
from adapter.translate.parameters import POLICIES
from adapter.translate.request import Translation


class Note(NamedTuple):
    """What became of a part of a request."""

    kind: Literal["dropped", "adapted"]
    path: str
    reason: str


def explain(request: dict[str, Any], translation: Translation, dialect: Dialect) -> list[Note]:
    """Return what was not sent as it came, with the reasons.

    Args:
        request: as the client sent it.
        translation: what became of it.
        dialect: that it was made for.
    """
    return [
        *_notes("dropped", translation.dropped, _DROPPED, request, dialect),
        *_notes("adapted", translation.adapted, _ADAPTED, request, dialect),
    ]


Reason = Callable[[Any, str, Dialect], str]


def _notes(
    kind: Literal["dropped", "adapted"],
    paths: tuple[str, ...],
    rows: tuple[tuple[str, Reason], ...],
    request: dict[str, Any],
    dialect: Dialect,
) -> Iterator[Note]:
    for path in paths:
        reason = next(reason for form, reason in rows if re.fullmatch(form, path))
        yield Note(kind, path, reason(_find(request, path), path, dialect))


def _find(request: Any, path: str) -> Any:
    """Return what stands at a path, or None."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(request, list):
            request = request[int(part)] if part.isdigit() and int(part) < len(request) else None
        elif isinstance(request, dict):
            request = request.get(part)
        else:
            return None
    return request


def _type(value: Any) -> str:
    return str(value.get("type", "message")) if isinstance(value, dict) else "it"


def _tool(tool: Any, _path: str, _dialect: Dialect) -> str:
    kind = _type(tool)
    if kind == "mcp":
        return "mcp is run by the adapter itself (extra mcp), which only a server does"
    return f"{kind} is run by who hosts the API; a table [tools.{kind}] says what runs it here"


def _item(item: Any, _path: str, _dialect: Dialect) -> str:
    kind = _type(item)
    if kind in SKIPPED_ITEMS or ":" in kind:
        return f"{kind} is an item of a tool that chat servers do not have"
    if "compaction" in kind:
        return "it was sealed by another server, or with another key"
    return f"{kind} was left out: too old for what fits, or without its other half"


def _unknown(_value: Any, path: str, dialect: Dialect) -> str:
    if path in dialect.refuses or (dialect.only is not None and path not in dialect.only):
        return f"{dialect.name} answers it with an error"
    if path in POLICIES:
        return f"{dialect.name} does not know it"
    if re.fullmatch(r"\w*call_\w+", path):
        return "a call without its output, or an output without its call"
    return "no parameter that is known here; pass_fields of a route lets it through"


def _effort(value: Any, _path: str, dialect: Dialect) -> str:
    if not dialect.efforts:
        return f"{dialect.name} has no reasoning_effort"
    return f"{dialect.name} knows {', '.join(dialect.efforts)}, and not {value}"


def _listed(names: frozenset[Any]) -> str:
    return ", ".join(sorted(names)) or "none"


def _said(text: str) -> Reason:
    return lambda _value, _path, dialect: text.format(name=dialect.name)


_STRICT = _said("{name} takes no strict")
_SCHEMA = _said("{name} refuses words of the schema")
_DROPPED: tuple[tuple[str, Reason], ...] = (
    (r"(input\[\d+\]\.)?tools\[\d+\](\.tools\[\d+\])?", _tool),
    (r".*\.strict", _STRICT),
    (r"input(_items)?\[\d+\]", _item),
    (r"reasoning\.effort", _effort),
    (r"context_management.*", _said("compaction is made by a server, with the extra sealing")),
    (r".*", _unknown),
)
_ADAPTED: tuple[tuple[str, Reason], ...] = (
    (
        r"tool_choice",
        lambda _value, _path, dialect: (
            f"{dialect.name} obeys {_listed(dialect.tool_choices)}: the tools offered say the rest"
        ),
    ),
    (
        r"text\.format",
        lambda _value, _path, dialect: (
            f"{dialect.name} obeys {_listed(dialect.formats)}: the prompt says the rest"
        ),
    ),
    (r"text\.format\.schema|.*\.parameters", _SCHEMA),
    (r"reasoning\.effort", _effort),
    (r".*\.arguments", _said("the arguments of an earlier call were no JSON object")),
    (r"tools\[\d+\]\.format", _said("the grammar is told to the model, or enforced as {name} can")),
    (
        r".*",
        lambda _value, path, dialect: (
            f"{dialect.name} takes {dialect.ranges[path][0]:g} to {dialect.ranges[path][1]:g}"
            if path in dialect.ranges
            else f"put as {dialect.name} takes it"
        ),
    ),
)
