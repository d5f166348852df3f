"""`/conversations` and what is in them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from adapter.asgi.state.request import PageQuery, StateRequest, deleted, read_object, read_query
from adapter.asgi.state.responses import no_such_place
from adapter.errors import InvalidRequestError
from adapter.records.conversations import (
    Conversation,
    no_conversation,
    no_item,
    show_conversation,
)
from adapter.records.items import read_items, references, resolve, to_stored
from adapter.records.shown import ItemList, show, to_list
from adapter.state import State
from adapter.store.base import ConversationRecord, ResponseStore, StoredItem
from adapter.translate.items import read_input
from adapter.types.request import Metadata

MAX_ADDED = 20  # at one time, as OpenAI's has it

_encode = msgspec.json.Encoder().encode


class NewConversation(msgspec.Struct, frozen=True):
    items: list[Raw] | None = None
    metadata: Metadata | None = None


class NewMetadata(msgspec.Struct, frozen=True):
    metadata: Metadata | None


class NewItems(msgspec.Struct, frozen=True):
    items: list[Raw]


async def create(state: State, request: StateRequest) -> Conversation:
    """Answer `POST /conversations`."""
    given = read_object(request.body, NewConversation)
    store = await state.store()
    items = await _to_add(state, store, request.owner, given.items or [])
    record = ConversationRecord(
        id=state.new_id("conv"),
        owner=request.owner,
        created_at=float(int(state.now())),
        expires_at=state.expires_at(),
        metadata=_encode(given.metadata or {}),
    )
    await store.create_conversation(record, items)
    return show_conversation(record)


async def retrieve(state: State, request: StateRequest) -> Conversation:
    """Answer `GET /conversations/{id}`."""
    return show_conversation(await _find(await state.store(), request))


async def update(state: State, request: StateRequest) -> Conversation:
    """Answer `POST /conversations/{id}`."""
    given = read_object(request.body, NewMetadata)
    store = await state.store()
    id, metadata = request.ids[0], _encode(given.metadata or {})
    record = await store.update_conversation(request.owner, id, metadata)
    if record is None:
        raise no_conversation(id)
    return show_conversation(record)


async def delete(state: State, request: StateRequest) -> Any:
    """Answer `DELETE /conversations/{id}`."""
    (id,) = request.ids
    store = await state.store()
    if not await store.delete_conversation(request.owner, id):
        raise no_conversation(id)
    return deleted(id, "conversation.deleted")


async def add_items(state: State, request: StateRequest) -> ItemList:
    """Answer `POST /conversations/{id}/items`."""
    (id,) = request.ids
    given = read_object(request.body, NewItems)
    store = await state.store()
    items = await _to_add(state, store, request.owner, given.items, id)
    if not await store.add_items(request.owner, id, items):
        raise no_conversation(id)
    return to_list(items)


async def list_items(state: State, request: StateRequest) -> ItemList:
    """Answer `GET /conversations/{id}/items`."""
    (id,) = request.ids
    query = read_query(request.query, PageQuery)
    store = await state.store()
    page = await store.list_items(
        request.owner, id, after=query.after, limit=query.limit, order=query.order
    )
    if page is None:
        await _find(store, request)
        raise no_such_place(query.after or "")
    return to_list(page.items, has_more=page.has_more)


async def retrieve_item(state: State, request: StateRequest) -> Any:
    """Answer `GET /conversations/{id}/items/{item_id}`."""
    id, item_id = request.ids
    store = await state.store()
    item = await store.get_item(request.owner, id, item_id)
    if item is None:
        await _find(store, request)
        raise no_item(item_id)
    return show(item)


async def delete_item(state: State, request: StateRequest) -> Conversation:
    """Answer `DELETE /conversations/{id}/items/{item_id}`, with the conversation."""
    id, item_id = request.ids
    store = await state.store()
    record = await _find(store, request)
    if not await store.delete_item(request.owner, id, item_id):
        raise no_item(item_id)
    return show_conversation(record)


async def _find(store: ResponseStore, request: StateRequest) -> ConversationRecord:
    record = await store.get_conversation(request.owner, request.ids[0])
    if record is None:
        raise no_conversation(request.ids[0])
    return record


async def _to_add(
    state: State, store: ResponseStore, owner: str, raws: Sequence[Raw], to: str | None = None
) -> list[StoredItem]:
    """Return items as they are kept, with new ids for those whose own are taken."""
    if len(raws) > MAX_ADDED:
        raise InvalidRequestError(
            f"Invalid 'items': expected at most {MAX_ADDED} items, got {len(raws)}.",
            code="array_above_max_length",
            param="items",
        )
    raw = Raw(_encode(raws))
    read_input(raw, "items")  # refuses what no model could be shown
    items = read_items(bytes(raw), "items")
    if referred := references(items):
        items = resolve(items, await state.find_items(owner, referred, "items"))
    ids = [item.id for item in items if item.id and to is not None]
    taken = {id for id in ids if await store.get_item(owner, to or "", id) is not None}
    return to_stored(items, state.new_id, taken)
