"""Learning from a refusal: an upstream's 400 or 422 to a dialect that will not meet it again.

What is learned is a fact like those that are known beforehand, so the request is simply translated
anew. The lessons are a table (`adapter.translate.lessons`). A refusal that names nothing that we
sent of our own choice, or finds fault with a value of the client's, teaches nothing: the client has
to know.

Source: `reported.md` §3.3; texts of refusals of vLLM, SGLang, llama.cpp, transformers, OpenAI, Groq,
Mistral, Gemini, DeepSeek, Kimi and MiniMax.
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.translate.lessons import LESSONS
from adapter.translate.lessons.messages import model_alias
from adapter.translate.refusal import refusal_of
from adapter.types.chat import ChatRequest

LEARNABLE_STATUSES = frozenset({400, 415, 422})

# Causes that are known by name, and lie in what was asked.
_NO_LESSONS = frozenset({"context_length_exceeded", "insufficient_quota", "invalid_prompt"})
_NO_MODEL = "model_not_found"
# Not a refusal of one thing, but of a combination, of one schema, or of what the model said.
_PASSING = re.compile(
    r"with tools|in combination|features? not supported|failed to (?:call|generate)"
    r"|did not call|model called|grammar"
)


def learn(dialect: Dialect, chat: ChatRequest, error: UpstreamError) -> Dialect | None:
    """Return a dialect that avoids the refusal, or None if it teaches nothing.

    Args:
        dialect: by which the request was made.
        chat: the request.
        error: the refusal.
    """
    lessons = LESSONS
    if error.code == _NO_MODEL:
        lessons = (model_alias,)
    elif error.status not in LEARNABLE_STATUSES or error.code in _NO_LESSONS:
        return None
    refusal = refusal_of(chat, error)
    for lesson in lessons:
        learned = lesson(refusal, dialect)
        if learned is not None and learned != dialect:
            return _marked(learned, dialect)
    return None


def is_lasting(error: UpstreamError) -> bool:
    """Tell whether a refusal will be the same for other requests.

    One of a combination is not: llama.cpp takes `logprobs`, but not "with tools + stream".
    """
    return not _PASSING.search(error.message.lower())


def _marked(learned: Dialect, before: Dialect) -> Dialect:
    changed = {
        fact
        for fact in Dialect.__struct_fields__
        if getattr(learned, fact) != getattr(before, fact)
    }
    return msgspec.structs.replace(learned, learned=before.learned | changed)
