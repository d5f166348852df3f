"""An upstream whose calls are observed. Its answers are its own: what comes is not touched.

It stands below retries, so that each try is a call.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from types import TracebackType
from typing import Protocol
from urllib.parse import urlsplit

from adapter.observe.exchange import Call, Exchange, Operation, current
from adapter.upstream.base import ModelLister, Poster, Upstream, UpstreamAnswer

Opened = AbstractAsyncContextManager[UpstreamAnswer]


class TellsOfCalls(Protocol):
    """Is told of the calls of a request."""

    def begin_call(self, exchange: Exchange, call: Call) -> None: ...

    def end_call(self, exchange: Exchange, call: Call, error: BaseException | None) -> None: ...


class ObservedUpstream:
    """Stands for another one, and can what that can: `ModelLister`, `Poster`.

    Args:
        upstream: the other one.
        observer: is told of calls that belong to a request.
        route: name of the route.
        base_url: of the upstream; empty if it has none.
    """

    def __init__(
        self, upstream: Upstream, observer: TellsOfCalls, route: str, base_url: str = ""
    ) -> None:
        self._upstream = upstream
        self._observer = observer
        self._route = route
        self._address = _address_of(base_url)
        if isinstance(upstream, ModelLister):
            self.list_models = upstream.list_models
        if isinstance(upstream, Poster):
            self._take_post = upstream.post
            self.post = self._post

    def open(self, body: bytes, headers: Mapping[str, str]) -> Opened:
        """See `Upstream.open`."""
        exchange = current.get()
        if exchange is None:
            return self._upstream.open(body, headers)
        call = self._begin("chat", exchange)
        opened = self._upstream.open(body, {**headers, **call.headers} if call.headers else headers)
        return _ObservedCall(opened, call, self._observer, exchange)

    async def aclose(self) -> None:
        """See `Upstream.aclose`."""
        await self._upstream.aclose()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Opened:
        exchange = current.get()
        if exchange is None:
            return self._take_post(path, body, headers)
        call = self._begin("count_tokens", exchange)
        opened = self._take_post(path, body, {**headers, **(call.headers or {})})
        return _ObservedCall(opened, call, self._observer, exchange)

    def _begin(self, operation: Operation, exchange: Exchange) -> Call:
        call = Call(operation, exchange.model)
        call.route, call.address = self._route, self._address
        exchange.turn = call
        self._observer.begin_call(exchange, call)
        return call


class _ObservedCall:
    """One call: entering sends it, leaving ends it."""

    __slots__ = ("_call", "_exchange", "_observer", "_opened")

    def __init__(
        self, opened: Opened, call: Call, observer: TellsOfCalls, exchange: Exchange
    ) -> None:
        self._opened = opened
        self._call = call
        self._observer = observer
        self._exchange = exchange

    async def __aenter__(self) -> UpstreamAnswer:
        try:
            answer = await self._opened.__aenter__()
        except BaseException as exc:
            self._end(exc)
            raise
        call = self._call
        call.first_byte = perf_counter()
        call.status = answer.status
        return answer

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._opened.__aexit__(exc_type, exc, traceback)
        finally:
            self._end(exc)

    def _end(self, error: BaseException | None) -> None:
        call = self._call
        if error is None and call.status != 200:  # asked again, without a word
            call.outcome = "refused"
        self._observer.end_call(self._exchange, call, error)
        self._exchange.upstream_seconds += call.ended - call.started


def _address_of(base_url: str) -> tuple[str | None, int | None]:
    """Return host and port; nothing else of a URL is for everybody."""
    parts = urlsplit(base_url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.hostname and port is None:
        port = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.hostname, port
