"""Which roles it takes, and in which order.

A message that is taken may still be dropped by the template: then the prompt has no more tokens
than without it.
"""

from collections.abc import Sequence

from adapter.probe.check import Check, Verdict, fine, met, refusal, unclear
from adapter.probe.checks.answer import hello
from adapter.probe.known import SHORT, Known, user
from adapter.probe.reply import Question, Reply
from adapter.types.chat import ChatMessage, ChatRole

# Longer than all else that a template may put around three short messages.
_INSTRUCTIONS = (
    "You are a careful assistant: answer in short sentences, use plain words, say what you do not "
    "know, name the source of every number, never mention elephants or umbrellas, write dates as "
    "year, month and day, keep lists under five lines, end without a question, and do not repeat "
    "yourself unless somebody asks you to do so."
)
_INSTRUCTS_AS_USER = "sends instructions as a user message in <system> tags"
_IN_TAGS = "sends it as a user message in <system> tags"


def _led_by(known: Known, role: ChatRole) -> Question:
    return known.question(ChatMessage(role, _INSTRUCTIONS), user("Hello"), limit=SHORT)


def _ask_system(known: Known) -> Sequence[Question]:
    return [hello(known), _led_by(known, "system")]


def _judge_system(known: Known, replies: Sequence[Reply]) -> Verdict:
    without, led = replies
    if led.is_refused:
        return met(refusal(led), _INSTRUCTS_AS_USER, system_role="user")
    if _is_dropped(led, without):
        return met("taken, but left out of the prompt", _INSTRUCTS_AS_USER, system_role="user")
    return fine("taken", f"sends instructions as {known.dialect.system_role}")


def _ask_developer(known: Known) -> Sequence[Question]:
    return [hello(known), _led_by(known, "developer")]


def _judge_developer(known: Known, replies: Sequence[Reply]) -> Verdict:
    without, led = replies
    role = known.dialect.system_role
    action = _INSTRUCTS_AS_USER if role == "user" else f"sends {role} in its place"
    facts = {"system_role": "system"} if role == "developer" else {}
    if led.is_refused:
        return met(refusal(led), action, **facts)
    if _is_dropped(led, without):
        return met("taken, but left out of the prompt", action, **facts)
    return fine("taken", "" if role == "developer" else action)


def _ask_late(known: Known) -> Sequence[Question]:
    late = known.question(
        user("Hello"),
        ChatMessage("assistant", "Hello!"),
        ChatMessage("system", _INSTRUCTIONS),
        user("Hello"),
        limit=SHORT,
    )
    return [_led_by(known, "system"), late]


def _judge_late(known: Known, replies: Sequence[Reply]) -> Verdict:
    led, late = replies
    if late.is_refused:
        return met(refusal(late), _IN_TAGS, late_system="user")
    if led.usage is None or late.usage is None:
        return unclear("taken, but whether the model sees it is not told", _as_is(known))
    if late.usage.input_tokens < led.usage.input_tokens:
        return met("taken, but left out of the prompt", _IN_TAGS, late_system="user")
    if known.dialect.system_role == "user":
        return fine("taken", _IN_TAGS)
    return fine("taken", "sends it where it stands", late_system="system")


def _as_is(known: Known) -> str:
    return _IN_TAGS if known.dialect.late_system == "user" else "sends it where it stands"


def _ask_users(known: Known) -> Sequence[Question]:
    return [known.question(user("Hello"), user(_INSTRUCTIONS), limit=SHORT)]


def _judge_users(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    merges = "sends them as one message"
    if reply.is_refused:
        return met(refusal(reply), merges, merge_same_role=True)
    return fine("taken", merges if known.dialect.merge_same_role else "")


def _is_dropped(reply: Reply, without: Reply) -> bool:
    return (
        reply.usage is not None
        and without.usage is not None
        and 0 < reply.usage.input_tokens <= without.usage.input_tokens
    )


ROLES = (
    Check("role system", _ask_system, _judge_system),
    Check("role developer", _ask_developer, _judge_developer),
    Check("late system", _ask_late, _judge_late),
    Check("users in a row", _ask_users, _judge_users),
)
