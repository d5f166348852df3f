"""Reasoning effort: the nearest value that the upstream has, and its switch for thinking.

Source: `reported.md` §3.1 (switches) and §3.3 (ladders).
"""

from typing import Any

from adapter.dialects import Dialect
from adapter.dialects.base import ALL_EFFORTS
from adapter.translate.fit.draft import Draft

_PATH = "reasoning.effort"


def fit_effort(draft: Draft, dialect: Dialect) -> None:
    """Clamp the effort, put it into the upstream's field, and switch thinking on or off."""
    given = draft.parameters["reasoning_effort"]
    if not isinstance(given, str):
        return  # raw JSON from the client: it knows better
    del draft.parameters["reasoning_effort"]
    if dialect.thinking is not None:
        value = dialect.thinking.off if given == "none" else dialect.thinking.on
        put(draft.parameters, dialect.thinking.field, value)
        if given == "none" and "none" not in dialect.efforts:
            return  # the switch says it all
    if not dialect.efforts:
        if dialect.thinking is None:
            draft.dropped.append(_PATH)
        return
    nearest = clamp(dialect.effort_names.get(given, given), dialect.efforts)
    if nearest != given:
        draft.adapted.append(_PATH)
    put(draft.parameters, dialect.effort_field, nearest)


def clamp(effort: str, efforts: tuple[str, ...]) -> str:
    """Return the nearest of the efforts, the lower one of two."""
    if effort in efforts or effort not in ALL_EFFORTS:
        return effort
    place = ALL_EFFORTS.index(effort)
    known = [value for value in ALL_EFFORTS if value in efforts] or list(efforts)
    return min(
        known,
        key=lambda value: abs(ALL_EFFORTS.index(value) - place) if value in ALL_EFFORTS else 9,
    )


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a path such as `chat_template_kwargs.enable_thinking`, on copies.

    A client's own value at the same place stays.
    """
    field, _, rest = path.partition(".")
    if not rest:
        target.setdefault(field, value)
        return
    inner = target.get(field)
    copy: dict[str, Any] = dict(inner) if isinstance(inner, dict) else {}
    if inner is not None and not isinstance(inner, dict):
        return  # raw JSON from the client: it knows better
    put(copy, rest, value)
    target[field] = copy
