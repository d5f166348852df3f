"""Whether it answers, who it is, and how its answers begin and end."""

from collections.abc import Sequence

import msgspec

from adapter.dialects import find_dialect
from adapter.probe.check import (
    Check,
    Verdict,
    also,
    fine,
    lost,
    met,
    quote,
    refusal,
    unclear,
)
from adapter.probe.known import (
    BASICS,
    BY_PORT,
    LIMIT,
    SHORT,
    STREAM_OPTIONS,
    TEMPERATURE,
    Known,
    user,
)
from adapter.probe.reply import Question, Reply

# Long enough to measure, short enough to cost nothing, and known to the smallest model.
_PLAIN = "Count to 12."


def plain(known: Known) -> Sequence[Question]:
    """Ask something that takes a few dozen tokens, with thinking if it thinks."""
    return [known.question(user(_PLAIN), thinks=True)]


def hello(known: Known) -> Question:
    """Ask for a few tokens, to compare with."""
    return known.question(user("Hello"), limit=SHORT)


def _bare(known: Known) -> Sequence[Question]:
    return [known.question(user(_PLAIN), thinks=True, without=BASICS)]


def _judge_answer(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return _describe(reply)
    verdict = met(refusal(reply), "asks again with fewer fields")
    return also(verdict, more=(Check("bare answer", _bare, _judge_bare),))


def _judge_bare(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if reply.is_refused:
        return lost(refusal(reply), "can do nothing without an answer")
    return also(_describe(reply), basics=frozenset())


def _describe(reply: Reply) -> Verdict:
    if not reply.deltas:
        return also(lost("an empty answer", "answers with no output"), answers=True)
    said = quote(reply.text.strip() or reply.reasoning.strip())
    if reply.is_stream:
        return also(fine(f"streams, {reply.deltas} deltas: {said}"), answers=True)
    verdict = met(f"one JSON document in place of a stream: {said}", "reads it as one delta")
    return also(verdict, answers=True)


def _judge_server(known: Known, replies: Sequence[Reply]) -> Verdict:
    """Tell from the answer, if nothing before did."""
    if known.told_by and known.told_by != BY_PORT:
        return fine(f"{known.base.name}, told by {known.told_by}", "starts from that dialect")
    (reply,) = replies
    for chunk in reply.chunks or (None,):
        base = find_dialect(headers=reply.headers, chunk=chunk)
        if base is not None:
            verdict = fine(f"{base.name}, told by its answer", "starts from that dialect")
            dialect = base.for_model(known.model)
            return also(verdict, base=base, dialect=dialect, told_by="its answer")
    if known.told_by:
        return fine(f"{known.base.name}, told by {known.told_by}", "starts from that dialect")
    return unclear("none that is known here", "starts from the common ground of all servers")


def _judge_end(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if reply.was_cut:
        return unclear(f"still going after {reply.deltas} deltas")
    if not reply.is_stream:
        return fine(f"finish_reason {reply.finish_reason}, no stream")
    match reply.finish_reason, reply.is_done:
        case None, True:
            return met("[DONE], but no finish_reason", "judges the end by what came")
        case None, False:
            return lost(
                "neither finish_reason nor [DONE]", "takes every answer for one that broke off"
            )
        case reason, True:
            return fine(f"finish_reason {reason}, then [DONE]")
        case reason, _:
            return met(f"finish_reason {reason}, no [DONE]", "does not wait for it")


def _judge_speed(known: Known, replies: Sequence[Reply]) -> Verdict:
    """Tell the rate from the first delta on; a guess where usage is not told."""
    (reply,) = replies
    first = f"first delta after {reply.first_seconds * 1000:.0f} ms"
    spent = reply.last_seconds - reply.first_seconds
    if reply.deltas < 2 or spent <= 0:
        return fine(f"{first}, and all at once")
    about = "" if reply.usage is not None else "about "
    return fine(f"{first}, then {about}{reply.tokens / spent:.0f} tokens/s")


def _whole(known: Known) -> Sequence[Question]:
    without = frozenset({STREAM_OPTIONS})
    return [known.question(user("Hello"), limit=SHORT, without=without, fields={"stream": False})]


def _judge_whole(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    always = "always asks for a stream, and collects it"
    if reply.is_refused:
        return met(refusal(reply), always)
    if reply.is_stream:
        return met("streams all the same", always)
    return fine("one JSON document", always)


def _temperature(known: Known) -> Sequence[Question]:
    if TEMPERATURE in known.basics or not known.takes(TEMPERATURE):
        return []
    return [known.question(user("Hello"), limit=SHORT, fields={TEMPERATURE: 0})]


def _judge_temperature(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return also(fine("taken"), basics=known.basics | {TEMPERATURE})
    refuses = known.dialect.refuses | {TEMPERATURE}
    return met(refusal(reply), "leaves it out, and says so", refuses=refuses)


def _limits(known: Known) -> Sequence[Question]:
    without = frozenset({LIMIT})
    return [
        known.question(user("Tell me a story."), limit=SHORT, without=without, fields={name: SHORT})
        for name in _LIMIT_NAMES
    ]


def _judge_limits(known: Known, replies: Sequence[Reply]) -> Verdict:
    found = {name: _obeys_limit(reply) for name, reply in zip(_LIMIT_NAMES, replies, strict=True)}
    finding = ", ".join(f"{name} {word}" for name, word in found.items())
    obeyed = [name for name, word in found.items() if word == "obeyed"]
    if not obeyed:
        return lost(finding, "cannot bound the answer")
    name = known.dialect.output_limit if known.dialect.output_limit in obeyed else obeyed[0]
    verdict = fine(finding, f"sends {name}", output_limit=name)
    if len(obeyed) < len(found):
        verdict = msgspec.structs.replace(verdict, grade="met")
    return also(verdict, basics=known.basics | {LIMIT})


def _obeys_limit(reply: Reply) -> str:
    if reply.is_refused:
        return "refused"
    # The end of a thought or of the turn may be counted as well.
    is_short = reply.finish_reason == "length" or reply.tokens <= SHORT + 2
    return "obeyed" if is_short and not reply.was_cut else "ignored"


_LIMIT_NAMES = ("max_tokens", "max_completion_tokens")

FIRST = Check("answer", plain, _judge_answer)
SERVER = Check("server", plain, _judge_server)
STREAM_END = Check("stream end", plain, _judge_end)
SPEED = Check("speed", plain, _judge_speed)
WHOLE = Check("without stream", _whole, _judge_whole)
ZERO_TEMPERATURE = Check("temperature", _temperature, _judge_temperature)
OUTPUT_LIMIT = Check("output limit", _limits, _judge_limits)
