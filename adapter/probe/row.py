"""What was found as tables of the settings file: a dialect, and a route that has it.

Only what differs from the nearest known dialect is written, each fact below the finding that it
comes from. Keys are never written.
"""

import json
import re
from typing import Any

from adapter.probe.report import Report, facts_to_builtins, printable

MAX_MODELS = 50  # in a route; those of a router are better told by a pattern


def name_of(report: Report) -> str:
    """Return a name for an upstream, such as `my-vllm`."""
    if report.base.name == "generic":
        return "my-server"
    return "my-" + re.sub(r"[^A-Za-z0-9_-]+", "-", report.base.name)


def to_toml(report: Report, name: str, date: str, *, is_default: bool = True) -> str:
    """Return `[dialects.NAME]` and `[routes.NAME]`.

    Args:
        report: what was found.
        name: of both.
        date: of the probe.
        is_default: the route serves what no other one does; otherwise it names its models.
    """
    facts = facts_to_builtins(report.facts)
    lines = [
        f"[dialects.{_key(name)}]",
        f"base = {_value(report.base.name)}",
        f"source = {_value(f'probed {date}, model {report.model}')}",
    ]
    for fact, value in facts.items():
        if value is not None:  # TOML has no null, and no check finds that a fact is none
            told = [each for each in report.findings if fact in each.facts]
            lines += [f"# {each.check}: {printable(each.finding)}" for each in told]
            lines.append(f"{fact} = {_value(value)}")
    lines += [
        "",
        f"[routes.{_key(name)}]",
        f"upstream = {_value(report.url)}",
        f"dialect = {_value(name)}",
    ]
    models = (report.models or (report.model,))[:MAX_MODELS]
    lines.append("default = true" if is_default else f"models = {_value(list(models))}")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """Return a value as TOML has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            # JSON's escapes are TOML's too; it leaves one control character as it is.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            pairs = (f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return "{ " + ", ".join(pairs) + " }"
