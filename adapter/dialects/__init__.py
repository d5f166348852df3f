"""What upstreams are like, as data: nothing else in the package asks for an upstream's name."""

from adapter.dialects.base import Dialect
from adapter.dialects.define import dialect_from
from adapter.dialects.detect import find_dialect
from adapter.dialects.known import DIALECTS, GENERIC, all_dialects, dialect_named, dialect_names

__all__ = [
    "DIALECTS",
    "GENERIC",
    "Dialect",
    "all_dialects",
    "dialect_from",
    "dialect_named",
    "dialect_names",
    "find_dialect",
]
