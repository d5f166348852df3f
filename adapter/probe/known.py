"""What is known of an upstream while it is probed, and questions put so that it takes them.

Every finding may change how the later questions are put: under which name the longest answer is
told, what keeps the model from thinking, what has to be left out.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.probe.reply import Question
from adapter.translate.fit import Draft
from adapter.translate.fit.body import fit_body
from adapter.translate.fit.call_ids import fit_call_ids
from adapter.types.chat import ChatMessage

# Fields that all questions carry, unless the upstream refuses them: answers that are the same each
# time, the same that the adapter sends, and the longest answer.
TEMPERATURE, STREAM_OPTIONS, LIMIT = "temperature", "stream_options", "limit"
BASICS = frozenset({TEMPERATURE, STREAM_OPTIONS, LIMIT})

# Enough to see that a model begins to answer. Some services want at least this or that much, the
# most of them being 1.
SHORT = 8


BY_PORT = "its port"  # the weakest of signs: what stands in an answer counts for more


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far.

    Attributes:
        model: that is asked.
        base: the known dialect that comes nearest.
        dialect: the base for this model, with what was found out.
        told_by: what told the base, or empty.
        max_tokens: of one answer.
        context: tokens of the model's context, if the upstream says so.
        basics: those of `BASICS` that it takes.
        calm: fields that keep it from thinking.
        accepted: fields that were in a question that it answered.
        answers: it answers plain questions.
        reasons: its model thinks before it answers.
        counts: it tells usage.
        takes_tools: it does not refuse tools.
    """

    model: str
    base: Dialect
    dialect: Dialect
    told_by: str = ""
    max_tokens: int = 256
    context: int | None = None
    basics: frozenset[str] = BASICS
    calm: dict[str, Any] = {}
    accepted: frozenset[str] = frozenset()
    answers: bool = False
    reasons: bool = False
    counts: bool = False
    takes_tools: bool = False

    def question(
        self,
        *messages: ChatMessage,
        limit: int | None = None,
        thinks: bool = False,
        without: frozenset[str] = frozenset(),
        fields: Mapping[str, Any] | None = None,
    ) -> Question:
        """Return a question.

        Args:
            messages: the conversation.
            limit: tokens of the answer; by default the most that any may have.
            thinks: it may think.
            without: basics to leave out.
            fields: of the request, in place of the usual ones.
        """
        limit = limit or self.max_tokens
        parameters: dict[str, Any] = {"stream": True}
        basics = self.basics - without
        if STREAM_OPTIONS in basics:
            parameters[STREAM_OPTIONS] = {"include_usage": True}
        if TEMPERATURE in basics:
            parameters[TEMPERATURE] = self.dialect.ranges.get(TEMPERATURE, (0, 0))[0]
        if LIMIT in basics:
            parameters[self.dialect.output_limit] = limit
        draft = Draft(
            self.model,
            list(messages),
            parameters | ({} if thinks else self.calm) | dict(fields or {}),
        )
        fit_call_ids(draft, self.dialect)
        fit_body(draft, self.dialect)
        return Question(draft.request(), limit)

    def takes(self, name: str) -> bool:
        """Tell whether nothing is known against a field."""
        only = self.dialect.only
        return name not in self.dialect.refuses and (only is None or name in only)


def start(model: str, base: Dialect, told_by: str, **more: Any) -> Known:
    """Return what is known of a model before the first question."""
    known = Known(model=model, base=base, dialect=base.for_model(model), told_by=told_by, **more)
    refused = {name for name in (TEMPERATURE, STREAM_OPTIONS) if not known.takes(name)}
    return msgspec.structs.replace(known, basics=BASICS - refused)


# How the adapter came by a fact while it ran is not one.
_NOT_FACTS = frozenset({"learned"})


def changed(before: Dialect, after: Dialect) -> dict[str, Any]:
    """Return the facts that differ, as they are after."""
    return {
        name: getattr(after, name)
        for name in Dialect.__struct_fields__
        if name not in _NOT_FACTS and getattr(before, name) != getattr(after, name)
    }


def user(content: Any) -> ChatMessage:
    return ChatMessage("user", content)


def context_of(entry: Mapping[str, Any]) -> int | None:
    """Return the tokens of a model's context, from its entry in `/v1/models`."""
    meta = entry.get("meta")
    places: list[Any] = [entry.get(name) for name in _CONTEXT_NAMES]
    if isinstance(meta, dict):
        places += [meta.get("n_ctx"), meta.get("n_ctx_train")]
    return next((each for each in places if isinstance(each, int) and each > 0), None)


# vLLM and SGLang, OpenRouter and Together, Groq, LM Studio; `meta` is llama.cpp's.
_CONTEXT_NAMES = ("max_model_len", "context_length", "context_window", "max_context_length")
