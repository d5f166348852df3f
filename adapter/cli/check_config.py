"""`responses-adapter check-config`: what the settings are, where they come from, and what is wrong.

It takes the options of `serve`. What `serve` would refuse is refused here, in the same words.
"""

import asyncio
import difflib
import json
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from adapter.cli.serve import settings_options, split_lists
from adapter.config import (
    AUTO_DIALECT,
    ENV_PREFIX,
    NO_STORE,
    SECRETS,
    TABLES,
    Settings,
    SettingsError,
    describe_settings,
)
from adapter.routing import RouteSettings

_SHARED = ("postgres", "redis", "valkey", "rediss", "unix")  # stores of several machines
_OTHER_VARIABLES = {"ADAPTER_CONFIG", "ADAPTER_SSL_KEYFILE_PASSWORD"}


@click.command("check-config", short_help="Say what the settings mean, and what is wrong.")
@click.option("--config", type=click.Path(), help="A TOML file. [env: ADAPTER_CONFIG]")
@click.option("--ask", is_flag=True, help="Ask every upstream for its models, and the store.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of text.")
@settings_options
def check_config(config: str | None, ask: bool, as_json: bool, **options: str | None) -> None:
    """Load all settings, say what they mean, and ask upstreams and store with --ask.

    It ends with 2 if the settings cannot be used, and with 1 if something that was asked does not
    answer.
    """
    from adapter.asgi.app import make_sidecar
    from adapter.cli.asked import ask_all

    arguments = split_lists(options)
    try:
        settings = Settings.load(config, **arguments)
        make_sidecar(settings)  # finds what only shows when it is put together
    except SettingsError:
        for warning in _misspelt(os.environ):  # it may be why
            click.echo(_warning(warning), err=True)
        raise
    report: dict[str, Any] = {
        "settings": _given(settings, _sources(config, arguments, os.environ)),
        "routes": _routes(settings),
        "warnings": _warnings(settings, os.environ),
        "asked": asyncio.run(ask_all(settings)) if ask else [],
    }
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else _text(report))
    if any(not each["ok"] for each in report["asked"]):
        sys.exit(1)


def _sources(
    config: str | None, arguments: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return where each setting comes from that is given."""
    path = config or environ.get(f"{ENV_PREFIX}CONFIG")
    found: dict[str, str] = {}
    if path:
        found |= dict.fromkeys(tomllib.loads(Path(path).read_text(encoding="utf-8")), path)
    for name in describe_settings():
        variable = ENV_PREFIX + name.upper()
        if environ.get(variable):
            found[name] = variable
        if arguments.get(name) is not None:
            found[name] = f"--{name.replace('_', '-')}"
    return found


def _given(settings: Settings, sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the settings that are not left at their default."""
    described = describe_settings()
    return [
        {
            "name": name,
            "value": _shown(name, getattr(settings, name)),
            "from": source,
            "meaning": described[name][0],
        }
        for name, source in sources.items()
        if name not in TABLES
    ]


def _shown(name: str, value: Any) -> Any:
    if name == "store" and isinstance(value, str) and ":" in value:
        return f"{value.partition(':')[0]}:…"  # what is behind it may hold a password
    return "***" if name in SECRETS and value else value


def _routes(settings: Settings) -> list[dict[str, Any]]:
    """Return where requests go."""
    from adapter.dialects import find_dialect

    known = settings.known_dialects()
    given = dict(settings.routes)
    if settings.upstream is not None:
        given["default"] = RouteSettings(
            upstream=settings.upstream,
            upstream_api_key=settings.upstream_api_key,
            dialect=settings.dialect,
            default=True,
        )
    routes = []
    for name, route in given.items():
        models = [*route.models, *route.aliases, *(["*"] if route.default else [])]
        found = find_dialect(base_url=route.upstream, known=known)
        by_address = found.name if found else "auto: by its first answer"
        routes.append(
            {
                "name": name,
                "upstream": route.upstream,
                "models": ", ".join(models),
                "dialect": by_address if route.dialect == AUTO_DIALECT else route.dialect,
                "key": route.upstream_api_key is not None,
            }
        )
    return routes


def _warnings(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return what works, and may not be meant."""
    warnings = _misspelt(environ)
    has_keys = bool(settings.api_keys or settings.api_keys_file)
    has_upstream_key = settings.upstream_api_key is not None or any(
        route.upstream_api_key is not None for route in settings.routes.values()
    )
    if has_upstream_key and not has_keys:
        warnings.append(
            "Whoever reaches the server asks with the upstream's key: api_keys says who may."
        )
    store = settings.store or NO_STORE
    if store.startswith(_SHARED) and not settings.sealing_keys:
        warnings.append(
            "Several servers may share the store, but each makes a sealing key of its own: "
            "sealing_keys gives them one."
        )
    if store.startswith(_SHARED) and not has_keys and settings.owner_header is None:
        warnings.append("Clients without a key of their own share all that is stored.")
    return warnings


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """Return what is said of variables that look like settings, and are none."""
    known = {ENV_PREFIX + name.upper() for name in describe_settings()} | _OTHER_VARIABLES
    warnings = []
    for variable in sorted(environ):
        if variable.startswith(ENV_PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, known, 1)
            hint = f"; {near[0]} is one" if near else ""
            warnings.append(f"{variable} is no setting{hint}.")
    return warnings


def _warning(text: str) -> str:
    return f"{click.style('warning', fg='yellow')}  {text}"


def _text(report: Mapping[str, Any]) -> str:
    lines = []
    for each in report["settings"]:
        value = each["value"]
        shown = ", ".join(value) if isinstance(value, tuple) else value
        lines.append(f"{click.style(each['name'], bold=True)} = {shown}   ({each['from']})")
        lines.append(f"    {each['meaning']}")
    if not lines:
        lines.append("All settings have their defaults.")
    lines.append("")
    for route in report["routes"]:
        key = "a key of its own" if route["key"] else "the client's key"
        lines.append(f"{route['models'] or route['name'] + '/…'} → {route['upstream']}")
        lines.append(f"    dialect {route['dialect']}, {key}")
    if report["warnings"]:
        lines.append("")
        lines += map(_warning, report["warnings"])
    if report["asked"]:
        lines.append("")
        for each in report["asked"]:
            word = click.style("ok", fg="green") if each["ok"] else click.style("down", fg="red")
            lines.append(f"{word}  {each['name']}: {each['said']}")
    return "\n".join(lines)
