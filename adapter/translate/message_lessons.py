"""What refusals teach about messages: their roles, their order, and what they must say."""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.refusal import UNKNOWN_FIELD, Lesson, Refusal

_BRIDGE = "Understood."  # what an assistant may say to the outputs of its tools
_USER_AFTER_TOOL = re.compile(r"user\W+after\W+(?:role\W+)?tool")
_EMPTY = re.compile(r"empty|at least one content|content or tool_calls|must have content")


def developer_role(refusal: Refusal, dialect: Dialect) -> Dialect | None:
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


def _no_system(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Gemma-2 and Mixtral know no system role (`reported.md` §3.3)."""
    if not refusal.has_role("system", "developer"):
        return None
    is_unknown = refusal.mentions("system") and UNKNOWN_FIELD.search(refusal.text)
    if not is_unknown and not refusal.mentions("alternate", "alternating"):
        return None
    return msgspec.structs.replace(dialect, system_role="user")


def _tool_bridge(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Mistral: "Unexpected role 'user' after role 'tool'"."""
    if not _USER_AFTER_TOOL.search(refusal.text):
        return None
    return msgspec.structs.replace(dialect, tool_bridge=_BRIDGE)


def _empty_answers(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("content", "message", "messages") or not _EMPTY.search(refusal.text):
        return None
    if not refusal.has(lambda message: message.role == "assistant" and not message.content):
        return None
    return msgspec.structs.replace(dialect, empty_answers=False)


MESSAGE_LESSONS: tuple[Lesson, ...] = (
    _late_system,
    _alternation,
    _no_system,
    _tool_bridge,
    _empty_answers,
)
