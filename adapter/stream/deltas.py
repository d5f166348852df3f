"""What an upstream says, in our words: the few kinds of delta that the state machine knows.

Everything that differs between servers ends before here (`adapter.stream.chunks`).
"""

import msgspec
from msgspec import Raw

from adapter.types.items import Logprob
from adapter.types.raw import ABSENT


# Those of text are decoded from arrays, many at once (`adapter.stream.alike`).
class TextDelta(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    text: str
    logprobs: tuple[Logprob, ...] = ()


class RefusalDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ReasoningDelta(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    text: str


class CallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a call.

    Attributes:
        slot: which call of the turn, counted from 0 by first sight.
        id: the upstream's id, or empty.
        name: the function's name, or empty.
        arguments: a piece of the arguments, perhaps empty.
        extra_content: what the upstream wants back with the call, or empty.
    """

    slot: int
    id: str
    name: str
    arguments: str
    extra_content: Raw = ABSENT


Delta = TextDelta | RefusalDelta | ReasoningDelta | CallDelta
