"""Parameter families: what was dropped or adapted, without the words of clients. Pure.

`tools[2].strict` is of the family `tools.strict`. A path may hold names of the client's own (an
unknown field, a key of its schema, a call id), which are neither for metrics nor for logs: what is
no name of the API becomes `*`. So there are only so many families, whatever clients send.
"""

import re
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Final

import msgspec

from adapter.translate.extras import PASSED_THROUGH
from adapter.translate.parameters import POLICIES
from adapter.types import input as input_types
from adapter.types import items, parts, request, tools

MAX_PARTS: Final = 3  # of a path: behind them stand names of schemas
MAX_FAMILIES: Final = 200  # in a metric; those that come later count as one
OTHER: Final = "*"
_INDEX: Final = re.compile(r"\[[^\[\]]*\]")


def families_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the families of some paths, each once, in the order of the paths."""
    return tuple(dict.fromkeys(_family_of(path) for path in paths))


def _family_of(path: str) -> str:
    names = _INDEX.sub("", path).split(".")[:MAX_PARTS]
    known = _names()
    return ".".join(name if name in known else OTHER for name in names)


@cache
def _names() -> frozenset[str]:
    """Return all names that the API has for fields."""
    found = {*POLICIES, *PASSED_THROUGH}
    modules: tuple[ModuleType, ...] = (input_types, items, parts, request, tools)
    for module in modules:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                found.update(kind.__struct_encode_fields__)
    return frozenset(found)
