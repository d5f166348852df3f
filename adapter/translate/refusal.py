"""A refusal of an upstream, and the words in it."""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.types.chat import ChatMessage, ChatRequest

# Words of a server that does not have what is named, whatever its value.
UNKNOWN_FIELD = re.compile(
    r"unsupported|not (?:be )?support|n't (?:be )?support|unknown|unrecogni[sz]ed|not recogni[sz]ed"
    r"|unexpected|not permitted|forbidden|not allowed|disallowed|prohibited|no longer|deprecated"
    r"|does not exist|not available|unavailable|not implemented|not enabled|disabled|not accept"
    r"|cannot find field|not known|not (?:a )?valid|incompatible|not compatible|refused|rejected"
    r"|(?:invalid|illegal|bad|extra|additional) (?:request )?(?:field|param|arg|key|name|propert|input)"
    r"|(?:field|param\w*|arg\w*|propert\w*) \S+ is (?:invalid|illegal)|can only be used"
    r"|(?:cannot|can't|can not|must not|should not|may not) (?:be )?(?:use|set|specif|combin|pass|provid)"
    r"|only supports?\b|only .{1,60} (?:is|are) (?:supported|allowed|permitted|accepted)"
    r"|must not (?:be|contain|have|include)|should not (?:be|contain|have|include)"
    r"|please remove|omit(?:ted)?\b|不支持|不允许|未知|非法|无法识别"
)
# Words about a value that another value would not draw: the client has to know.
_OTHER_VALUE = re.compile(
    r"negative|positive|at (?:least|most)|too (?:long|large|small|many|few|big|high|low|short)"
    r"|out of (?:range|bounds)|\brange\b|between|greater|less than|larger|exceed|maximum|minimum"
    r"|(?:be|expected|expects) an? (?!supported)|invalid type|[<>]=?\s*-?\d+(?:\.\d+)?\b(?!>)"
    r"|valid (?:integer|number|string|boolean|bool|list|dictionary|array|object|float)"
)

Blame = Literal["field", "value", "unclear"]


class Refusal(msgspec.Struct, frozen=True):
    """What was refused, and how.

    Attributes:
        chat: the request.
        text: the message and the named parameter, in lower case.
        param: the named parameter, in lower case; empty if there is none.
    """

    chat: ChatRequest
    text: str
    param: str = ""

    @property
    def blame(self) -> Blame:
        """What the words find fault with: that a field is there, its value, or they do not say."""
        if _OTHER_VALUE.search(self.text):
            return "value"
        return "field" if UNKNOWN_FIELD.search(self.text) else "unclear"

    def mentions(self, *words: str) -> bool:
        """Tell whether any of the words stands in the message, whole."""
        return any(
            re.search(rf"(?<![A-Za-z0-9_]){re.escape(word.lower())}(?![A-Za-z0-9_])", self.text)
            for word in words
        )

    def names(self, field: str) -> bool:
        """Tell whether a field is named: no blank, hyphen or underscore is like the other."""
        spelled = re.escape(field.lower()).replace("_", "[_ -]?")
        return bool(re.search(rf"(?<![a-z0-9_]){spelled}(?![a-z0-9_])", self.text))

    def points_at(self, field: str) -> bool:
        """Tell whether a field is named as one: in quotes, by a path, or as the parameter."""
        name = re.escape(field.lower())
        return bool(
            re.fullmatch(rf"(?:.*[.\[])?{name}", self.param)
            or re.search(rf"[\"'`{{]{name}[\"'`}}]|[.]{name}\b|\b{name}[:=]", self.text)
            or re.search(rf"(?:param\w*|argument\w*|field|key|propert\w+)\W+{name}\b", self.text)
        )

    def has_role(self, *roles: str) -> bool:
        return any(message.role in roles for message in self.chat.messages)

    def has(self, fits: Callable[[ChatMessage], bool]) -> bool:
        """Tell whether a message fits."""
        return any(map(fits, self.chat.messages))


def refusal_of(chat: ChatRequest, error: UpstreamError) -> Refusal:
    param = (error.param or "").lower()
    return Refusal(chat, f"{error.message.lower()} {param}".rstrip(), param)


Lesson = Callable[[Refusal, Dialect], Dialect | None]
