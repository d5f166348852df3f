"""`responses-adapter probe`: what an upstream really does, as a table, and as settings for it."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.config import ENV_PREFIX, Settings, SettingsError
from adapter.errors import UpstreamError

if TYPE_CHECKING:
    from adapter.probe import Report

_COLOURS = {"met": "yellow", "lost": "red", "unclear": "bright_black"}
_WIDTH_OF_FILES = 140  # characters of a line where nobody tells how wide the screen is
_MIN_WIDTH = 80


@click.command(short_help="Find out what a chat-completions server really does.")
@click.argument("url")
@click.option("--model", help="Model to ask; by default the first that the server lists.")
@click.option(
    "--api-key",
    envvar=f"{ENV_PREFIX}UPSTREAM_API_KEY",
    show_envvar=True,
    help="Key that the server wants. It is neither shown nor written.",
)
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds for one answer.",
)
@click.option(
    "--max-tokens",
    default=256,
    show_default=True,
    type=click.IntRange(16),
    help="Tokens of one answer; a model that thinks for long needs more.",
)
@click.option(
    "--budget",
    default=20_000,
    show_default=True,
    type=click.IntRange(1),
    help="Tokens of all prompts and answers together.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")
@click.option("--write", type=click.Path(path_type=Path), help="Add the settings to a TOML file.")
@click.option("--name", help="Of the dialect and the route that --write adds.")
def probe(
    url: str,
    model: str | None,
    api_key: str | None,
    timeout: float,
    max_tokens: int,
    budget: int,
    as_json: bool,
    write: Path | None,
    name: str | None,
) -> None:
    """Find out what the chat-completions server at URL really does.

    It makes some thirty small requests, one after the other, and shows what each of them found and
    what the adapter will do about it.
    """
    from adapter.probe import Limits  # the probe needs aiohttp, which costs 0.1 s to import

    limits = Limits(seconds=timeout, max_tokens=max_tokens, tokens=budget)
    report = _make(url, model, (api_key or "").strip() or None, limits)
    click.echo(_as_json(report) if as_json else _as_table(report))
    if not report.answers:
        raise click.ClickException(f"{report.url} does not answer a plain chat request.")
    if write is not None:
        click.echo(_write(report, write, name), err=True)


def _make(url: str, model: str | None, api_key: str | None, limits: Any) -> "Report":
    from adapter.probe import printable
    from adapter.probe import probe as make
    from adapter.upstream.http import parse_base_url

    try:
        parse_base_url(url)
    except ValueError as exc:
        raise click.UsageError(f"Invalid URL: {exc}.") from exc
    progress = _Progress()
    try:
        return asyncio.run(
            make(url, model=model, api_key=api_key, limits=limits, on_check=progress.show)
        )
    except UpstreamError as exc:
        hint = " Give a key with --api-key." if exc.status in (401, 403) else ""
        raise click.ClickException(printable(exc.message, [api_key or ""]) + hint) from exc
    finally:
        progress.clear()


class _Progress:
    """One line on a terminal, which is gone at the end."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()

    def show(self, check: str) -> None:
        if self._is_shown:
            click.echo(f"\r\x1b[Kasking: {check} ", nl=False, err=True)

    def clear(self) -> None:
        if self._is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _as_json(report: "Report") -> str:
    return json.dumps(report.to_builtins(), indent=2)


def _as_table(report: "Report") -> str:
    from adapter.probe import render

    is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = shutil.get_terminal_size((_WIDTH_OF_FILES, 0)).columns
    return render(
        report,
        max(width, _MIN_WIDTH),
        lambda text, grade: click.style(text, fg=_COLOURS.get(grade)) if is_coloured else text,
    )


def _write(report: "Report", path: Path, name: str | None) -> str:
    """Add the dialect and the route to a file; return what to say about it."""
    from adapter.probe import name_of, to_toml

    name = name or name_of(report)
    there = _read(path)
    if there:
        _check(there)
    tables = tomllib.loads(there)
    taken = [kind for kind in ("dialects", "routes") if name in tables.get(kind, {})]
    if taken:
        raise click.ClickException(
            f"{path} already has [{taken[0]}.{name}]: choose another name with --name."
        )
    date = datetime.now(UTC).date().isoformat()
    added = to_toml(report, name, date, is_default=not _has_default(tables))
    if there:
        added = f"\n{added}" if there.endswith("\n") else f"\n\n{added}"
    _check(there + added)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(added)
    except OSError as exc:
        raise click.ClickException(f"Cannot write the settings: {exc}.") from exc
    return f"Added [dialects.{name}] and [routes.{name}] to {path}."


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        raise click.ClickException(f"Cannot read {path}: {exc}.") from exc


def _has_default(tables: dict[str, Any]) -> bool:
    routes = tables.get("routes", {}).values()
    return "upstream" in tables or any(route.get("default") for route in routes)


def _check(text: str) -> None:
    """See that the adapter takes the settings, before anything is written."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "settings.toml"
        draft.write_text(text, encoding="utf-8")
        try:
            Settings.load(draft, environ={})
        except SettingsError as exc:
            reason = str(exc).replace(str(draft), "there")
            raise click.ClickException(f"Nothing was written: {reason}") from exc
