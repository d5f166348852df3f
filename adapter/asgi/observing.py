"""Where requests are observed: around whatever serves them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from starlette.types import Scope

from adapter.asgi.paths import RESPONSES
from adapter.observe.observer import Observer

# Not the /metrics of the upstream, which is passed on: vLLM has one.
METRICS_PATH: Final = "/adapter/metrics"
OTHER_ENDPOINT: Final = "(other)"  # what is passed on; its path is the client's word

_NOBODY: Final = nullcontext()


def observing(
    observer: Observer | None,
    scope: Scope,
    endpoint: str,
    headers: Mapping[str, str],
) -> AbstractContextManager[object]:
    """Observe a request, or a WebSocket, for as long as the block runs, if somebody wants to know.

    Args:
        observer: who that is.
        scope: of the request.
        endpoint: without ids.
        headers: of the request.
    """
    if observer is None:
        return _NOBODY
    if scope["type"] == "websocket":
        return observer.exchange("socket", "WEBSOCKET", endpoint, headers)
    return observer.exchange("http", scope["method"], endpoint, headers)


def observing_frame(
    observer: Observer | None, headers: Mapping[str, str]
) -> AbstractContextManager[object]:
    """Observe a response on a WebSocket; it has the id of the handshake."""
    if observer is None:
        return _NOBODY
    return observer.exchange("websocket", "WEBSOCKET", RESPONSES, headers)
