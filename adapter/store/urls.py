"""The URLs of stores: options of ours in their query."""

from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

_Options = TypeVar("_Options", bound=msgspec.Struct)


class StoreUrlError(ValueError):
    """A URL that names no store, or an option that does not fit it."""


def split_options(
    url: str, kind: type[_Options], *, keeps_others: bool = False
) -> tuple[str, _Options]:
    """Take our options out of the query of a URL.

    Args:
        url: of a store.
        kind: a struct of the options, with defaults.
        keeps_others: leave other options in the URL; else they are refused.

    Returns:
        The URL without them, and the options.

    Raises:
        StoreUrlError: an option is not known, or its value does not fit.
    """
    head, _, query = url.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    names = kind.__struct_fields__
    ours = {name: value for name, value in given if name in names}
    others = [(name, value) for name, value in given if name not in names]
    if others and not keeps_others:
        known = ", ".join(sorted(names))
        raise StoreUrlError(f"unknown option {others[0][0]!r} in the store URL; known are: {known}")
    try:
        options = msgspec.convert(ours, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise StoreUrlError(f"an option of the store URL does not fit: {exc}") from exc
    return (f"{head}?{urlencode(others)}" if others else head), options
