"""Formats of the answer that a server does not have."""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.refusal import Refusal

_NAMES = (
    "response_format",
    "json_schema",
    "json_object",
    "structured output",
    "structured outputs",
)
# A fault of the schema itself: the client has to know.
_FAULTY = re.compile(
    r"invalid (?:json )?schema|schema (?:is )?(?:invalid|not valid)|grammar error|schema error"
    r"|required to be|must be supplied|missing"
)
_FORM = re.compile(r"must be|should be|expected|supported values|one of")


def json_word(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """OpenAI: "'messages' must contain the word 'json' in some form"."""
    if "response_format" not in refusal.chat.parameters:
        return None
    if not re.search(r"word\W+json", refusal.text):
        return None
    return msgspec.structs.replace(dialect, json_word=True)


def response_format(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The form that was sent is not taken."""
    given = refusal.chat.parameters.get("response_format")
    if not isinstance(given, dict) or _FAULTY.search(refusal.text):
        return None
    if not refusal.mentions(*_NAMES) and not refusal.names("response_format"):
        return None
    form = "json_object" if given == {"type": "json_object"} else "json_schema"
    # A schema is the client's own, and may be what is wrong; an object without one is ours.
    is_clear = refusal.blame == "field" or bool(_FORM.search(refusal.text))
    if form == "json_schema" and not is_clear:
        return None
    return msgspec.structs.replace(dialect, formats=dialect.formats - {form})
