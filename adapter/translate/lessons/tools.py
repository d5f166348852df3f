"""What a server refuses about tools: how they are chosen, how they are described, what was called.

Source: `reported.md` §3.3; OpenAI's "Invalid schema for function", Gemini's "Unknown name", Kimi's
"moonshot flavored json schema", Mistral's "Tool call id was …", Llama's template "This model only
supports single tool-calls at once!".
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.fit.fields import encode_value
from adapter.translate.refusal import UNKNOWN_FIELD, Lesson, Refusal

# Those that say what a document looks like, where it may look so without them too.
_KEYWORDS = (
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "dependentRequired",
    "minProperties",
    "maxProperties",
    "prefixItems",
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "definitions",
    "oneOf",
    "anyOf",
    "allOf",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
    "format",
    "default",
    "examples",
    "title",
    "const",
    "not",
)
_CALL_ID_CHARS = 24  # where only the characters were wrong
_MAX_CALL_ID_CHARS = 64  # of what an id is hashed to
_LENGTH = re.compile(
    r"(?:length (?:of |must be |is )?|exactly |maximum length |max_length )(?:exactly )?(\d+)"
    r"|(\d+)[- ](?:\w+ )?char|\{(?:\d+,)?(\d+)\}"
)
_CALL_ID = re.compile(r"tool[_ ]?call[_ ]?ids?\b|tool_calls?\W.{0,20}\bid\b|tool_use\.id|call id")
_SINGLE = re.compile(
    r"(?:single|one|multiple|parallel) (?:tool|function)[- ]?call|(?:tool|function)[- ]?calls? at once"
)


def tool_choice(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The form of `tool_choice` that was sent; we checked it, so it is not the client's fault."""
    choice = refusal.chat.parameters.get("tool_choice")
    if choice is None or not refusal.names("tool_choice"):
        return None
    form = "named" if isinstance(choice, dict) else choice
    return msgspec.structs.replace(dialect, tool_choices=dialect.tool_choices - {form})


def schema_keyword(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    parameters = refusal.chat.parameters
    sent = encode_value([parameters.get(name) for name in ("tools", "response_format")])
    named = {
        keyword
        for keyword in _KEYWORDS
        if f'"{keyword}":' in sent and _is_named(refusal, keyword) and _is_refused(refusal, keyword)
    }
    if not named:
        return None
    return msgspec.structs.replace(dialect, schema_refuses=dialect.schema_refuses | named)


def _is_named(refusal: Refusal, keyword: str) -> bool:
    """Tell whether a keyword is named, in its own spelling or in Gemini's (`any_of`)."""
    return refusal.mentions(keyword, re.sub(r"(?<=[a-z])([A-Z])", r"_\1", keyword))


def _is_refused(refusal: Refusal, keyword: str) -> bool:
    """Tell whether a keyword is what is wrong, not what is missing; plain words need more signs."""
    if re.search(r"required to be|must be supplied|missing", refusal.text):
        return False
    if keyword.startswith("$") or not keyword.islower():
        return True
    return bool(UNKNOWN_FIELD.search(refusal.text)) and refusal.mentions(
        "schema", "parameters", "keyword", "keywords", "properties"
    )


def _parallel_calls(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not _SINGLE.search(refusal.text):
        return None
    if refusal.has(lambda message: len(message.tool_calls) > 1):
        return msgspec.structs.replace(dialect, parallel_calls=False)
    given = refusal.chat.parameters.get("parallel_tool_calls")
    if given is None:
        return None
    value = ("parallel_tool_calls", encode_value(given))
    return msgspec.structs.replace(dialect, refused_values=dialect.refused_values | {value})


def _call_ids(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.has_role("tool") or not _CALL_ID.search(refusal.text):
        return None
    if length := _LENGTH.search(refusal.text):
        longest = int(length[length.lastindex or 0])
        return msgspec.structs.replace(dialect, call_id_length=min(longest, _MAX_CALL_ID_CHARS))
    if not re.search(r"pattern|match|character|alphanumeric|a-z", refusal.text):
        return None
    return msgspec.structs.replace(dialect, call_id_length=_CALL_ID_CHARS)


def _object_arguments(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.has_role("tool"):
        return None
    # "Can only get item pairs from a mapping.": a template's loop over the arguments
    if "item pairs from a mapping" not in refusal.text and not (
        refusal.mentions("arguments") and re.search(r"object|dict|\bmap|struct", refusal.text)
    ):
        return None
    return msgspec.structs.replace(dialect, object_arguments=True)


TOOL_LESSONS: tuple[Lesson, ...] = (_parallel_calls, _call_ids, _object_arguments)
