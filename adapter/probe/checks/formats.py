"""Whether it sees to it that an answer is JSON, and that it fits a schema.

The questions do not ask for JSON, and the schema allows one city that nobody would think of: what
fits was forced.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from adapter.dialects.base import FormatForm
from adapter.probe.check import (
    Check,
    Verdict,
    also,
    fine,
    lesson,
    met,
    quote,
    refusal,
    unclear,
)
from adapter.probe.known import Known, user
from adapter.probe.reply import Question, Reply
from adapter.translate.fit import Draft
from adapter.translate.fit.formats import fit_format

_FITTING = {"city": "Atlantis"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Atlantis"]}},
    "required": ["city"],
}
_FORMATS: dict[FormatForm, dict[str, Any]] = {
    "json_object": {"type": "json_object"},
    "json_schema": {"type": "json_schema", "json_schema": {"name": "place", "schema": _SCHEMA}},
}


def _question(known: Known, form: FormatForm, text: str = "Hello") -> Question:
    """Ask for a format, in the shape that the dialect has for it."""
    dialect = msgspec.structs.replace(known.dialect, formats=frozenset(_FORMATS), json_word=False)
    draft = Draft(known.model, [], {"response_format": _FORMATS[form]})
    fit_format(draft, dialect)
    return known.question(user(text), fields=draft.parameters)


def _ask_object(known: Known) -> Sequence[Question]:
    word = " Answer in JSON." if known.dialect.json_word else ""
    return [_question(known, "json_object", f"Hello{word}")]


def _judge_object(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if reply.is_refused and "json_word" in (facts := lesson(known, reply)):
        verdict = met(refusal(reply), "adds the word to the instructions", **facts)
        return also(verdict, more=(OBJECT,))
    verdict = _judge(known, reply, "json_object", "asks for JSON in words")
    if reply.is_refused or verdict.grade != "unclear":
        return verdict
    # What a grammar begins may have no end for a model that was not made for it.
    is_begun = reply.text.lstrip().startswith("{")
    return (
        _obeyed(known, "json_object", ", though it did not come to an end") if is_begun else verdict
    )


def _ask_schema(known: Known) -> Sequence[Question]:
    return [_question(known, "json_schema")]


def _judge_schema(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    other = "json_object and the " if "json_object" in known.dialect.formats else "the "
    action = f"asks with {other}schema in words, checks the answer, and asks again once"
    return _judge(known, reply, "json_schema", action)


def _judge(known: Known, reply: Reply, form: FormatForm, action: str) -> Verdict:
    facts = {"formats": known.dialect.formats - {form}}
    if reply.is_refused:
        return met(refusal(reply), action, **facts)
    said = _read(reply.text)
    if isinstance(said, dict) and (form == "json_object" or said == _FITTING):
        return _obeyed(known, form)
    if form == "json_schema" and _begins_to_fit(reply.text):
        return _obeyed(known, form, ", though it did not come to an end")
    begins_otherwise = bool(reply.text.strip()) and not reply.text.lstrip().startswith("{")
    if reply.is_short_of_tokens and not begins_otherwise:
        return unclear("no whole answer within the tokens allowed")
    return met(f"ignored: {quote(reply.text)}", action, **facts)


def _obeyed(known: Known, form: FormatForm, but: str = "") -> Verdict:
    return fine(f"obeyed{but}", formats=known.dialect.formats | {form})


def _begins_to_fit(text: str) -> bool:
    """Tell whether what is missing is the closing brace: blanks before it may never end."""
    return bool(_read(f"{text}}}") == _FITTING)


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


OBJECT = Check("json_object", _ask_object, _judge_object)
SCHEMA = Check("json_schema", _ask_schema, _judge_schema)
