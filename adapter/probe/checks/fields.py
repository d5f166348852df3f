"""Which optional fields it takes, and whether it tells usage and log probabilities."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from adapter.dialects import Dialect
from adapter.probe.check import Check, Verdict, also, fine, lesson, lost, met, refusal
from adapter.probe.checks.tools import TOOLS
from adapter.probe.known import SHORT, STREAM_OPTIONS, Known, user
from adapter.probe.reply import Question, Reply
from adapter.translate.refusal import refusal_of

# Values that change next to nothing.
_SAMPLING: dict[str, Any] = {
    "top_p": 0.9,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "seed": 7,
    "stop": ["\n\n\n\n"],
}
_UNKNOWN = "x_adapter_probe"
_LOGPROBS = frozenset({"logprobs", "top_logprobs"})


def _ask_usage(known: Known) -> Sequence[Question]:
    fields = {STREAM_OPTIONS: {"include_usage": True}}
    return [known.question(user("Hello"), limit=SHORT, fields=fields)]


def _judge_usage(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if reply.is_refused:
        refuses = known.dialect.refuses | {STREAM_OPTIONS}
        verdict = met(refusal(reply), "does not ask for usage", refuses=refuses)
        return also(verdict, basics=known.basics - {STREAM_OPTIONS})
    basics = known.basics | {STREAM_OPTIONS}
    if reply.usage is None:
        return also(lost("never told", "tells none either"), basics=basics)
    return also(fine(_place_of_usage(reply)), counts=True, basics=basics)


def _place_of_usage(reply: Reply) -> str:
    chunks = [chunk for chunk in reply.chunks if isinstance(chunk, dict)]
    telling = [chunk for chunk in chunks if chunk.get("usage")]
    if not reply.is_stream:
        return "told in the answer"
    if len(telling) > 1:
        return f"told in {len(telling)} chunks"
    if telling and not telling[0].get("choices"):
        return "told in a last chunk of its own"
    return "told in the chunk that finishes" if telling else "told in a place of its own"


def _ask_sampling(known: Known, names: Sequence[str] = tuple(_SAMPLING)) -> Sequence[Question]:
    fields = _named_by(known.dialect, names)
    return [known.question(user("Hello"), limit=SHORT, fields=fields)] if fields else []


def _named_by(dialect: Dialect, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields under the names that the dialect has, without those it refuses anyway."""
    sent = {dialect.renames.get(name, name): _SAMPLING[name] for name in names}
    refused = {name for name, _ in dialect.refused_values} | dialect.refuses
    only = dialect.only
    return {
        name: value
        for name, value in sent.items()
        if name not in refused and (only is None or name in only)
    }


def _judge_sampling(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    sent = [name for name in reply.question.chat.parameters if name in _names(known)]
    if not reply.is_refused:
        return fine("takes " + ", ".join(sent))
    if facts := lesson(known, reply):
        # It names some of them: what of the others?
        verdict = met(refusal(reply), "leaves out what is refused, and says so", **facts)
        return also(verdict, more=(SAMPLING,))
    verdict = met(refusal(reply), "asks for one after the other")
    return also(verdict, more=tuple(map(_field, _SAMPLING)))


def _names(known: Known) -> set[str]:
    return {known.dialect.renames.get(name, name) for name in _SAMPLING}


def _field(name: str) -> Check:
    """Return the check of a single field."""

    def judge(known: Known, replies: Sequence[Reply]) -> Verdict:
        (reply,) = replies
        if not reply.is_refused:
            return fine("taken")
        refuses = known.dialect.refuses | {known.dialect.renames.get(name, name)}
        return met(refusal(reply), "leaves it out, and says so", refuses=refuses)

    return Check(name, partial(_ask_sampling, names=(name,)), judge)


def _ask_unknown(known: Known) -> Sequence[Question]:
    return [known.question(user("Hello"), limit=SHORT, fields={_UNKNOWN: True})]


def _judge_unknown(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return fine("ignored")
    assert reply.error is not None  # it is refused
    if known.dialect.only is not None:
        return met(refusal(reply), "sends only the fields that it has")
    if refusal_of(reply.question.chat, reply.error).mentions(_UNKNOWN):
        return met(refusal(reply), "leaves a field out once it was refused, and says so")
    return met(refusal(reply), "sends only the fields that it took here", only=known.accepted)


def _ask_logprobs(known: Known) -> Sequence[Question]:
    return [
        known.question(user("Hello"), limit=SHORT, fields={"logprobs": True, "top_logprobs": 1})
    ]


def _judge_logprobs(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    left_out = "leaves them out, and says so"
    refuses = known.dialect.refuses | _LOGPROBS
    if reply.is_refused:
        return met(refusal(reply), left_out, refuses=refuses)
    told = [choice["logprobs"] for choice in reply.choices() if choice.get("logprobs")]
    if not told:
        return met("ignored", left_out, refuses=refuses)
    return fine("told", refuses=known.dialect.refuses - _LOGPROBS)


def _ask_logprobs_with_tools(known: Known) -> Sequence[Question]:
    if known.dialect.refuses & _LOGPROBS:
        return []
    return [known.question(user("Hello"), limit=SHORT, fields={"logprobs": True, "tools": TOOLS})]


def _judge_logprobs_with_tools(known: Known, replies: Sequence[Reply]) -> Verdict:
    """Not for good: without tools they are taken."""
    (reply,) = replies
    if not reply.is_refused:
        return fine("taken")
    if lesson(known, reply):
        return met(refusal(reply), "asks again without them, and says so")
    return lost(refusal(reply), "hands the refusal to the client")


USAGE = Check("usage", _ask_usage, _judge_usage)
SAMPLING = Check("sampling fields", _ask_sampling, _judge_sampling)
UNKNOWN = Check("unknown fields", _ask_unknown, _judge_unknown)
LOGPROBS = (
    Check("logprobs", _ask_logprobs, _judge_logprobs),
    Check(
        "logprobs with tools",
        _ask_logprobs_with_tools,
        _judge_logprobs_with_tools,
        ("takes_tools",),
    ),
)
