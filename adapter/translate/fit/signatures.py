"""Thought signatures of Gemini, which must come back with the first call of each turn.

They travel to the client and back as `extra_content` of the call's item. A client that loses it, or
a history of another model, gets the literal that Google documents for that.

Source: `reported.md` §3.1.
"""

from itertools import chain
from operator import attrgetter

import msgspec
from msgspec import UNSET, Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage

_calls_of = attrgetter("tool_calls")
_extra_of = attrgetter("extra_content")
_encode = msgspec.json.Encoder().encode


def fit_signatures(draft: Draft, dialect: Dialect) -> None:
    """Send `extra_content` where the upstream wants it, and nowhere else."""
    filler = dialect.signature_filler
    if filler is None:
        extras = [*map(_extra_of, chain.from_iterable(map(_calls_of, draft.messages)))]
        if extras.count(UNSET) == len(extras):
            return
    draft.messages = [
        _fit(message, filler) if message.tool_calls else message for message in draft.messages
    ]


def _fit(message: ChatMessage, filler: str | None) -> ChatMessage:
    first, *others = message.tool_calls
    if filler is None:
        calls = [msgspec.structs.replace(call, extra_content=UNSET) for call in [first, *others]]
        return msgspec.structs.replace(message, tool_calls=tuple(calls))
    if first.extra_content is UNSET:
        signature = Raw(_encode({"google": {"thought_signature": filler}}))
        first = msgspec.structs.replace(first, extra_content=signature)
    return msgspec.structs.replace(message, tool_calls=(first, *others))
