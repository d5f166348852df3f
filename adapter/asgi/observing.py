"""Where requests are observed: around whatever serves them."""

from collections.abc import Awaitable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from starlette.types import Scope

from adapter.asgi.paths import RESPONSES
from adapter.observe.exchange import Exchange
from adapter.observe.observer import Observation, Observer

# Not the /metrics of the upstream, which is passed on: vLLM has one.
METRICS_PATH: Final = "/adapter/metrics"
WEBSOCKET: Final = "WEBSOCKET"  # said for a method
OTHER_ENDPOINT: Final = "(other)"  # what is passed on; its path is the client's word

_NOBODY: Final = nullcontext()


def observing(
    observer: Observer,
    scope: Scope,
    endpoint: str,
    headers: Mapping[str, str],
    serving: Awaitable[None],
) -> Awaitable[None]:
    """Return what serves a request, or a WebSocket, and is observed.

    Args:
        observer: is told.
        scope: of the request.
        endpoint: without ids.
        headers: of the request.
        serving: serves it.
    """
    if scope["type"] == "http":
        exchange = Exchange("http", scope["method"], endpoint, headers)
    else:
        exchange = Exchange("socket", WEBSOCKET, endpoint, headers)
    return observer.serve(exchange, serving)


def observing_frame(
    observer: Observer | None, headers: Mapping[str, str]
) -> AbstractContextManager[object]:
    """Observe a response on a WebSocket; it has the id of the handshake."""
    if observer is None:
        return _NOBODY
    return Observation(observer, Exchange("websocket", WEBSOCKET, RESPONSES, headers))
