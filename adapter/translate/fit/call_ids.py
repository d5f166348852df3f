"""Calls in history as the upstream wants them: ids of a fixed length, arguments as objects.

An id is mapped by hashing it, so the same id is the same in every request, and a call and its
output keep matching; the way back is not needed, because clients keep the ids that they were given.

Source: `reported.md` §3.3 (Mistral: exactly 9 alphanumerics), TGI.
"""

import hashlib

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatFunction, ChatMessage, ChatToolCall


def fit_call_ids(draft: Draft, dialect: Dialect) -> None:
    """Rewrite the ids and arguments of calls."""
    if dialect.call_id_length is None and not dialect.object_arguments:
        return
    draft.messages = [_fit_message(message, dialect) for message in draft.messages]


def _fit_message(message: ChatMessage, dialect: Dialect) -> ChatMessage:
    if message.tool_calls:
        calls = tuple(_fit_call(call, dialect) for call in message.tool_calls)
        return msgspec.structs.replace(message, tool_calls=calls)
    if message.role == "tool" and isinstance(message.tool_call_id, str):
        return msgspec.structs.replace(
            message, tool_call_id=fit_id(message.tool_call_id, dialect.call_id_length)
        )
    return message


def _fit_call(call: ChatToolCall, dialect: Dialect) -> ChatToolCall:
    arguments = call.function.arguments
    if dialect.object_arguments and isinstance(arguments, str):
        arguments = Raw(arguments.encode())
    return msgspec.structs.replace(
        call,
        id=fit_id(call.id, dialect.call_id_length),
        function=ChatFunction(call.function.name, arguments),
    )


def fit_id(id: str, length: int | None) -> str:
    """Return the id if it fits, else one of that length made from it."""
    if length is None or (len(id) == length and id.isascii() and id.isalnum()):
        return id
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:length]
