"""Whose turn it is: messages in an order that the upstream takes, and none that say nothing.

Source: `reported.md` §3.3 (Mistral, Gemini and others refuse empty answers); Mistral's 400
"Unexpected role 'user' after role 'tool'".
"""

from itertools import pairwise

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage


def fit_empty_answers(draft: Draft, dialect: Dialect) -> None:
    """Leave out answers that say nothing."""
    if not dialect.empty_answers:
        draft.messages = [message for message in draft.messages if not _is_empty(message)]


def fit_tool_bridge(draft: Draft, dialect: Dialect) -> None:
    """Let the assistant speak between the outputs of tools and a user."""
    if dialect.tool_bridge is None:
        return
    bridged = draft.messages[:1]
    for before, message in pairwise(draft.messages):
        if (before.role, message.role) == ("tool", "user"):
            bridged.append(ChatMessage("assistant", dialect.tool_bridge))
        bridged.append(message)
    draft.messages = bridged


def _is_empty(message: ChatMessage) -> bool:
    return message.role == "assistant" and not (
        message.content
        or message.tool_calls
        or message.refusal
        or message.reasoning
        or message.reasoning_content
    )
