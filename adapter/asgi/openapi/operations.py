"""What each of our routes takes and answers: a row for each method."""

from typing import Any, Literal

import msgspec

from adapter.asgi.background import StreamQuery
from adapter.asgi.paths import (
    CANCEL,
    COMPACT,
    CONVERSATION,
    CONVERSATIONS,
    INPUT_ITEMS,
    INPUT_TOKENS,
    ITEM,
    ITEMS,
    MODELS,
    OPENAPI,
    RESPONSE,
    RESPONSES,
)
from adapter.asgi.state.conversations import NewConversation, NewItems, NewMetadata
from adapter.asgi.state.request import PageQuery, ShowQuery
from adapter.records.conversations import Conversation
from adapter.records.shown import ItemList
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import CompactedResponse, Response


class Deleted(msgspec.Struct, frozen=True):
    """What is said of something that was deleted."""

    id: str
    object: Literal["response", "conversation.deleted"]
    deleted: bool


class InputTokens(msgspec.Struct, frozen=True):
    """How many tokens the input of a request has."""

    object: Literal["response.input_tokens"]
    input_tokens: int


class Model(msgspec.Struct, frozen=True):
    """A model that requests may name."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True):
    """The models of all routes."""

    object: Literal["list"]
    data: list[Model]


class Operation(msgspec.Struct, frozen=True):
    """What one method of a route does.

    Attributes:
        id: its name, of which clients make that of a function.
        summary: what it does.
        answers: the type of what it answers.
        takes: the type of its body, if it has one.
        queries: the types of what its query may say.
        event: the type of the events that it answers where a stream is asked for.
    """

    id: str
    summary: str
    answers: Any
    takes: Any = None
    queries: tuple[type[msgspec.Struct], ...] = ()
    event: Any = None


# fmt: off
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", RESPONSES): Operation(
        "createResponse", "Make a response.", Response, ResponseRequest, event=Event),
    ("POST", COMPACT): Operation(
        "compactConversation", "Make a conversation shorter.", CompactedResponse, ResponseRequest),
    ("POST", INPUT_TOKENS): Operation(
        "countInputTokens", "Count the tokens of an input.", InputTokens, ResponseRequest),
    ("GET", OPENAPI): Operation("describe", "Return this document.", dict[str, Any]),
    ("GET", MODELS): Operation("listModels", "List the models of all routes.", ModelList),
    ("GET", RESPONSE): Operation(
        "getResponse", "Return a stored response.", Response,
        queries=(ShowQuery, StreamQuery), event=Event),
    ("DELETE", RESPONSE): Operation("deleteResponse", "Delete a stored response.", Deleted),
    ("GET", INPUT_ITEMS): Operation(
        "listInputItems", "List what a stored response was made of.", ItemList,
        queries=(PageQuery,)),
    ("POST", CANCEL): Operation(
        "cancelResponse", "End a response that runs in the background.", Response),
    ("POST", CONVERSATIONS): Operation(
        "createConversation", "Begin a conversation.", Conversation, NewConversation),
    ("GET", CONVERSATION): Operation("getConversation", "Return a conversation.", Conversation),
    ("POST", CONVERSATION): Operation(
        "updateConversation", "Replace the metadata of a conversation.", Conversation, NewMetadata),
    ("DELETE", CONVERSATION): Operation(
        "deleteConversation", "Delete a conversation with its items.", Deleted),
    ("GET", ITEMS): Operation(
        "listItems", "List the items of a conversation.", ItemList, queries=(PageQuery,)),
    ("POST", ITEMS): Operation(
        "addItems", "Add items to a conversation.", ItemList, NewItems, queries=(ShowQuery,)),
    ("GET", ITEM): Operation("getItem", "Return an item.", dict[str, Any], queries=(ShowQuery,)),
    ("DELETE", ITEM): Operation(
        "deleteItem", "Delete an item, and return its conversation.", Conversation),
}
# fmt: on
