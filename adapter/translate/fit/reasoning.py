"""Reasoning of earlier turns, where and when the upstream wants it back.

Source: `reported.md` §3.1 (replay in tool loops), `observed.md` §4.
"""

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage


def fit_reasoning(draft: Draft, dialect: Dialect) -> None:
    """Fill in what is missing, and move the text to the upstream's field."""
    needs_filler = dialect.reasoning_replay == "always" or (
        dialect.reasoning_replay == "all_or_nothing"
        and any(message.reasoning_content for message in draft.messages)
    )
    if needs_filler:
        draft.messages = [_fill(message, dialect) for message in draft.messages]
    if dialect.reasoning_field != "reasoning_content":
        draft.messages = [
            message if message.reasoning_content is UNSET else _place(message, dialect)
            for message in draft.messages
        ]


def _fill(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    if not message.tool_calls or message.reasoning_content:
        return message
    return msgspec.structs.replace(message, reasoning_content=dialect.reasoning_filler)


def _place(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    text = message.reasoning_content
    bare = msgspec.structs.replace(message, reasoning_content=UNSET)
    match dialect.reasoning_field:
        case "reasoning":
            return msgspec.structs.replace(bare, reasoning=text)
        case "tags":
            opening, closing = dialect.think_marks
            content = f"{opening}\n{text}\n{closing}\n\n{message.content or ''}"
            return msgspec.structs.replace(bare, content=content)
        case "parts":
            thinking = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
            said = [{"type": "text", "text": message.content}] if message.content else []
            return msgspec.structs.replace(bare, content=[thinking, *said])
        case _:
            return bare
