"""The scope of a chat request, made from that of the client's own request. Pure.

The wrapped app should see what it would have seen, had the client posted the chat request itself:
same server, client, TLS, state and mount point; another method, path, query, headers and body.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

CHAT_ROUTE: Final = "/chat/completions"

# A request from nowhere, for calls that no client's request stands behind. Version 2.3 makes
# Starlette listen for the disconnect while it streams; under 2.4 it would wait to fail on a send.
DEFAULT_SCOPE: Final[Mapping[str, Any]] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "scheme": "http",
    "root_path": "",
    "path": "",
    "headers": [(b"host", b"127.0.0.1")],
    "client": ("127.0.0.1", 0),
    "server": ("127.0.0.1", 80),
}

_HTTP_SCHEMES: Final = {"ws": "http", "wss": "https"}

# Only what a scope says. The others (pathsend, early hints, trailers, push) offer messages that an
# `Upstream` cannot carry, and an app would use them.
_KEPT_EXTENSIONS: Final = frozenset({"tls"})


def chat_scope(
    client: Mapping[str, Any],
    path_prefix: str,
    body: bytes,
    headers: Mapping[str, str],
    route: str = CHAT_ROUTE,
) -> dict[str, Any]:
    """Return the scope of a POST of `body` to the chat route, or another one.

    Args:
        client: scope of the client's request, `http` or `websocket`; it is not changed.
        path_prefix: of the app's API, under the mount point.
        body: of the chat request.
        headers: to send besides our own; those of the client are not passed.
        route: under the prefix.
    """
    path = mount_point(client) + path_prefix + route
    scheme = client.get("scheme", "http")
    extensions = client.get("extensions")
    scope = {
        **client,
        "type": "http",
        "method": "POST",
        "http_version": client.get("http_version", "1.1"),
        "scheme": _HTTP_SCHEMES.get(scheme, scheme),
        "path": path,
        "raw_path": _raw_path(path),
        "query_string": b"",
        "headers": _headers(client, body, headers),
        "extensions": _kept(extensions) if extensions else {},
    }
    scope.pop("subprotocols", None)  # of a WebSocket
    if isinstance(client.get("state"), dict):
        # Servers give every request its own copy of the lifespan's state.
        scope["state"] = client["state"].copy()
    return scope


def _kept(extensions: Mapping[str, Any]) -> dict[str, Any]:
    return {name: extensions[name] for name in _KEPT_EXTENSIONS & extensions.keys()}


@lru_cache(maxsize=64)  # an app has few of them
def _raw_path(path: str) -> bytes:
    return quote(path).encode("ascii")


def mount_point(client: Mapping[str, Any]) -> str:
    """Return the root path if the client's path includes it.

    ASGI says that it does, but servers differ; Starlette's routing accepts both in this same way.
    """
    root_path: str = client.get("root_path", "")
    path: str = client["path"]
    return root_path if path == root_path or path.startswith(f"{root_path}/") else ""


def _headers(
    client: Mapping[str, Any], body: bytes, headers: Mapping[str, str]
) -> list[tuple[bytes, bytes]]:
    of_client = dict(reversed(client["headers"]))  # of a repeated one, the first
    found = {
        # The client's own host header, because apps check it (TrustedHostMiddleware).
        b"host": of_client.get(b"host", b""),
        b"accept": b"text/event-stream, application/json",
        # Not compressed: nothing between the app and us is worth it.
        b"accept-encoding": b"identity",
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(body),
    }
    for name, value in headers.items():
        found.setdefault(name.encode("latin-1"), value.encode("latin-1"))
    return [*found.items()]
