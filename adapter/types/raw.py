"""JSON that is passed on or looked at later, as it came.

msgspec does not decode `Raw | None`: absence is an empty `Raw`, and null is one that says so.
"""

from msgspec import Raw

ABSENT = Raw(b"")
NULL = Raw(b"null")


def is_given(raw: Raw) -> bool:
    """Tell whether there is a value that is not null."""
    return bool(raw) and raw != NULL
