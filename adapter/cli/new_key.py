"""`responses-adapter new-key`: a key to give to a client, and the hash of it to keep."""

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path

import click

from adapter.asgi.access.hashes import new_key as make_key
from adapter.asgi.access.hashes import to_scrypt, to_sha256
from adapter.asgi.access.keys import MAX_KEY_BYTES, NAME, KeyRing
from adapter.config import SettingsError

SHORT_KEY_CHARS = 32  # below that, a key is taken for one that somebody thought of
MIN_KEY_CHARS = 12


@click.command("new-key", short_help="Make an API key for a client, and its hash.")
@click.argument("name")
@click.option("--owner", help="Whom belongs what is stored with it; by default the name.")
@click.option(
    "--model", "models", multiple=True, help="Pattern of models that it may ask. [repeats]"
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Day from which it is not good.")
@click.option("--requests-per-minute", type=click.FloatRange(0), help="How often it may ask.")
@click.option("--max-requests", type=click.IntRange(0), help="How much at one time.")
@click.option("--max-streams", type=click.IntRange(0), help="How many of these may be streams.")
@click.option("--file", type=click.Path(dir_okay=False), help="Append its table to this file.")
@click.option("--stdin", is_flag=True, help="Read the key instead of making one.")
def new_key(
    name: str,
    owner: str | None,
    models: tuple[str, ...],
    expires: datetime | None,
    requests_per_minute: float | None,
    max_requests: int | None,
    max_streams: int | None,
    file: str | None,
    stdin: bool,
) -> None:
    """Make an API key: print it once, with the table for `api_keys_file` that knows it by its hash."""
    if not re.fullmatch(NAME, name):
        raise click.UsageError("NAME: expected up to 64 letters, digits, '.', '_', '@' and '-'.")
    if file is not None:
        _check_name(name, Path(file))
    key = _read_key() if stdin else make_key()
    limits = {
        "requests_per_minute": requests_per_minute,
        "max_requests": max_requests,
        "max_streams": max_streams,
    }
    hashed = to_sha256(key.encode()) if len(key) >= SHORT_KEY_CHARS else to_scrypt(key.encode())
    lines = [f"[keys.{json.dumps(name)}]", f'hash = "{hashed}"']
    if owner is not None:
        lines.append(f"owner = {json.dumps(owner)}")
    if models:
        lines.append(f"models = {json.dumps(list(models))}")
    if expires is not None:
        lines.append(f"expires = {expires:%Y-%m-%d}")
    lines += [f"{limit} = {value:g}" for limit, value in limits.items() if value is not None]
    table = "\n".join(lines) + "\n"
    if file is not None:
        _append(Path(file), table)
    if not stdin:
        click.echo(f"Key of {name}, which is shown only now:", err=True)
        click.echo(key)
    if file is None:
        click.echo(f"\nFor the file that api_keys_file names:\n\n{table}", err=True)
        click.echo(f"Or, without what it may, for ADAPTER_API_KEYS: {name}={hashed}", err=True)
    else:
        click.echo(f"Its hash is in {file}.", err=True)


def _read_key() -> str:
    key = sys.stdin.readline().strip()
    if not MIN_KEY_CHARS <= len(key) <= MAX_KEY_BYTES or not key.isascii() or not key.isprintable():
        raise click.UsageError(
            f"--stdin: expected a key of {MIN_KEY_CHARS} to {MAX_KEY_BYTES} ASCII characters."
        )
    return key


def _check_name(name: str, file: Path) -> None:
    """See that a file can take a key: a second one of a name would make it useless."""
    if not file.exists():
        return
    try:
        known = KeyRing(file=str(file)).get(name)
    except SettingsError as exc:
        raise click.ClickException(str(exc)) from exc
    if known is not None:
        raise click.ClickException(
            f"{file} has a key of {name} already: choose another name, or take its table out."
        )


def _append(file: Path, table: str) -> None:
    """Append a table to a file that only its owner can read, if it is new."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as out:
            out.write(table if out.tell() == 0 else f"\n{table}")
    except OSError as exc:
        raise click.ClickException(f"Cannot write {file}: {exc.strerror}.") from exc
