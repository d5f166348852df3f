"""`/responses/{id}`: stored responses and their input."""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from adapter.asgi.state.request import PageQuery, ShowQuery, StateRequest, deleted, read_query
from adapter.errors import InvalidRequestError
from adapter.records.responses import input_items, no_response
from adapter.records.shown import ItemList, to_list
from adapter.state import State
from adapter.store.base import ResponseRecord, StoredItem


async def find_response(state: State, request: StateRequest) -> ResponseRecord:
    """Return the stored response that a request names.

    Raises:
        NotFoundError: there is none, or it is another owner's.
    """
    (id,) = request.ids
    store = await state.store()
    record = await store.get(request.owner, id)
    if record is None:
        raise no_response(id)
    return record


async def retrieve(state: State, request: StateRequest) -> Any:
    """Answer `GET /responses/{id}`."""
    read_query(request.query, ShowQuery)
    record = await find_response(state, request)
    return Raw(record.response)


async def delete(state: State, request: StateRequest) -> Any:
    """Answer `DELETE /responses/{id}`."""
    (id,) = request.ids
    store = await state.store()
    if not await store.delete(request.owner, id):
        raise no_response(id)
    return deleted(id, "response")


async def list_input(state: State, request: StateRequest) -> ItemList:
    """Answer `GET /responses/{id}/input_items`."""
    query = read_query(request.query, PageQuery)
    record = await find_response(state, request)
    return _page(input_items(record), query)


def _page(items: Sequence[StoredItem], query: PageQuery) -> ItemList:
    ordered = items if query.order == "asc" else items[::-1]
    start = 0
    if query.after is not None:
        ids = [item.id for item in ordered]
        if query.after not in ids:
            raise no_such_place(query.after)
        start = ids.index(query.after) + 1
    page = ordered[start : start + query.limit]
    return to_list(page, has_more=start + query.limit < len(ordered))


def no_such_place(after: str) -> InvalidRequestError:
    """Return the error for a list that is asked for from an item that is not in it."""
    return InvalidRequestError(
        f"Invalid 'after': the list has no item with id '{after[:128]}'.",
        code="invalid_value",
        param="after",
    )
