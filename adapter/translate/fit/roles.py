"""Roles in an order that chat templates accept.

Many templates want one system message, first, or drop later ones in silence; some want users and
assistants to take turns (`clients.md` §0.7, `reported.md` §3.3).
"""

from collections.abc import Sequence
from itertools import compress, count, pairwise
from operator import attrgetter

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage, ChatPart

_SEPARATOR = "\n\n"
_SYSTEM_ROLES = frozenset({"system", "developer"})
_MERGED = frozenset({("user", "user"), ("assistant", "assistant")})
_role_of = attrgetter("role")
_refusal_of = attrgetter("refusal")


def fit_roles(draft: Draft, dialect: Dialect) -> None:
    """Merge the leading system messages, place later ones, and merge users, as the dialect asks."""
    messages = draft.messages
    if not dialect.refusal_field and any(map(_refusal_of, messages)):
        messages = [_place_refusal(each) if each.refusal else each for each in messages]
    if not _SYSTEM_ROLES.isdisjoint(map(_role_of, messages)):
        messages = _place_system(messages, dialect)
    if dialect.merge_same_role and not _MERGED.isdisjoint(pairwise(map(_role_of, messages))):
        messages = _merge_neighbours(messages)
    draft.messages = messages


def _place_system(given: Sequence[ChatMessage], dialect: Dialect) -> list[ChatMessage]:
    messages = list(given)
    # Of a long conversation one or two: they are found without a look at the others in Python.
    places = [*compress(count(), map(_SYSTEM_ROLES.__contains__, map(_role_of, messages)))]
    for place in places:
        messages[place] = _name_role(messages[place], dialect)
    lead = 0
    while lead < len(messages) and messages[lead].role in _SYSTEM_ROLES:
        lead += 1
    if dialect.late_system == "user":
        for place in places:
            if place >= lead:
                messages[place] = _as_user(messages[place])
    if lead > 1:
        messages[:lead] = [_merge(messages[:lead])]
    return messages


def _merge_neighbours(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    runs: list[list[ChatMessage]] = []
    for message in messages:
        if runs and _may_merge(runs[-1][-1], message):
            runs[-1].append(message)
        else:
            runs.append([message])
    return [_merge(run) for run in runs]


def _name_role(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    if message.role == dialect.system_role:
        return message
    if dialect.system_role == "user":
        return _as_user(message)
    return msgspec.structs.replace(message, role=dialect.system_role)


def _place_refusal(message: ChatMessage) -> ChatMessage:
    """Send a refusal as what was said, where there is no field for it."""
    assert isinstance(message.refusal, str)
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
