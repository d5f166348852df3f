"""Web pages of other sites: off unless origins are named.

Credentials of the browser's own (cookies) are never asked for: a page sends a key that it was given.
"""

from collections.abc import Sequence

from starlette.types import ASGIApp

METHODS = ("GET", "POST", "DELETE")
# What a page may read of an answer, besides what every page may.
EXPOSED = ("x-request-id", "x-adapter-dropped", "x-adapter-adapted", "retry-after")


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return an app that lets pages of these origins ask; without origins, the app itself."""
    if not origins:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=EXPOSED,
    )
