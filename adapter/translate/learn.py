"""Learning from a refusal: an upstream's 400 or 422 to a dialect that will not meet it again.

What is learned is a fact like those that are known beforehand, so the request is simply translated
anew. A field that is named by the refusal is left out; what is no field (roles, forms of
`tool_choice`, formats, schema keywords, …) has a row in the table. A refusal that names nothing
that we sent of our own choice teaches nothing, and goes to the client.

Source: `reported.md` §3.3; texts of refusals of vLLM, SGLang, llama.cpp, transformers, OpenAI, Groq,
Mistral, Gemini, DeepSeek, Kimi and MiniMax.
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.translate.fit.fields import encode_value
from adapter.translate.message_lessons import MESSAGE_LESSONS, developer_role
from adapter.translate.refusal import UNKNOWN_FIELD, Lesson, Refusal, refusal_of
from adapter.types.chat import ChatRequest

LEARNABLE_STATUSES = frozenset({400, 415, 422})

# Fields without which there is no request, or whose loss would change what was asked for.
_NEEDED = frozenset({"model", "messages", "stream", "tools", "n"})

_KEYWORDS = (
    "additionalProperties",
    "patternProperties",
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "oneOf",
    "anyOf",
    "allOf",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
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


def learn(dialect: Dialect, chat: ChatRequest, error: UpstreamError) -> Dialect | None:
    """Return a dialect that avoids the refusal, or None if it teaches nothing.

    Args:
        dialect: by which the request was made.
        chat: the request.
        error: the refusal.
    """
    if error.status not in LEARNABLE_STATUSES or error.code == "context_length_exceeded":
        return None
    refusal = refusal_of(chat, error)
    for lesson in _LESSONS:
        learned = lesson(refusal, dialect)
        if learned is not None and learned != dialect:
            return learned
    return None


def is_lasting(error: UpstreamError) -> bool:
    """Tell whether a refusal will be the same for other requests.

    One of a combination is not: llama.cpp takes `logprobs`, but not "with tools + stream".
    """
    return "with tools" not in error.message.lower()


def _output_limit(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The two names of the output limit: a server that refuses one has the other."""
    name = dialect.output_limit
    if name not in refusal.chat.parameters or not refusal.mentions(name):
        return None
    if not UNKNOWN_FIELD.search(refusal.text):
        return None
    other = "max_tokens" if name == "max_completion_tokens" else "max_completion_tokens"
    return msgspec.structs.replace(dialect, output_limit=other)


def _tool_choice(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    choice = refusal.chat.parameters.get("tool_choice")
    if choice is None or not refusal.mentions("tool_choice", "tool choice"):
        return None
    form = "named" if isinstance(choice, dict) else choice
    return msgspec.structs.replace(dialect, tool_choices=dialect.tool_choices - {form})


def _json_word(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """OpenAI: "'messages' must contain the word 'json' in some form"."""
    if "response_format" not in refusal.chat.parameters or "word 'json'" not in refusal.text:
        return None
    return msgspec.structs.replace(dialect, json_word=True)


def _response_format(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    given = refusal.chat.parameters.get("response_format")
    if not isinstance(given, dict) or not refusal.mentions(
        "response_format", "json_schema", "json_object", "structured output", "structured outputs"
    ):
        return None
    if not UNKNOWN_FIELD.search(refusal.text) and not refusal.mentions("unavailable", "must be"):
        return None  # a fault of the schema itself: the client has to know
    form = "json_object" if given == {"type": "json_object"} else "json_schema"
    return msgspec.structs.replace(dialect, formats=dialect.formats - {form})


def _strict_tools(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if "tools" not in refusal.chat.parameters or not refusal.mentions("strict"):
        return None
    return msgspec.structs.replace(dialect, strict_tools=False)


def _schema_keyword(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not {"tools", "response_format"} & refusal.chat.parameters.keys():
        return None
    sent = encode_value(
        [refusal.chat.parameters.get(name) for name in ("tools", "response_format")]
    )
    named = {
        keyword
        for keyword in _KEYWORDS
        if f'"{keyword}"' in sent and refusal.mentions(keyword) and _is_refused(refusal, keyword)
    }
    if not named:
        return None
    return msgspec.structs.replace(dialect, schema_refuses=dialect.schema_refuses | named)


def _is_refused(refusal: Refusal, keyword: str) -> bool:
    """Plain English words count only beside words of refusal and of schemas."""
    if keyword.startswith("$") or not keyword.islower():
        return True
    return bool(UNKNOWN_FIELD.search(refusal.text)) and refusal.mentions(
        "schema", "parameters", "keyword", "keywords", "properties"
    )


def _reasoning_replay(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("reasoning_content", "reasoning"):
        return None
    if not refusal.has_role("assistant"):
        return None
    sent = any(message.reasoning or message.reasoning_content for message in refusal.chat.messages)
    if UNKNOWN_FIELD.search(refusal.text):
        return msgspec.structs.replace(dialect, reasoning_field="none") if sent else None
    if re.search(r"must|missing|required|need", refusal.text):
        filler = dialect.reasoning_filler if dialect.reasoning_replay != "always" else " "
        return msgspec.structs.replace(dialect, reasoning_replay="always", reasoning_filler=filler)
    return None


def _call_ids(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("tool_call_id", "tool call id", "tool_call_ids", "id"):
        return None
    length = re.search(r"length (?:of |must be )?(?:exactly )?(\d+)", refusal.text)
    if length is None or not refusal.has_role("tool"):
        return None
    return msgspec.structs.replace(dialect, call_id_length=int(length[1]))


def _object_arguments(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.has_role("tool") or not refusal.mentions("arguments"):
        return None
    if not re.search(r"(object|dict|map|struct)", refusal.text):
        return None
    return msgspec.structs.replace(dialect, object_arguments=True)


def _image_urls(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("image", "image_url", "images", "url"):
        return None
    if not re.search(r"base64|data url|data uri|data:", refusal.text):
        return None
    return msgspec.structs.replace(dialect, image_urls="data")


def _fields(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Leave out the optional fields that are named: for good, or this value of them."""
    named = [
        name
        for name in refusal.chat.parameters
        if name not in _NEEDED and refusal.mentions(name, *_SPELLINGS.get(name, ()))
    ]
    if not named:
        return None
    if UNKNOWN_FIELD.search(refusal.text):
        return msgspec.structs.replace(dialect, refuses=dialect.refuses | set(named))
    values = {(name, encode_value(refusal.chat.parameters[name])) for name in named}
    return msgspec.structs.replace(dialect, refused_values=dialect.refused_values | values)


_SPELLINGS = {
    "top_logprobs": ("logprobs",),
    "stream_options": ("include_usage",),
    "chat_template_kwargs": ("enable_thinking",),
}

# The first that has something to say counts.
_LESSONS: tuple[Lesson, ...] = (
    developer_role,
    _output_limit,
    _strict_tools,
    _json_word,
    _response_format,
    _tool_choice,
    _reasoning_replay,
    _schema_keyword,
    _fields,
    *MESSAGE_LESSONS,
    _call_ids,
    _object_arguments,
    _image_urls,
)
