"""Whose turn it is: messages in an order that the upstream takes, and none that say nothing.

Source: `reported.md` §3.3 (Mistral, Gemini and others refuse empty answers, and an answer at the
end); Mistral's 400 "Unexpected role 'user' after role 'tool'".
"""

from itertools import pairwise

import msgspec

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatMessage

_GO_ON = "Continue."


def fit_empty_answers(draft: Draft, dialect: Dialect) -> None:
    """Leave out answers that say nothing."""
    if not dialect.empty_answers:
        draft.messages = [message for message in draft.messages if not _is_empty(message)]


def fit_single_calls(draft: Draft, dialect: Dialect) -> None:
    """Send calls that were made together one by one, each with its output behind it.

    Llama's templates: "This model only supports single tool-calls at once!"
    """
    if dialect.parallel_calls:
        return
    single: list[ChatMessage] = []
    messages = iter(draft.messages)
    for message in messages:
        if len(message.tool_calls) < 2:
            single.append(message)
            continue
        head = message
        for call in message.tool_calls:  # their outputs stand right behind them, in order
            single += [msgspec.structs.replace(head, tool_calls=(call,)), next(messages)]
            head = ChatMessage("assistant", "")
    draft.messages = single


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


def fit_last_answer(draft: Draft, dialect: Dialect) -> None:
    """Let a user have the last word."""
    last = draft.messages[-1] if draft.messages else None
    if not dialect.last_answer and last is not None and last.role == "assistant":
        draft.messages = [*draft.messages, ChatMessage("user", _GO_ON)]


def _is_empty(message: ChatMessage) -> bool:
    return message.role == "assistant" and not (
        message.content
        or message.tool_calls
        or message.refusal
        or message.reasoning
        or message.reasoning_content
    )
