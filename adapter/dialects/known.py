"""The upstreams that we know, one row each, and those that other packages know."""

from adapter.dialects.base import Dialect
from adapter.dialects.clouds import CLOUDS
from adapter.dialects.engines import ENGINES, GENERIC
from adapter.dialects.third_party import load_dialect, third_party_names
from adapter.dialects.vendors import VENDORS
from adapter.dialects.vendors_china import CHINESE_VENDORS

__all__ = ["DIALECTS", "GENERIC", "all_dialects", "dialect_named", "dialect_names"]

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (*ENGINES, *VENDORS, *CHINESE_VENDORS, *CLOUDS)
}


def dialect_named(name: str) -> Dialect:
    """Return a known dialect: one of ours, or else one of another package.

    Raises:
        KeyError: there is none of that name; the message lists those that there are.
        ValueError: another package has one, and it cannot be loaded.
    """
    if name in DIALECTS:
        return DIALECTS[name]
    if name in third_party_names():
        return load_dialect(name)
    known = ", ".join(dialect_names())
    raise KeyError(f"no dialect is named {name!r}; known: {known}")


def dialect_names() -> list[str]:
    """Return the names of all dialects, without loading those of other packages."""
    return sorted(DIALECTS.keys() | third_party_names())


def all_dialects() -> dict[str, Dialect]:
    """Return all dialects by name.

    Raises:
        ValueError: the one of another package cannot be loaded.
    """
    return {name: dialect_named(name) for name in dialect_names()}
