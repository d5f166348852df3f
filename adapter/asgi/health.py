"""Whether the server lives, and whether requests should be sent to it: for orchestrators and balancers.

    /health/live     200 as long as this answers
    /health/ready    200 if a request would be served now: not on the way out, the store answers, and an
                     upstream does; else 503
    /version         which version runs

`/health` itself is the upstream's own. The first two are open: they say nothing that is worth a key.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from starlette.types import Send

from adapter._version import __version__
from adapter.asgi.closing import Closing
from adapter.asgi.http import Headers, send_json
from adapter.asgi.route import Route
from adapter.asgi.routes import Routes
from adapter.errors import StoreError, UpstreamError
from adapter.state import State
from adapter.upstream.base import ModelLister

logger = logging.getLogger(__name__)

LIVE = "/health/live"
READY = "/health/ready"
VERSION = "/version"
HEALTH_PATHS = frozenset({LIVE, READY, VERSION})

CHECK_SECONDS = 2.0  # for an upstream, or the store, to answer
# For which an answer holds, so that whoever asks often does not make the upstream work.
FRESH_SECONDS = 1.0
_NO_STORE = (b"cache-control", b"no-store")


class Ready(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        status: of the server: `ready`, `not_ready` or `closing`.
        upstream: `ok` if any upstream answers, or `down`.
        store: `ok`, `down`, or `none`.
    """

    status: str
    upstream: str
    store: str


class Health:
    """Looks after the upstreams and the store.

    Args:
        routes: the upstreams.
        state: the store; None is none.
        closing: tells whether the server ends.
        clock: seconds of any kind.
    """

    def __init__(
        self,
        routes: Routes,
        state: State | None,
        closing: Closing,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._routes = routes
        self._state = state
        self._closing = closing
        self._clock = clock
        self._looking: asyncio.Task[tuple[str, str]] | None = None
        self._found: tuple[str, str] = ("down", "down")
        self._found_at = float("-inf")

    async def answer(self, path: str, send: Send, headers: Headers = ()) -> None:
        """Answer a `GET` for one of the paths."""
        headers = [*headers, _NO_STORE]
        if path == VERSION:
            version = {"name": "responses-adapter", "version": __version__}
            await send_json(send, 200, version, headers)
        elif path == LIVE:
            await send_json(send, 200, {"status": "ok"}, headers)
        else:
            ready = await self.look()
            await send_json(send, 200 if ready.status == "ready" else 503, ready, headers)

    async def look(self) -> Ready:
        """Return what there is to be said of the server now."""
        now = (self._clock or asyncio.get_running_loop().time)()
        if now - self._found_at >= FRESH_SECONDS:
            self._found = await self._look_once()
            self._found_at = now
        upstream, store = self._found
        is_ready = upstream == "ok" and store != "down"
        status = "ready" if is_ready else "not_ready"
        return Ready("closing" if self._closing.has_begun else status, upstream, store)

    async def _look_once(self) -> tuple[str, str]:
        """Look, once for all who ask at the same time."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        return await asyncio.shield(self._looking)

    def _looked(self, _: "asyncio.Task[tuple[str, str]]") -> None:
        self._looking = None

    async def _look(self) -> tuple[str, str]:
        store, *upstreams = await asyncio.gather(
            self._look_at_store(), *(self._look_at(route) for route in self._routes)
        )
        return ("ok" if "ok" in upstreams else "down"), store

    async def _look_at(self, route: Route) -> str:
        """Say whether anybody answers; a refusal is an answer too."""
        if not isinstance(route.upstream, ModelLister):
            return "ok"  # in this process, or the user's own
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                route.upstream.list_models(route.own_headers) as answer,
            ):
                return "ok" if answer.status < 500 else "down"
        except (UpstreamError, TimeoutError) as exc:
            logger.debug("route %s is not ready: %s", route.name, exc)
            return "down"

    async def _look_at_store(self) -> str:
        if self._state is None:
            return "none"
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                store = await self._state.store()
                await store.get("", "resp_health")  # nobody's, so it is not there
        except (StoreError, TimeoutError) as exc:
            logger.debug("the store is not ready: %s", exc)
            return "down"
        return "ok"
