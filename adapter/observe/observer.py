"""Tells sinks of requests and calls as they begin and end; what is given out when something listens.

The app has an `Observer`, or None when nothing is to be told: then no request is touched.
"""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

import msgspec

from adapter.hosted import Hosting
from adapter.observe.exchange import (
    Call,
    Exchange,
    ObservedRun,
    Operation,
    Transport,
    current,
    request_id,
)
from adapter.observe.store import observed_store
from adapter.observe.tools import ObservedMcp, ObservedTool
from adapter.observe.upstream import observed_upstream
from adapter.store.base import ResponseStore
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream


class Sink:
    """Is told of what happens; does nothing with it by itself."""

    def begin(self, exchange: Exchange) -> None:
        """A request has come."""

    def run(self, exchange: Exchange) -> None:
        """A response is going to be made."""

    def end(self, exchange: Exchange) -> None:
        """A request is over."""

    def begin_call(self, exchange: Exchange, call: Call) -> None:
        """An upstream or a tool is going to be called; `call.headers` may be set."""

    def end_call(self, exchange: Exchange, call: Call) -> None:
        """A call is over."""

    def store(self, operation: str, seconds: float, *, failed: bool) -> None:
        """The store was asked for something."""

    def retry(self, route: str) -> None:
        """A request is sent upstream once more, because the first try was not taken up."""

    def breaker(self, route: str, *, is_open: bool) -> None:
        """An upstream is left alone from now on, or asked again."""


class Observer:
    """Tells its sinks.

    Args:
        sinks: those that are told.
        times_answers: say in a header of answers how long they took.

    Attributes:
        times_answers: as given.
    """

    def __init__(self, sinks: Iterable[Sink], *, times_answers: bool = False) -> None:
        self._sinks = tuple(sinks)
        self.times_answers = times_answers

    # Requests

    @contextmanager
    def exchange(
        self,
        transport: Transport,
        method: str,
        endpoint: str,
        headers: Mapping[str, str],
        id: str | None = None,
    ) -> Generator[Exchange]:
        """Observe a request for as long as the block runs.

        Args:
            transport: how it came.
            method: of the request.
            endpoint: as `adapter.asgi.paths` has it.
            headers: of the request.
            id: of the request, if it has one of its own.
        """
        exchange = Exchange(transport, method, endpoint, id or request_id.get(), headers)
        self.begin(exchange)
        token = current.set(exchange)
        id_token = request_id.set(exchange.request_id)
        error: BaseException | None = None
        try:
            yield exchange
        except BaseException as exc:
            error = exc
            raise
        finally:
            self.end(exchange, error)
            request_id.reset(id_token)
            current.reset(token)

    def begin(self, exchange: Exchange) -> None:
        """Begin to observe a request that another task will see the end of."""
        for sink in self._sinks:
            sink.begin(exchange)

    def end(self, exchange: Exchange, error: BaseException | None = None) -> None:
        """Tell of the end of a request."""
        exchange.end(error)
        for sink in reversed(self._sinks):
            sink.end(exchange)

    def run(
        self, exchange: Exchange, run: ObservedRun, request: ResponseRequest, model: str
    ) -> None:
        """Tell of a response that is going to be made.

        Args:
            exchange: the request.
            run: makes it.
            request: what the client asked.
            model: what the upstream calls the model.
        """
        exchange.run, exchange.request, exchange.model = run, request, model
        exchange.stream = bool(request.stream) or exchange.transport == "websocket"
        for sink in self._sinks:
            sink.run(exchange)

    # Calls

    @contextmanager
    def call(
        self, exchange: Exchange, operation: Operation, name: str, kind: str
    ) -> Generator[Call]:
        """Observe a call of a tool for as long as the block runs.

        Args:
            exchange: the request that it is made for.
            operation: what is called.
            name: of the tool.
            kind: of the tool.
        """
        call = Call(operation, name, kind)
        self.begin_call(exchange, call)
        error: BaseException | None = None
        try:
            yield call
        except BaseException as exc:
            error = exc
            raise
        finally:
            self.end_call(exchange, call, error)

    def begin_call(self, exchange: Exchange, call: Call) -> None:
        """Tell of a call that is going to be made."""
        for sink in self._sinks:
            sink.begin_call(exchange, call)

    def end_call(self, exchange: Exchange, call: Call, error: BaseException | None) -> None:
        """Tell of the end of a call."""
        call.end(error)
        for sink in reversed(self._sinks):
            sink.end_call(exchange, call)

    # What happens whatever the request is

    def stored(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Tell of something that the store was asked for."""
        for sink in self._sinks:
            sink.store(operation, seconds, failed=failed)

    def retried(self, route: str) -> None:
        """Tell of another try of a request to an upstream."""
        for sink in self._sinks:
            sink.retry(route)

    def breaker(self, route: str, *, is_open: bool) -> None:
        """Tell that an upstream is left alone, or asked again."""
        for sink in self._sinks:
            sink.breaker(route, is_open=is_open)

    # Seams

    def upstream(self, upstream: Upstream, exchange: Exchange) -> Upstream:
        """Return an upstream whose calls are observed, for one request."""
        return observed_upstream(upstream, self, exchange)

    def hosting(self, hosting: Hosting, exchange: Exchange) -> Hosting:
        """Return hosted tools whose calls are observed, for one request."""
        mcp = None if hosting.mcp is None else ObservedMcp(hosting.mcp, self, exchange)
        runners = {
            type_: ObservedTool(runner, self, exchange) for type_, runner in hosting.runners.items()
        }
        return msgspec.structs.replace(hosting, mcp=mcp, runners=runners)

    def store(self, store: ResponseStore) -> ResponseStore:
        """Return a store whose answers are timed."""
        return observed_store(store, self.stored)
