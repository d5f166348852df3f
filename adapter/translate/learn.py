"""Learning from a refusal: an upstream's 400 or 422 to a dialect that will not meet it again.

What is learned is a fact like those that are known beforehand, so the request is simply translated
anew. A field that is named by the refusal is left out; what is no field (roles, forms of
`tool_choice`, formats, schema keywords, …) has a row in the table. A refusal that names nothing
that we sent of our own choice teaches nothing, and goes to the client.

Source: `reported.md` §3.3; texts of refusals of vLLM, SGLang, llama.cpp, transformers, OpenAI, Groq,
Mistral, Gemini, DeepSeek, Kimi and MiniMax.
"""

import re
from collections.abc import Callable

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.translate.fit.fields import encode_value
from adapter.types.chat import ChatRequest

LEARNABLE_STATUSES = frozenset({400, 415, 422})

# Fields without which there is no request, or whose loss would change what was asked for.
_NEEDED = frozenset({"model", "messages", "stream", "tools", "n"})

# Words of a server that does not have the field at all. Otherwise only the value is remembered.
_UNKNOWN_FIELD = re.compile(
    r"unsupport|not support|n't support|unknown|unrecogni[sz]ed|unexpected|not permitted|forbidden"
    r"|not allowed|no longer|does not exist|not available|not implemented|cannot find field|invalid field"
    r"|additional propert|not enabled|not accept"
)
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


def _refusal(chat: ChatRequest, error: UpstreamError) -> Refusal:
    return Refusal(chat, f"{error.message} {error.param or ''}".lower())


Lesson = Callable[[Refusal, Dialect], Dialect | None]


def learn(dialect: Dialect, chat: ChatRequest, error: UpstreamError) -> Dialect | None:
    """Return a dialect that avoids the refusal, or None if it teaches nothing.

    Args:
        dialect: by which the request was made.
        chat: the request.
        error: the refusal.
    """
    if error.status not in LEARNABLE_STATUSES or error.code == "context_length_exceeded":
        return None
    refusal = _refusal(chat, error)
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


def _developer_role(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not (refusal.has_role("developer") and refusal.mentions("developer", "role", "roles")):
        return None
    return msgspec.structs.replace(dialect, system_role="system")


def _late_system(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("system"):
        return None
    late = any(message.role == "system" for message in refusal.chat.messages[1:])
    return msgspec.structs.replace(dialect, late_system="user") if late else None


def _alternation(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("alternate", "alternating", "consecutive"):
        return None
    return msgspec.structs.replace(dialect, merge_same_role=True)


def _output_limit(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The two names of the output limit: a server that refuses one has the other."""
    name = dialect.output_limit
    if name not in refusal.chat.parameters or not refusal.mentions(name):
        return None
    if not _UNKNOWN_FIELD.search(refusal.text):
        return None
    other = "max_tokens" if name == "max_completion_tokens" else "max_completion_tokens"
    return msgspec.structs.replace(dialect, output_limit=other)


def _tool_choice(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    choice = refusal.chat.parameters.get("tool_choice")
    if choice is None or not refusal.mentions("tool_choice", "tool choice"):
        return None
    form = "named" if isinstance(choice, dict) else choice
    return msgspec.structs.replace(dialect, tool_choices=dialect.tool_choices - {form})


def _response_format(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    given = refusal.chat.parameters.get("response_format")
    if not isinstance(given, dict) or not refusal.mentions(
        "response_format", "json_schema", "json_object", "structured output", "structured outputs"
    ):
        return None
    if not _UNKNOWN_FIELD.search(refusal.text) and not refusal.mentions("unavailable", "must be"):
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
    return bool(_UNKNOWN_FIELD.search(refusal.text)) and refusal.mentions(
        "schema", "parameters", "keyword", "keywords", "properties"
    )


def _reasoning_replay(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("reasoning_content", "reasoning"):
        return None
    if not refusal.has_role("assistant"):
        return None
    sent = any(message.reasoning or message.reasoning_content for message in refusal.chat.messages)
    if _UNKNOWN_FIELD.search(refusal.text):
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
    if _UNKNOWN_FIELD.search(refusal.text):
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
    _developer_role,
    _output_limit,
    _strict_tools,
    _response_format,
    _tool_choice,
    _reasoning_replay,
    _schema_keyword,
    _fields,
    _late_system,
    _alternation,
    _call_ids,
    _object_arguments,
    _image_urls,
)
