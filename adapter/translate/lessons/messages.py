"""What refusals teach about messages: their roles, their order, and what they must say.

Source: `reported.md` §3.3; the texts of chat templates (Qwen, Llama, Mistral, Gemma), of Mistral's,
DeepSeek's, MiniMax's and Anthropic's services, and of pydantic, serde and ajv about unknown roles.
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.refusal import UNKNOWN_FIELD, Lesson, Refusal

_BRIDGE = "Understood."  # what an assistant may say to the outputs of its tools
_USER_AFTER_TOOL = re.compile(r"user\W+after\W+(?:role\W+)?tool")
_EMPTY = re.compile(
    r"empty|blank|at least one content|content or tool_calls|must have content|must have either"
    r"|content.{0,30}(?:required|missing|null)"
)
_LAST = re.compile(
    r"prefill|(?:last|final) (?:message|role|turn)|(?:must|should|has to) end|ends? with (?:a |an )?"
    r"(?:user|assistant)|prefix"
)
_TURNS = ("alternate", "alternating", "consecutive", "successive", "interleave", "in a row")


def developer_role(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not (refusal.has_role("developer") and refusal.mentions("developer", "role", "roles")):
        return None
    return msgspec.structs.replace(dialect, system_role="system")


def _late_system(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("system", "developer", "role", "roles", "order"):
        return None
    late = any(message.role in ("system", "developer") for message in refusal.chat.messages[1:])
    return msgspec.structs.replace(dialect, late_system="user") if late else None


def _alternation(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions(*_TURNS):
        return None
    return msgspec.structs.replace(dialect, merge_same_role=True)


def _no_system(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Gemma-2 and Mixtral know no system role (`reported.md` §3.3)."""
    if not refusal.has_role("system", "developer"):
        return None
    is_unknown = refusal.mentions("system") and (
        UNKNOWN_FIELD.search(refusal.text) or refusal.mentions("role", "roles")
    )
    if not is_unknown and not refusal.mentions(*_TURNS, "only user and assistant"):
        return None
    return msgspec.structs.replace(dialect, system_role="user")


def _tool_bridge(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Mistral: "Unexpected role 'user' after role 'tool'"."""
    if not _USER_AFTER_TOOL.search(refusal.text):
        return None
    return msgspec.structs.replace(dialect, tool_bridge=_BRIDGE)


def _refusal_field(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("refusal") or not refusal.has(lambda message: bool(message.refusal)):
        return None
    return msgspec.structs.replace(dialect, refusal_field=False)


def _empty_answers(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    if not refusal.mentions("content", "contents", "message", "messages"):
        return None
    if not _EMPTY.search(refusal.text):
        return None
    if not refusal.has(lambda message: message.role == "assistant" and not message.content):
        return None
    return msgspec.structs.replace(dialect, empty_answers=False)


def _last_answer(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Mistral: "Expected last role User or Tool (or Assistant with prefix True) …"."""
    if refusal.chat.messages[-1].role != "assistant" or not _LAST.search(refusal.text):
        return None
    return msgspec.structs.replace(dialect, last_answer=False)


def model_alias(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Z.AI: 400 code 1211 for a name such as `glm-5.2[1m]`."""
    if not refusal.chat.model.endswith("]"):
        return None
    return msgspec.structs.replace(dialect, bracketed_models=False)


# What is sought first is what names its subject best.
MESSAGE_LESSONS: tuple[Lesson, ...] = (
    _last_answer,
    _tool_bridge,
    _late_system,
    _alternation,
    _no_system,
    _refusal_field,
    _empty_answers,
)
