"""An answer that has to fit a JSON schema, where the upstream does not see to it.

Pure but for the check itself, which is the caller's (`adapter.schema_check`).
"""

import re

import msgspec

from adapter.types.chat import ChatMessage, ChatRequest

_FENCE = re.compile(r"```(?:json)?[^\S\n]*\n(?P<inside>.*)```", re.DOTALL)


def only_json(text: str) -> str:
    """Return the JSON document in an answer without the code fence around it."""
    fenced = _FENCE.fullmatch(text.strip())
    return (fenced["inside"] if fenced else text).strip()


def repair_request(chat: ChatRequest, text: str, misfit: str) -> ChatRequest:
    """Return the request that asks for a better answer.

    Args:
        chat: the request that was made.
        text: its answer.
        misfit: what is wrong with it.
    """
    complaint = (
        f"That does not fit the JSON schema: {misfit}. "
        "Answer again with the JSON document that fits, and with nothing else."
    )
    return msgspec.structs.replace(
        chat,
        messages=(
            *chat.messages,
            ChatMessage("assistant", text),
            ChatMessage("user", complaint),
        ),
    )
