"""Tables of the documentation that are made from the code."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import click
import msgspec
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

from adapter.asgi.access.keys import KeySettings
from adapter.asgi.paths import STATE_ROUTES, all_routes, allowed_methods
from adapter.cli import main
from adapter.config import ENV_PREFIX, describe_settings
from adapter.dialects import DIALECTS, Dialect
from adapter.fetch.guard import UrlPolicy
from adapter.observe.meters import Meters
from adapter.routing import RouteSettings
from adapter.runners.mcp.settings import McpServerSettings
from adapter.runners.settings import ToolSettings
from adapter.store import STORE_SCHEMES
from tests.readme.document import Row

_FACT = re.compile(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", re.MULTILINE | re.DOTALL)


def settings_rows() -> list[Row]:
    return [
        (f"`{name}`", f"`{ENV_PREFIX}{name.upper()}`", _default(default), _cell(description))
        for name, (description, default) in describe_settings().items()
    ]


def dialect_rows() -> list[Row]:
    return [
        (
            f"`{name}`",
            _listed(dialect.parts),
            "not sent" if dialect.reasoning_field == "none" else f"`{dialect.reasoning_field}`",
            _listed(dialect.formats),
            _listed(dialect.tool_choices),
        )
        for name, dialect in DIALECTS.items()
    ]


def host_rows() -> list[Row]:
    return [
        (f"`{name}`", _listed(dialect.hosts)) for name, dialect in DIALECTS.items() if dialect.hosts
    ]


def endpoint_rows() -> list[Row]:
    return [
        (f"`/v1{route}`", _listed(allowed_methods(route)), "yes" if route in STATE_ROUTES else "")
        for route in all_routes()
    ]


def command_rows() -> list[Row]:
    assert isinstance(main, click.Group)
    return [
        (f"`{name}`", _cell(command.get_short_help_str(200).rstrip(".")))
        for name, command in sorted(main.commands.items())
    ]


def store_rows() -> list[Row]:
    made: dict[str, Row] = {}
    for scheme, row in STORE_SCHEMES.items():
        schemes = f"{made[row.example][1]}, `{scheme}:`" if row.example in made else f"`{scheme}:`"
        extra = "" if row.extra is None else f"`{row.extra}`"
        made[row.example] = (
            f"`{row.example}`",
            schemes,
            extra,
            "yes" if row.is_shared else "no",
        )
    return list(made.values())


def metric_rows() -> list[Row]:
    meters = vars(Meters(CollectorRegistry())).values()
    metrics = [(meter, each) for meter in meters for each in _described_metrics(meter)]
    return [
        (
            f"`{each.name}{'_total' if each.type == 'counter' else ''}`",
            each.type,
            ", ".join(f"`{label}`" for label in meter._labelnames),  # told by nothing public
            _cell(each.documentation),
        )
        for meter, each in metrics
    ]


def _described_metrics(meter: Any) -> list[Metric]:
    return list(meter.describe()) if isinstance(meter, MetricWrapperBase) else []


def fields_of(kind: type[msgspec.Struct]) -> Callable[[], list[Row]]:
    """Return what makes a row for each field of a struct, with the text of its docstring."""
    return lambda: [
        (f"`{field.name}`", _default(_value(field)), _cell(texts))
        for field, texts in _described(kind)
    ]


def _described(kind: type[msgspec.Struct]) -> Iterable[tuple[Any, str]]:
    _, _, text = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    text, _, _ = text.partition("\nRaises:")
    texts = {name: " ".join(about.split()) for name, about in _FACT.findall(text)}
    for field in msgspec.structs.fields(kind):
        if field.name in texts:
            yield field, texts[field.name]


def _value(field: Any) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _default(value: Any) -> str:
    match value:
        case msgspec.NODEFAULT:
            return "must be given"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"{value:.10g}"
        case str():
            return f"`{value}`" if value else "none"
        case tuple() | frozenset():
            return _listed(value)
        case _:
            return "none"  # None, or something empty


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(f"`{name}`" for name in names)) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_FIELDS = ("field", "default", "meaning")
GENERATED: dict[str, tuple[Row, Callable[[], list[Row]]]] = {
    "settings": (("setting", "variable", "default", "meaning"), settings_rows),
    "routes": (_FIELDS, fields_of(RouteSettings)),
    "mcp": (_FIELDS, fields_of(McpServerSettings)),
    "tools": (_FIELDS, fields_of(ToolSettings)),
    "fetch": (_FIELDS, fields_of(UrlPolicy)),
    "keys": (_FIELDS, fields_of(KeySettings)),
    "dialects": (
        ("dialect", "parts beyond text", "earlier reasoning", "formats", "`tool_choice`"),
        dialect_rows,
    ),
    "facts": (_FIELDS, fields_of(Dialect)),
    "hosts": (("dialect", "addresses that end in"), host_rows),
    "endpoints": (("path", "methods", "needs a store"), endpoint_rows),
    "commands": (("command", "what it does"), command_rows),
    "metrics": (("metric", "kind", "labels", "meaning"), metric_rows),
    "stores": (("URL", "schemes", "extra", "shared by processes"), store_rows),
}
