"""Where requests are recorded: before the app, and where it makes its runs.

Over HTTP a request of the client is one request here. On a WebSocket it is a frame, which is seen
when it is decoded; frames that are no requests are not recorded.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.asgi.access.credentials import KEY_OWNER
from adapter.asgi.paths import COMPACT, INPUT_TOKENS, RESPONSES, find_route, route_path
from adapter.asgi.route import Route
from adapter.asgi.runs import Runs
from adapter.asgi.service import Service
from adapter.asgi.socket_frames import SEND_TEXTS
from adapter.compaction import CompactionRun
from adapter.config import Settings
from adapter.inspector.exchange import Exchange
from adapter.inspector.recorder import Recorder
from adapter.inspector.upstream import WatchedUpstream, current
from adapter.loop import ResponseRun
from adapter.runners.base import ToolRunner
from adapter.store.base import ResponseStore
from adapter.stream.encode import encode_events
from adapter.types.events import Event
from adapter.types.request import ResponseRequest

WATCHED = frozenset({RESPONSES, COMPACT, INPUT_TOKENS})
# The first bytes of a frame that no other follows; `stream_id` stands behind.
_ENDS = tuple(
    f'{{"type":"{name}"'
    for name in ("response.completed", "response.incomplete", "response.failed", "error")
)
_begin_frame: ContextVar[Callable[[], Exchange] | None] = ContextVar(
    "adapter_inspected_frames", default=None
)


class WatchedService(Service):
    """Notes the requests that it reads; see `Service`."""

    def __init__(
        self,
        recorder: Recorder,
        given: Any,
        settings: Settings,
        store: ResponseStore | None = None,
        tools: Sequence[ToolRunner] = (),
    ) -> None:
        make_runs = partial(WatchedRuns, recorder)
        super().__init__(given, settings, store, tools, WatchedUpstream, make_runs)

    def passed_on(self, body: bytes, headers: Mapping[str, str]) -> tuple[Route, str] | None:
        """See `Service.passed_on`."""
        _note_request(body, headers)
        return super().passed_on(body, headers)

    def decode(
        self, body: bytes, headers: Mapping[str, str] | None = None
    ) -> tuple[ResponseRequest, Route, str]:
        """See `Service.decode`."""
        if headers is not None:  # else it was let in, and noted, before
            if (begin := _begin_frame.get()) is not None:
                current.set(begin())
            _note_request(body, headers)
        return super().decode(body, headers)


class WatchedRuns(Runs):
    """Makes runs, and says which request they belong to; see `Runs`."""

    def __init__(self, recorder: Recorder, *args: Any) -> None:
        super().__init__(*args)
        self._recorder = recorder

    def new_run(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        *args: Any,
        **kwargs: Any,
    ) -> ResponseRun:
        """See `Runs.new_run`."""
        exchange = self._exchange(route, model, headers)
        history = kwargs.get("history")
        if history is not None and history.items:
            exchange.note = "it goes on from what was stored, which is not in here"
        run = super().new_run(request, route, model, headers, *args, **kwargs)
        exchange.run = run
        if kwargs.get("detached") is not None:
            _follow(run, exchange)
        return run

    def new_compaction(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        *args: Any,
        **kwargs: Any,
    ) -> CompactionRun:
        """See `Runs.new_compaction`."""
        exchange = self._exchange(route, model, headers)
        run = super().new_compaction(request, route, model, headers, *args, **kwargs)
        exchange.run = run
        return run

    def _exchange(self, route: Route, model: str, headers: Mapping[str, str]) -> Exchange:
        """Return what is being recorded; nobody asked for a run that another process has lost."""
        exchange = current.get()
        if exchange is None or exchange.is_over:
            exchange = self._recorder.begin("background", "POST", RESPONSES, ())
            exchange.owner = headers.get(KEY_OWNER, "")
            exchange.ended(is_complete=True)
            current.set(exchange)
        exchange.dialect = route.habits.of(model)
        return exchange


def _follow(run: ResponseRun, exchange: Exchange) -> None:
    """Record what a run says that goes on when its request is answered: it is sent to nobody."""
    events = run.events

    async def followed(*, raises: bool = False) -> AsyncGenerator[list[Event], None]:
        exchange.run = run
        exchange.hold()
        try:
            async with aclosing(events(raises=raises)) as batches:
                async for batch in batches:
                    exchange.made(encode_events(batch))
                    yield batch
        finally:
            exchange.release()

    run.events = followed  # type: ignore[method-assign]  # of this run alone


class Watch:
    """Records the requests of an app.

    Args:
        app: the app.
        recorder: keeps them.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket, or lifespan."""
        place = None
        if scope["type"] != "lifespan":
            path = route_path(scope)
            place = find_route(path, "/v1") or find_route(path, "")
        if place is None or place.route not in WATCHED:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["method"] == "POST":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._recorder.begin("http", scope["method"], scope["path"], _pairs(scope))
        is_complete = False

        async def watched(message: Message) -> None:
            nonlocal is_complete
            if message["type"] == "http.response.start":
                exchange.started(message["status"], _pairs(message))
            elif message["type"] == "http.response.body":
                if body := message.get("body", b""):
                    exchange.sent(body)
                is_complete = not message.get("more_body", False)
            await send(message)

        token = current.set(exchange)
        try:
            await self._app(scope, receive, watched)
        finally:
            current.reset(token)
            exchange.ended(is_complete=is_complete)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: list[Exchange] = []

        def begin() -> Exchange:
            begun[:] = [exchange for exchange in begun if not exchange.is_over]
            begun.append(self._recorder.begin("websocket", "GET", scope["path"], _pairs(scope)))
            return begun[-1]

        async def watched(message: Message) -> None:
            exchange = current.get()
            if exchange is not None and message["type"] == "websocket.send":
                text = message.get("text") or ""
                exchange.sent(text.encode())
                if text.startswith(_ENDS):
                    exchange.ended(is_complete=True)
            await send(message)

        # Frames are looked at one by one, as ASGI has them.
        extensions = {**(scope.get("extensions") or {})}
        extensions.pop(SEND_TEXTS, None)
        token = _begin_frame.set(begin)
        try:
            await self._app({**scope, "extensions": extensions}, receive, watched)
        finally:
            _begin_frame.reset(token)
            for exchange in begun:
                exchange.ended(is_complete=False)


def _note_request(body: bytes, headers: Mapping[str, str]) -> None:
    exchange = current.get()
    if exchange is not None:
        exchange.owner = headers.get(KEY_OWNER, "")
        exchange.asked(body)


def _pairs(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in message.get("headers", ())
    ]
