"""A request for something that is stored: whose it is, what it names, and its query and body."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from adapter.errors import InvalidRequestError
from adapter.store.base import Order
from adapter.types.decoding import invalid
from adapter.types.request import Include

_Kind = TypeVar("_Kind")
_LISTS = frozenset({"include"})


class StateRequest(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        owner: whose things it may see.
        ids: of its path.
        query: its query string.
        body: all of it.
    """

    owner: str
    ids: tuple[str, ...]
    query: bytes
    body: bytes = b""


class ShowQuery(msgspec.Struct, frozen=True):
    """The query for one thing; things are shown with all that was kept of them."""

    include: list[Include] = []
    stream: bool = False


class PageQuery(msgspec.Struct, frozen=True):
    """The query for a list."""

    after: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    order: Order = "desc"
    include: list[Include] = []


def read_query(query: bytes, kind: type[_Kind]) -> _Kind:
    """Return a query string as what it says; of a repeated name the last, unknown ones not at all.

    Raises:
        InvalidRequestError: a value does not fit.
    """
    values: dict[str, Any] = {}
    for name, given in parse_qs(query.decode("latin-1"), keep_blank_values=True).items():
        plain = name.removesuffix("[]")  # the SDKs write lists as `include[]=`
        if plain in _LISTS:
            values.setdefault(plain, []).extend(given)
        else:
            values[plain] = given[-1]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc


def read_object(body: bytes, kind: type[_Kind]) -> _Kind:
    """Return the body of a request; an empty one is an empty object.

    Raises:
        InvalidRequestError: it is not JSON, or does not fit.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidRequestError(
            "We could not parse the JSON body of your request: expected a JSON object.",
            code="invalid_json",
        ) from exc


def deleted(id: str, object: str) -> Mapping[str, Any]:
    """Return what is said of something that was deleted."""
    return {"id": id, "object": object, "deleted": True}
