"""A refusal of an upstream, and the words in it."""

import re
from collections.abc import Callable

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.types.chat import ChatMessage, ChatRequest

# Words of a server that does not have the field at all. Otherwise only the value is remembered.
UNKNOWN_FIELD = re.compile(
    r"unsupport|not support|n't support|unknown|unrecogni[sz]ed|unexpected|not permitted|forbidden"
    r"|not allowed|no longer|does not exist|not available|not implemented|cannot find field|invalid field"
    r"|additional propert|not enabled|not accept"
)


class Refusal(msgspec.Struct, frozen=True):
    """What was refused, and how.

    Attributes:
        chat: the request.
        text: the message and the named parameter, in lower case.
    """

    chat: ChatRequest
    text: str

    def mentions(self, *words: str) -> bool:
        """Tell whether any of the words stands in the message, whole."""
        return any(
            re.search(rf"(?<![A-Za-z0-9_]){re.escape(word.lower())}(?![A-Za-z0-9_])", self.text)
            for word in words
        )

    def has_role(self, *roles: str) -> bool:
        return any(message.role in roles for message in self.chat.messages)

    def has(self, fits: Callable[[ChatMessage], bool]) -> bool:
        """Tell whether a message fits."""
        return any(map(fits, self.chat.messages))


def refusal_of(chat: ChatRequest, error: UpstreamError) -> Refusal:
    return Refusal(chat, f"{error.message} {error.param or ''}".lower())


Lesson = Callable[[Refusal, Dialect], Dialect | None]
