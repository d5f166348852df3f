"""Where settings come from, and what is said of a value that does not fit."""

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

ENV_PREFIX = "ADAPTER_"

_AT = re.compile(r" - at `\$\.(?P<name>\w+)[^`]*`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")
_Kind = TypeVar("_Kind")


class SettingsError(ValueError):
    """A setting that does not exist, or a value that does not fit it."""


def from_file(path: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as exc:
        raise SettingsError(f"Cannot read the settings file: {exc}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The settings file {path} is not valid TOML: {exc}.") from exc


def from_environment(
    cls: type[msgspec.Struct], environ: Mapping[str, str], *, but: Collection[str]
) -> dict[str, Any]:
    """Return what the environment says.

    Args:
        cls: the settings.
        environ: the environment.
        but: names of those that it cannot hold.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        text = None if field.name in but else environ.get(ENV_PREFIX + field.name.upper())
        if text is None or (text == "" and not isinstance(field.default, tuple)):
            continue
        if isinstance(field.default, tuple):
            values[field.name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            values[field.name] = text
    return values


def convert(values: Any, kind: type[_Kind], at: str = "") -> _Kind:
    """Return values as what they mean.

    Args:
        values: by name.
        kind: what they are of.
        at: where they stand, such as `routes.fast.`.

    Raises:
        SettingsError: one does not fit; the message says which.
    """
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise SettingsError(_explain(exc, kind, at)) from exc


def _explain(exc: msgspec.ValidationError, kind: type, at: str) -> str:
    """Return what msgspec found wrong, with the name of the setting first.

    Args:
        exc: what it says.
        kind: what was expected.
        at: where that stands, such as `routes.fast.`.
    """
    reason = str(exc)
    if unknown := _UNKNOWN.match(reason):
        return f"Unknown setting '{at}{unknown['name']}'."
    if missing := _MISSING.match(reason):
        return f"Missing setting '{at}{missing['name']}'."
    place = _AT.search(reason)
    if place is None and not at:  # what `__post_init__` found, with its name
        return f"{reason}." if reason.startswith("Invalid") else f"Invalid setting {reason}."
    name = place["name"] if place else ""
    found = (reason[: place.start()] if place else reason).replace("`", "")
    if found.startswith("Invalid enum value"):
        choices = _choices(get_type_hints(kind)[name])
        found = (
            f"expected one of {', '.join(choices)}, got{found.removeprefix('Invalid enum value')}"
        )
    return f"Invalid setting '{(at + name).rstrip('.')}': {found[0].lower()}{found[1:]}."


def _choices(hint: Any) -> list[str]:
    """Return the texts that a hint allows, whatever else it does."""
    found = [hint] if isinstance(hint, str) else []
    return found + [choice for part in get_args(hint) for choice in _choices(part)]
