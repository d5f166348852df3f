"""Tells sinks of requests and calls as they begin and end.

An app has one `Observer`, or None when nothing is to be told: then no request is touched.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

import msgspec

from adapter.hosted.hosting import Hosting
from adapter.observe.exchange import (
    Call,
    Exchange,
    ObservedRun,
    Operation,
    current,
)
from adapter.observe.sink import ShowsMetrics, Sink
from adapter.observe.store import observed_store
from adapter.observe.tools import ObservedMcp, ObservedTool
from adapter.observe.upstream import ObservedUpstream
from adapter.store.base import ResponseStore
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream

_OfExchange = tuple[Callable[[Exchange], None], ...]
_OfCall = tuple[Callable[[Exchange, Call], None], ...]


class Observer:
    """Tells its sinks.

    Args:
        sinks: those that are told; of an end in the reverse of their order.
        exposition: shows what was counted.
        times_answers: say in a header of answers how long they took.

    Attributes:
        exposition: as given.
    """

    def __init__(
        self,
        sinks: Iterable[Sink],
        exposition: ShowsMetrics | None = None,
        *,
        times_answers: bool = False,
    ) -> None:
        self._sinks = tuple(sinks)
        self.exposition = exposition
        self._times_answers = times_answers
        back = self._sinks[::-1]
        self._on_begin: _OfExchange = _overridden(self._sinks, "begin")
        self._on_end: _OfExchange = _overridden(back, "end")
        self._on_turned: _OfExchange = _overridden(back, "turned")
        self._on_run: _OfExchange = _overridden(self._sinks, "run")
        self._on_begin_call: _OfCall = _overridden(self._sinks, "begin_call")
        self._on_end_call: _OfCall = _overridden(back, "end_call")

    async def aclose(self) -> None:
        """Tell that the app is closed."""
        for sink in self._sinks:
            await sink.aclose()

    # Requests

    async def serve(self, exchange: Exchange, serving: Awaitable[None]) -> None:
        """Observe a request for as long as it is served.

        Args:
            exchange: the request.
            serving: serves it.
        """
        self.begin(exchange)
        token = current.set(exchange)
        try:
            await serving
        except BaseException as exc:
            self.end(exchange, exc)
            raise
        else:
            self.end(exchange, None)
        finally:
            current.reset(token)

    def begin(self, exchange: Exchange) -> None:
        """Tell that a request has come."""
        if self._times_answers:
            exchange.is_timed = True
        if self._on_turned:
            exchange.on_turned = self._on_turned
        for tell in self._on_begin:
            tell(exchange)

    def end(self, exchange: Exchange, error: BaseException | None) -> None:
        """Tell that a request is over."""
        exchange.close(error)
        for tell in self._on_end:
            tell(exchange)
        exchange.run = None  # it knows the exchange: only the garbage collector finds a circle

    def background(
        self, until: AsyncExitStack, endpoint: str, headers: Mapping[str, str], route: str
    ) -> None:
        """Observe a response in the background, which this task goes on to begin, and no other.

        Args:
            until: closed when it is over.
            endpoint: where it was asked for.
            headers: of its request.
            route: name of the route.
        """
        exchange = Exchange("background", "POST", endpoint, headers)
        exchange.route = route
        self.begin(exchange)
        until.callback(self.end, exchange, None)
        current.set(exchange)

    def run(
        self, run: ObservedRun, request: ResponseRequest, route: str, model: str, dialect: str
    ) -> None:
        """Tell of a response that is going to be made.

        Args:
            run: makes it.
            request: what the client asked.
            route: name of the route.
            model: what the upstream calls the model.
            dialect: name of the upstream's dialect.
        """
        exchange = current.get()
        if exchange is None:
            return
        exchange.run, exchange.request = run, request
        exchange.route, exchange.model, exchange.dialect = route, model, dialect
        exchange.stream = bool(request.stream) or exchange.transport == "websocket"
        for tell in self._on_run:
            tell(exchange)

    def watch(self) -> Exchange | None:
        """Return what a run tells of its turns."""
        return current.get()

    # Calls

    def call(self, operation: Operation, name: str, kind: str) -> "ToolObservation":
        """Observe a call of a tool for as long as a block runs.

        Args:
            operation: what is called.
            name: of the tool.
            kind: of the tool.
        """
        return ToolObservation(self, current.get(), Call(operation, name, kind))

    def begin_call(self, exchange: Exchange, call: Call) -> None:
        """Tell of a call that is going to be made."""
        for tell in self._on_begin_call:
            tell(exchange, call)

    def end_call(self, exchange: Exchange, call: Call, error: BaseException | None) -> None:
        """Tell of the end of a call."""
        call.end(error)
        for tell in self._on_end_call:
            tell(exchange, call)

    # What happens whatever the request is

    def stored(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Tell of something that the store was asked for."""
        for sink in self._sinks:
            sink.store(operation, seconds, failed=failed)

    def retried(self, route: str) -> None:
        """Tell of another try of a request to an upstream."""
        for sink in self._sinks:
            sink.retry(route)

    def breaker(self, route: str, is_open: bool) -> None:
        """Tell that an upstream is left alone, or asked again."""
        for sink in self._sinks:
            sink.breaker(route, is_open=is_open)

    # Seams

    def upstream(self, upstream: Upstream, route: str, base_url: str = "") -> Upstream:
        """Return an upstream whose calls are observed.

        Args:
            upstream: that is asked.
            route: name of its route.
            base_url: where it is; empty if it is in this process.
        """
        return ObservedUpstream(upstream, self, route, base_url)

    def hosting(self, hosting: Hosting) -> Hosting:
        """Return hosted tools whose calls are observed."""
        mcp = None if hosting.mcp is None else ObservedMcp(hosting.mcp, self)
        runners = {type_: ObservedTool(runner, self) for type_, runner in hosting.runners.items()}
        return msgspec.structs.replace(hosting, mcp=mcp, runners=runners)

    def store(self, store: ResponseStore) -> ResponseStore:
        """Return a store whose answers are timed."""
        return observed_store(store, self.stored)


class Observation:
    """Observes one request while its block runs.

    Args:
        observer: is told.
        exchange: the request.
    """

    def __init__(self, observer: Observer, exchange: Exchange) -> None:
        self._observer = observer
        self._exchange = exchange

    def __enter__(self) -> Exchange:
        self._observer.begin(self._exchange)
        self._token = current.set(self._exchange)
        return self._exchange

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._observer.end(self._exchange, exc)
        current.reset(self._token)


class ToolObservation:
    """Observes one call of a tool while its block runs, if it belongs to a request.

    Args:
        observer: is told.
        exchange: the request; None if nobody asked for the call.
        call: the call.
    """

    def __init__(self, observer: Observer, exchange: Exchange | None, call: Call) -> None:
        self._observer = observer
        self._exchange = exchange
        self._call = call

    def __enter__(self) -> Call:
        if self._exchange is not None:
            self._observer.begin_call(self._exchange, self._call)
        return self._call

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._exchange is not None:
            self._observer.end_call(self._exchange, self._call, exc)


def _overridden(sinks: Iterable[Sink], name: str) -> tuple[Any, ...]:
    """Return a method of the sinks that have one of their own: the others need not be asked."""
    own = getattr(Sink, name)
    return tuple(getattr(sink, name) for sink in sinks if getattr(type(sink), name) is not own)
