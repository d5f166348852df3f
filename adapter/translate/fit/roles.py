"""Roles in an order that chat templates accept.

Many templates want one system message, first, or drop later ones in silence; some want users and
assistants to take turns (`clients.md` §0.7, `reported.md` §3.3).
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage, ChatPart

_SEPARATOR = "\n\n"
_SYSTEM_ROLES = ("system", "developer")


def fit_roles(draft: Draft, dialect: Dialect) -> None:
    """Merge the leading system messages, place later ones, and merge users, as the dialect asks."""
    messages = [_name_role(_place_refusal(message, dialect), dialect) for message in draft.messages]
    lead = 0
    while lead < len(messages) and messages[lead].role in _SYSTEM_ROLES:
        lead += 1
    rest: Iterable[ChatMessage] = messages[lead:]
    if dialect.late_system == "user":
        rest = map(_as_user, rest)
    runs = [messages[:lead]] if lead else []
    for message in rest:
        if dialect.merge_same_role and runs and _may_merge(runs[-1][-1], message):
            runs[-1].append(message)
        else:
            runs.append([message])
    draft.messages = [_merge(run) for run in runs]


def _name_role(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    if message.role not in _SYSTEM_ROLES or message.role == dialect.system_role:
        return message
    if dialect.system_role == "user":
        return _as_user(message)
    return msgspec.structs.replace(message, role=dialect.system_role)


def _place_refusal(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    """Send a refusal as what was said, where there is no field for it."""
    if not message.refusal or dialect.refusal_field:
        return message
    contents = [message.content, message.refusal] if message.content else [message.refusal]
    return msgspec.structs.replace(
        message, content=_merge_contents(contents, separator=""), refusal=UNSET
    )


def _as_user(message: ChatMessage) -> ChatMessage:
    if message.role not in _SYSTEM_ROLES:
        return message
    return ChatMessage("user", f"<system>\n{message.content}\n</system>")


def _may_merge(first: ChatMessage, second: ChatMessage) -> bool:
    return first.role == second.role and (
        first.role == "user"
        or (first.role == "assistant" and not first.tool_calls and not _reasons(second))
    )


def _reasons(message: ChatMessage) -> bool:
    return bool(message.reasoning or message.reasoning_content)


def _merge(messages: Sequence[ChatMessage]) -> ChatMessage:
    first, last = messages[0], messages[-1]
    if len(messages) == 1:
        return first
    contents = [message.content or "" for message in messages]
    return msgspec.structs.replace(
        first, content=_merge_contents(contents), tool_calls=last.tool_calls
    )


def _merge_contents(
    contents: Sequence[str | list[ChatPart]], separator: str = _SEPARATOR
) -> str | list[ChatPart]:
    texts = [content for content in contents if isinstance(content, str)]
    if len(texts) == len(contents):
        return separator.join(filter(None, texts))
    merged: list[ChatPart] = []
    for content in contents:
        merged += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return merged
