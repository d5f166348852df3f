"""The Responses API as an ASGI app.

    ResponsesAPI("http://127.0.0.1:8000/v1")    to be mounted: every other path is a 404
    create_app()                                from `ADAPTER_*`: other paths are passed on

Mounted apps get no lifespan, so the app is its own async context manager, and works without being
entered: connections are made with the first request.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send

from adapter.asgi.access.guarded import GuardedApp
from adapter.asgi.answering import Answering
from adapter.asgi.background import Background
from adapter.asgi.cors import with_cors
from adapter.asgi.denial import deny_upgrade, refuse
from adapter.asgi.health import HEALTH_PATHS, VERSION, Health
from adapter.asgi.http import (
    read_headers,
    send_bytes,
    send_error,
)
from adapter.asgi.late_proxy import LateProxy
from adapter.asgi.observing import METRICS_PATH, OTHER_ENDPOINT, observing
from adapter.asgi.paths import (
    MODELS,
    STATE_ROUTES,
    Place,
    find_route,
    is_reading,
    route_path,
)
from adapter.asgi.service import Service
from adapter.config import Settings, SettingsError
from adapter.errors import AdapterError, NotFoundError, StoreError
from adapter.runners.base import ToolRunner
from adapter.store.base import ResponseStore
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

MAX_REQUEST_ID_CHARS = 200


class ResponsesAPI:
    """Serves `POST /responses`, with or without `/v1` before it.

    Args:
        upstream: base URL of the chat-completions server; or an httpx2 client whose `base_url` is
            that; or an `Upstream`. By default the setting `upstream`.
        settings: all settings; by default they are loaded from the environment.
        store: URL of what keeps responses and conversations, or a `ResponseStore`; by default the
            setting `store`.
        tools: run hosted tools, besides those of the settings; see `hosted_tool`.
        other: the app for every other path; by default they are answered with a 404.
        options: single settings by name, instead of `settings`.

    Attributes:
        settings: all settings.
        serve: serves a request for one of our routes; see `Answering.serve`.

    Raises:
        SettingsError: no upstream, or a setting that does not fit.

    Example:
        responses = ResponsesAPI("http://127.0.0.1:8000/v1")
        app = FastAPI(lifespan=lambda app: responses)
        app.mount("/v1", responses)
    """

    def __init__(
        self,
        upstream: "str | httpx2.AsyncClient | Upstream | None" = None,
        *,
        settings: Settings | None = None,
        store: str | ResponseStore | None = None,
        tools: Sequence[ToolRunner] = (),
        other: ASGIApp | None = None,
        **options: Any,
    ) -> None:
        if isinstance(store, str):
            options["store"] = store
            store = None
        if settings is not None and options:
            raise SettingsError("Give `settings` or single settings, not both.")
        self.settings = settings or Settings.load(**options)
        self._service = self._new_service(upstream, self.settings, store, tools)
        state = self._service.state
        self._background = None if state is None else Background(self._service, state)
        self.serve = Answering(self._service, self._background).serve
        self._other = other
        self._health = Health(self._service.routes, state, self._service.closing)
        self._has_health = other is None  # else it may have its own
        self._outermost = with_cors(self._route, self.settings.cors_origins)

    def _new_service(self, *parts: Any) -> Service:
        return Service(*parts)

    async def __aenter__(self) -> None:
        """Begin; returns nothing, because Starlette takes what a lifespan yields for state."""
        await self._open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End what runs in the background, and close the connections to all upstreams."""
        if self._background is not None:
            await self._background.aclose()
        await self._service.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket handshake, or lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await self._outermost(scope, receive, send)

    # What only chooses returns what is to be awaited: a stream waits in every frame between the
    # server and its upstream, and each of them costs memory, and time when a token comes.

    def _route(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = route_path(scope)
        place = find_route(path, "/v1") or find_route(path, "")
        if place is not None and self._is_ours(place):
            return self.serve(place, scope, receive, send)
        if path == METRICS_PATH and self.has_metrics and is_reading(scope):
            return self._show_metrics(scope, receive, send)
        if path in HEALTH_PATHS and self._has_health and is_reading(scope):
            return self._tell_health(path, scope, receive, send)
        if self._other is not None:
            serving = self._other(scope, receive, send)
            observer = self._service.observer
            if observer is None:
                return serving
            return observing(observer, scope, OTHER_ENDPOINT, read_headers(scope), serving)
        if scope["type"] == "websocket":
            return deny_upgrade(scope, receive, send, status=404)
        return send_error(send, _no_route(scope))

    async def _tell_health(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path == VERSION:
            try:
                await self._service.gate.admit(scope, read_headers(scope))
            except AdapterError as error:
                await refuse(scope, receive, send, error)
                return
        await self._health.answer(path, send)

    @property
    def has_metrics(self) -> bool:
        """Whether metrics are shown at `METRICS_PATH`."""
        observer = self._service.observer
        return observer is not None and observer.exposition is not None

    async def _show_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _, headers = await self._service.gate.admit(scope, read_headers(scope))
        except AdapterError as error:
            await refuse(scope, receive, send, error)
            return
        observer = self._service.observer
        assert observer is not None and observer.exposition is not None  # noqa: PT018  # asked before
        content_type, text = observer.exposition.show(headers.get("accept", ""))
        await send_bytes(send, 200, text, content_type)

    def close_soon(self) -> None:
        """Say in `/health/ready` that no new requests are wanted; what comes is still served."""
        self._service.closing.begin()

    @property
    def turns(self) -> int:
        """How many turns of WebSockets run."""
        return self._service.closing.turns

    def interrupt(self) -> None:
        """End what still runs, but in the background: streams get their last events."""
        self._service.closing.interrupt()

    def _is_ours(self, place: Place) -> bool:
        if place.route == MODELS:
            return self._service.routes.are_several  # else the upstream's own list will do
        return self._other is None or self.has(place.route)

    @property
    def has_keys(self) -> bool:
        """Whether requests must show a key of our own."""
        return self._service.gate.has_keys

    @property
    def acts_first(self) -> bool:
        """Whether a request may have effects before the model is asked: a store, hosted tools."""
        return self._service.acts_first

    def has(self, route: str) -> bool:
        """Tell whether a route is served, or could be by another app as well.

        What is stored may be the upstream's business: if nothing is stored here, or if every
        request goes to its own Responses API.
        """
        if route not in STATE_ROUTES:
            return True
        return self._service.state is not None and not self._service.routes.all_pass_through()

    async def _open(self) -> None:
        """Open the store; if it does not answer yet, it is tried again with the first request."""
        if self._service.state is not None:
            try:
                await self._service.state.store()
            except StoreError as error:
                logger.warning("the store cannot be opened: %s", error.message)
        if self._background is not None:
            self._background.open()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        await self._open()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})


class _Sidecar(ResponsesAPI):
    """The app with a proxy for every other path, if there is a default route to pass it on to.

    It opened both, and closes both.
    """

    def __init__(self, settings: Settings, make_service: Callable[..., Service]) -> None:
        self._make_service = make_service
        super().__init__(settings=settings)
        default = self._service.routes.default()
        self._proxy = None if default is None else LateProxy(default, settings)
        if self._proxy is not None:
            self._other = GuardedApp(self._proxy, self._service.gate, settings.max_body_bytes)

    def _new_service(self, *parts: Any) -> Service:
        return self._make_service(*parts)

    async def aclose(self) -> None:
        await super().aclose()
        if self._proxy is not None:
            await self._proxy.aclose()


def create_app() -> ResponsesAPI:
    """Return the app for `uvicorn --factory adapter:create_app`, from `ADAPTER_*`.

    Every path that is not ours is passed through to the upstream.

    Raises:
        SettingsError: no upstream, or a setting that does not fit.
    """
    return make_sidecar(Settings.load())


def make_sidecar(
    settings: Settings, make_service: Callable[..., Service] = Service
) -> ResponsesAPI:
    """Return an app that serves our routes and passes every other path on.

    Args:
        settings: the settings.
        make_service: makes the service, where it is to be watched (`adapter.inspector`).

    Raises:
        SettingsError: no upstream, or one that cannot be used.
    """
    return _Sidecar(settings, make_service)


def _no_route(scope: Scope) -> NotFoundError:
    return NotFoundError(
        f"Unknown request URL: {scope['method']} {scope['path'][:200]}. "
        "Please check the URL for typos.",
        code="unknown_url",
    )
