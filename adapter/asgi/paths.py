"""Which requests are ours: paths under the API's prefix, whatever it is mounted under."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

RESPONSES = "/responses"
COMPACT = "/responses/compact"
INPUT_TOKENS = "/responses/input_tokens"
OPENAPI = (
    "/responses/openapi.json"  # not `/openapi.json`, which is the upstream's or the wrapped app's
)
MODELS = "/models"
RESPONSE = "/responses/{id}"
INPUT_ITEMS = "/responses/{id}/input_items"
CANCEL = "/responses/{id}/cancel"
CONVERSATIONS = "/conversations"
CONVERSATION = "/conversations/{id}"
ITEMS = "/conversations/{id}/items"
ITEM = "/conversations/{id}/items/{item_id}"


class Place(msgspec.Struct, frozen=True):
    """A path of ours.

    Attributes:
        route: as `_ROUTES` has it.
        ids: what stands in the places of its names.
    """

    route: str
    ids: tuple[str, ...] = ()


_ROUTES: dict[str, tuple[str, ...]] = {
    RESPONSES: ("POST",),
    COMPACT: ("POST",),
    INPUT_TOKENS: ("POST",),
    OPENAPI: ("GET",),
    MODELS: ("GET",),
    RESPONSE: ("GET", "DELETE"),
    INPUT_ITEMS: ("GET",),
    CANCEL: ("POST",),
    CONVERSATIONS: ("POST",),
    CONVERSATION: ("GET", "POST", "DELETE"),
    ITEMS: ("GET", "POST"),
    ITEM: ("GET", "DELETE"),
}
# What there is only with a store.
STATE_ROUTES = frozenset({RESPONSE, INPUT_ITEMS, CANCEL, CONVERSATIONS, CONVERSATION, ITEMS, ITEM})
_PLAIN = {route: Place(route) for route in _ROUTES if "{" not in route}
_PATTERNS = {
    route: re.compile(re.sub(r"\{\w+\}", "([^/]+)", route)) for route in _ROUTES if "{" in route
}


def route_path(scope: Mapping[str, Any]) -> str:
    """Return the path behind the mount point, without a trailing slash.

    Mounts leave the whole path in `path` and name their part of it in `root_path` (ASGI).
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]
    return path.rstrip("/")


def find_route(path: str, prefix: str) -> Place | None:
    """Return the route of a path, or None if it is not ours.

    Args:
        path: behind the mount point.
        prefix: what stands before the routes, such as `/v1`; a path without it is ours too if the
            app itself is mounted there, which an empty prefix says.
    """
    if not path.startswith(prefix):
        return None
    rest = path.removeprefix(prefix)
    if (place := _PLAIN.get(rest)) is not None:
        return place
    for route, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(rest):
            return Place(route, match.groups())
    return None


def all_routes() -> tuple[str, ...]:
    """Return all routes, for who lists them."""
    return tuple(_ROUTES)


def allowed_methods(route: str) -> tuple[str, ...]:
    """Return the methods of a route."""
    return _ROUTES[route]


def is_reading(scope: Mapping[str, Any]) -> bool:
    """Tell whether a request changes nothing and has no body."""
    return scope.get("method") in ("GET", "HEAD")
