"""Where the reasoning of the model comes, how it is switched off, and where it goes back."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.dialects.base import ALL_EFFORTS, THINK_MARKS, ThinkingSwitch
from adapter.probe.check import Check, Verdict, also, fine, lesson, lost, met, refusal, unclear
from adapter.probe.checks.answer import plain
from adapter.probe.checks.tools import told_weather
from adapter.probe.known import SHORT, Known, user
from adapter.probe.reply import Question, Reply
from adapter.translate.fit import Draft
from adapter.translate.fit.effort import fit_effort, put

_FIELDS = ("reasoning", "reasoning_content", "reasoning_details")
_MARKS = (THINK_MARKS, ("<thought>", "</thought>"), ("[THINK]", "[/THINK]"))  # Gemini, Mistral
# In the order in which they are common. Source: `reported.md` §3.1.
_SWITCHES = (
    ThinkingSwitch("chat_template_kwargs.enable_thinking", on=True, off=False),
    ThinkingSwitch("thinking.type", on="enabled", off="disabled"),
    ThinkingSwitch("enable_thinking", on=True, off=False),
)
_EARLIER = ("reasoning_content", "reasoning")


def _judge_place(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    shown = "shows it as reasoning items"
    fields = [name for name in _FIELDS if any(said.get(name) for said in reply.messages())]
    if fields:
        facts = {"cumulative_details": True} if _repeats(reply, fields[0]) else {}
        word = ", said again in each delta" if facts else ""
        return also(fine(f"in {' and '.join(fields)}{word}", shown, **facts), reasons=True)
    if reply.reasoning:
        return also(fine("in parts of the content", shown, reasoning_field="parts"), reasons=True)
    for marks in dict.fromkeys([known.dialect.think_marks, *_MARKS]):
        mode = _mode_of(reply.text, marks)
        if mode:
            if known.dialect.think_tags == "anywhere":
                mode = "anywhere"
            verdict = met(
                f"in the content, between {marks[0]} and {marks[1]}",
                shown,
                think_tags=mode,
                think_marks=marks,
            )
            return also(verdict, reasons=True)
    return fine("none")


def _repeats(reply: Reply, field: str) -> bool:
    """Tell whether every piece begins with the one before it."""
    said = [message[field] for message in reply.messages() if message.get(field)]
    texts = [_text_of(piece) for piece in said]
    return len(texts) > 2 and all(
        later.startswith(earlier) and len(later) > len(earlier)
        for earlier, later in pairwise(texts)
    )


def _text_of(piece: Any) -> str:
    match piece:
        case str():
            return piece
        case [{"text": str(text)}, *_] | {"text": str(text)}:
            return text
        case _:
            return ""


def _mode_of(text: str, marks: tuple[str, str]) -> str:
    opening, closing = marks
    if text.lstrip().startswith(opening):
        return "start"
    if closing in text and opening not in text.partition(closing)[0]:
        return "opened"  # the template has opened it
    return "anywhere" if opening in text else ""


def _reasons(known: Known, reply: Reply) -> bool:
    opening, closing = known.dialect.think_marks
    return bool(reply.reasoning.strip()) or opening in reply.text or closing in reply.text


def _effort(known: Known, effort: str) -> dict[str, Any]:
    """Return the fields that ask for an effort, also where the dialect does not know of it."""
    dialect = known.dialect
    if dialect.thinking is None:
        dialect = msgspec.structs.replace(dialect, efforts=ALL_EFFORTS, effort_names={})
    draft = Draft(known.model, [], {"reasoning_effort": effort})
    fit_effort(draft, dialect)
    return draft.parameters


def _ask_none(known: Known) -> Sequence[Question]:
    (question,) = plain(known)
    message = question.chat.messages[0]
    return [known.question(message, thinks=True, fields=_effort(known, "none"))]


def _judge_none(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    efforts = _less(known.dialect, "none")
    action = "sends the nearest one that is taken"
    switch = (Check("thinking switch", _ask_switches, _judge_switches),) if known.reasons else ()
    if reply.is_refused:
        if _is_unknown(known, reply):
            efforts, action = (), "leaves the effort out"
        return also(met(refusal(reply), action, efforts=efforts), more=switch)
    if not known.reasons:
        return fine("taken, without an effect to see")
    if _reasons(known, reply):
        verdict = met("ignored: it reasons", "looks for another way", efforts=efforts)
        return also(verdict, more=switch)
    calm = _effort(known, "none")
    verdict = fine("obeyed: it does not reason", "sends " + ", ".join(calm))
    if known.dialect.thinking is None and "none" not in known.dialect.efforts:
        verdict = msgspec.structs.replace(verdict, facts={"efforts": ("none", *efforts)})
    return also(verdict, calm=calm)


def _less(dialect: Dialect, effort: str) -> tuple[str, ...]:
    return tuple(each for each in dialect.efforts if each != effort)


def _ask_switches(known: Known) -> Sequence[Question]:
    (question,) = plain(known)
    message = question.chat.messages[0]
    return [
        known.question(message, thinks=True, fields=_switched_off(switch)) for switch in _SWITCHES
    ]


def _switched_off(switch: ThinkingSwitch) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    put(fields, switch.field, switch.off)
    return fields


def _judge_switches(known: Known, replies: Sequence[Reply]) -> Verdict:
    for switch, reply in zip(_SWITCHES, replies, strict=True):
        if not reply.is_refused and not _reasons(known, reply):
            verdict = met(f"{switch.field} switches it off", "uses it", thinking=switch)
            return also(verdict, calm=_switched_off(switch))
    names = ", ".join(switch.field for switch in _SWITCHES)
    return lost(f"none of {names}", "cannot keep it from reasoning")


def _ask_low(known: Known) -> Sequence[Question]:
    return [known.question(user("Hello"), limit=SHORT, thinks=True, fields=_effort(known, "low"))]


def _judge_low(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return fine("taken")
    had_none = "none" in known.base.for_model(known.model).efforts
    takes_neither = had_none and "none" not in known.dialect.efforts
    is_out = takes_neither or _is_unknown(known, reply)
    efforts = () if is_out else _less(known.dialect, "low")
    action = "sends the nearest one that is taken" if efforts else "leaves the effort out"
    return met(refusal(reply), action, efforts=efforts)


def _is_unknown(known: Known, reply: Reply) -> bool:
    """Tell whether it is the field that is refused, not its value."""
    return "reasoning_effort" in lesson(known, reply).get("refuses", ())


def _ask_earlier(known: Known) -> Sequence[Question]:
    return [told_weather(known), *(told_weather(known, field) for field in _EARLIER)]


def _judge_earlier(known: Known, replies: Sequence[Reply]) -> Verdict:
    """A prompt that grows with the reasoning holds it."""
    without, *others = replies
    if without.is_refused or without.usage is None:
        return unclear("cannot be seen without tool results")
    read = [
        field
        for field, reply in zip(_EARLIER, others, strict=True)
        if reply.usage is not None and reply.usage.input_tokens > without.usage.input_tokens
    ]
    refused = [field for field, reply in zip(_EARLIER, others, strict=True) if reply.is_refused]
    if not read:
        if known.dialect.reasoning_field in refused:
            return met(f"{' and '.join(refused)} refused", "sends none", reasoning_field="none")
        return lost("left out of the prompt", "sends it, where it does no harm")
    own = known.dialect.reasoning_field
    field = own if own in read else read[0]
    return fine(f"read in {' and '.join(read)}", f"sends {field}", reasoning_field=field)


PLACE = Check("reasoning", plain, _judge_place)
EFFORT_NONE = Check("effort none", _ask_none, _judge_none)
EFFORT_LOW = Check("effort low", _ask_low, _judge_low)
EARLIER = Check(
    "earlier reasoning", _ask_earlier, _judge_earlier, ("reasons", "counts", "takes_tools")
)
