"""What a case is: one thing that an upstream refuses."""

from collections.abc import Callable
from typing import Any

import msgspec

from tests.servers.answers import Answer

Body = dict[str, Any]


class Case(msgspec.Struct, frozen=True):
    """One thing that an upstream refuses.

    Attributes:
        name: of the case.
        fields: of the client's request.
        refuses: (chat request) to whether it is refused.
        answers: ways to say so.
        told: what the caller is told: a path behind `dropped: ` or `adapted: `.
        dialect: of the upstream.
    """

    name: str
    fields: Body
    refuses: Callable[[Body], bool]
    answers: tuple[Answer, ...]
    told: str
    dialect: str = "generic"


def sends(field: str) -> Callable[[Body], bool]:
    """Refuse whatever has a field."""
    return lambda body: field in body
