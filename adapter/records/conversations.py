"""Conversations: how a request names one, and what is said when it cannot be had.

Source: OpenAI SDK 3.51 `Conversation`; sheet §1.
"""

from typing import Any

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError, NotFoundError
from adapter.store.base import ConversationRecord
from adapter.types.request import ResponseRequest


class Conversation(msgspec.Struct, frozen=True):
    id: str
    created_at: int
    metadata: Raw
    object: str = "conversation"


def show_conversation(record: ConversationRecord) -> Conversation:
    """Return a conversation as it is shown."""
    return Conversation(record.id, int(record.created_at), Raw(record.metadata))


def conversation_of(request: ResponseRequest) -> str | None:
    """Return the id of the conversation that a request belongs to.

    Raises:
        InvalidRequestError: it is neither an id nor an object with one.
    """
    given: Any = request.conversation
    if isinstance(given, dict):
        given = given.get("id", 0)
    if given is None or isinstance(given, str):
        return given
    raise InvalidRequestError(
        "Invalid 'conversation': expected an id, or an object with one.",
        code="invalid_type",
        param="conversation",
    )


def no_conversation(id: str) -> NotFoundError:
    """Return the error for a conversation that is not there."""
    return NotFoundError(
        f"Conversation with id '{id[:128]}' not found.", code="conversation_not_found"
    )


def no_item(id: str) -> NotFoundError:
    """Return the error for an item that is not in a conversation."""
    return NotFoundError(f"Item with id '{id[:128]}' not found.", code="item_not_found")


def locked_conversation(id: str) -> InvalidRequestError:
    """Return the error for a conversation in which a response is being made."""
    return InvalidRequestError(
        f"Another process is currently operating on the conversation '{id[:128]}'. "
        "Please retry in a few seconds.",
        status=409,
        code="conversation_locked",
        param="conversation",
        headers={"retry-after": "1"},
    )
