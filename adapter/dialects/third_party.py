"""Dialects of other packages: entry points of the group `adapter.dialects`.

    [project.entry-points."adapter.dialects"]
    my-server = "my_package:MY_SERVER"

The name is the dialect's, and the object is a `Dialect`. Nothing is looked for before somebody asks
for a name that is not ours, and nothing is imported before somebody asks for that very name.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from adapter.dialects.base import Dialect

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "adapter.dialects"


def third_party_names(found: "Iterable[EntryPoint] | None" = None) -> set[str]:
    """Return the names of the dialects that other packages have.

    Args:
        found: the entry points to look at; by default those of what is installed.
    """
    return {entry.name for entry in _entries(found)}


def load_dialect(name: str, found: "Iterable[EntryPoint] | None" = None) -> Dialect:
    """Return the dialect that another package has under a name.

    Args:
        name: one of `third_party_names`.
        found: the entry points to look at; by default those of what is installed.

    Raises:
        ValueError: it cannot be loaded, or is none; the message names the entry point.
    """
    entry = next(entry for entry in _entries(found) if entry.name == name)
    try:
        dialect = entry.load()
    except Exception as exc:  # the other package's code: it may raise anything
        raise ValueError(f"{_about(entry)} cannot be loaded: {exc!r}.") from exc
    if isinstance(dialect, Dialect) and dialect.name == name:
        return dialect
    raise ValueError(f"{_about(entry)} is no Dialect of that name: {dialect!r:.200}.")


def _entries(found: "Iterable[EntryPoint] | None") -> "Iterable[EntryPoint]":
    if found is not None:
        return found
    from importlib.metadata import entry_points  # costs 20 ms to import

    return entry_points(group=GROUP)


def _about(entry: "EntryPoint") -> str:
    package = f" of {entry.dist.name}" if entry.dist is not None else ""
    return f"The dialect {entry.name!r}{package} ({entry.value})"
