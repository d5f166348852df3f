"""Which requests are ours: paths under the API's prefix, whatever it is mounted under."""

from collections.abc import Mapping
from typing import Any

RESPONSES = "/responses"
COMPACT = "/responses/compact"
MODELS = "/models"
_ROUTES: dict[str, tuple[str, ...]] = {
    RESPONSES: ("POST",),
    COMPACT: ("POST",),
    MODELS: ("GET",),
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


def find_route(path: str, prefix: str) -> str | None:
    """Return the route of a path, or None if it is not ours.

    Args:
        path: behind the mount point.
        prefix: what stands before the routes, such as `/v1`; a path without it is ours too if the
            app itself is mounted there, which an empty prefix says.
    """
    route = path.removeprefix(prefix) if path.startswith(prefix) else None
    return route if route in _ROUTES else None


def allowed_methods(route: str) -> tuple[str, ...]:
    """Return the methods of a route."""
    return _ROUTES[route]
