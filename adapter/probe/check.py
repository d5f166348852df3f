"""What a check is: a row of a name, how it is asked, and how the answers are judged."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from adapter.probe.known import Known, changed
from adapter.probe.reply import Question, Reply
from adapter.translate.learn import learn

# As it should be; the adapter makes up for it; it cannot; nobody knows.
Grade = Literal["fine", "met", "lost", "unclear"]
Need = Literal["reasons", "counts", "takes_tools"]
NEEDS: dict[Need, str] = {
    "reasons": "the model does not reason",
    "counts": "usage is not told, and nothing else would show it",
    "takes_tools": "tools are refused",
}
MAX_QUOTED = 120  # characters of what an upstream said


class Verdict(msgspec.Struct, frozen=True):
    """What a check found.

    Attributes:
        grade: how good it is.
        finding: what the upstream does.
        action: what the adapter does about it; empty if it need not do anything.
        facts: facts of its dialect, by name.
        notes: other things to know for later questions: attributes of `Known`, by name.
        more: checks to make next.
    """

    grade: Grade
    finding: str
    action: str = ""
    facts: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    more: tuple["Check", ...] = ()


class Check(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        name: how the table calls it.
        ask: what to ask; nothing if the check does not apply.
        judge: what the replies say, all of which were given: an answer or a refusal each.
        needs: what must be so for the check to make sense.
    """

    name: str
    ask: Callable[[Known], Sequence[Question]]
    judge: Callable[[Known, Sequence[Reply]], Verdict]
    needs: tuple[Need, ...] = ()


def fine(finding: str, action: str = "", **facts: Any) -> Verdict:
    return Verdict("fine", finding, action, facts)


def met(finding: str, action: str, **facts: Any) -> Verdict:
    return Verdict("met", finding, action, facts)


def lost(finding: str, action: str = "", **facts: Any) -> Verdict:
    return Verdict("lost", finding, action, facts)


def unclear(finding: str, action: str = "") -> Verdict:
    return Verdict("unclear", finding, action)


def also(verdict: Verdict, *, more: tuple[Check, ...] = (), **notes: Any) -> Verdict:
    """Return the verdict with notes, and with checks to make next."""
    return msgspec.structs.replace(verdict, notes=verdict.notes | notes, more=more)


def refusal(reply: Reply) -> str:
    """Return how a refusal is told."""
    assert reply.error is not None  # it is refused
    status = reply.status if reply.status != 200 else "in the stream"
    if reply.body is None and "without an error message" in reply.error.message:
        return f"refused ({status}), without a reason"
    return f"refused ({status}): {quote(reply.error.message)}"


def quote(text: str) -> str:
    """Return what an upstream said, for people: short, on one line."""
    text = " ".join(text.split())
    return f'"{text[:MAX_QUOTED]}…"' if len(text) > MAX_QUOTED else f'"{text}"'


def lesson(known: Known, reply: Reply) -> dict[str, Any]:
    """Return the facts that the adapter learns from a refusal."""
    assert reply.error is not None  # it is refused
    learned = learn(known.dialect, reply.question.chat, reply.error)
    return {} if learned is None else changed(known.dialect, learned)
