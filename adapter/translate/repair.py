"""An answer that has to fit a JSON schema, or an input that has to fit a grammar, where the upstream
does not see to it: how to ask for a better one.

Whether it fits is the caller's to say (`adapter.checked`).
"""

import re

import msgspec

from adapter.tools.custom import wrap_input
from adapter.tools.kinds import OfferedTool
from adapter.tools.unwrap import unwrap_input
from adapter.translate.items import PlacedItem
from adapter.types.chat import ChatMessage, ChatRequest
from adapter.types.input import Call, CallOutput

# Of a call that no client hears of.
_CALL_ID = "call_to_be_repaired"
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


def repair_items(tool: OfferedTool, arguments: str, misfit: str) -> tuple[PlacedItem, PlacedItem]:
    """Return a call that was made, and what to say of it, so that a better one is made.

    Args:
        tool: that was called.
        arguments: of the call.
        misfit: what is wrong with the input.
    """
    given = wrap_input(unwrap_input(arguments, tool.name))
    complaint = (
        f"The input does not fit the grammar of {tool.name}: {misfit}. Nothing was done. "
        "Call the tool again with input that fits."
    )
    return (
        PlacedItem(Call(_CALL_ID, tool.definition.name, given)),
        PlacedItem(CallOutput(_CALL_ID, complaint)),
    )
