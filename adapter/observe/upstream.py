"""An upstream whose calls are observed. Its answers are its own: what comes is not touched."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol

from adapter.observe.exchange import Call, Exchange
from adapter.upstream.base import Poster, Upstream, UpstreamAnswer


class TellsOfCalls(Protocol):
    """Is told of the calls of a request."""

    def begin_call(self, exchange: Exchange, call: Call) -> None: ...

    def end_call(self, exchange: Exchange, call: Call, error: BaseException | None) -> None: ...


def observed_upstream(upstream: Upstream, observer: TellsOfCalls, exchange: Exchange) -> Upstream:
    """Return an upstream for one request.

    Args:
        upstream: that is asked.
        observer: is told.
        exchange: the request.
    """
    kind = _ObservedPoster if isinstance(upstream, Poster) else _ObservedUpstream
    return kind(upstream, observer, exchange)


class _ObservedUpstream:
    def __init__(self, upstream: Upstream, observer: TellsOfCalls, exchange: Exchange) -> None:
        self._upstream = upstream
        self._observer = observer
        self._exchange = exchange

    def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """See `Upstream.open`."""
        call = Call("chat", self._exchange.model)
        self._exchange.call = call
        self._observer.begin_call(self._exchange, call)
        if call.headers:
            headers = {**headers, **call.headers}
        return _ObservedCall(
            self._upstream.open(body, headers), call, self._observer, self._exchange
        )

    async def aclose(self) -> None:
        """See `Upstream.aclose`."""
        await self._upstream.aclose()


class _ObservedPoster(_ObservedUpstream):
    """One that takes other posts, too; see `Poster`."""

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """See `Poster.post`."""
        assert isinstance(self._upstream, Poster), "only what is one is wrapped so"
        call = Call("count_tokens", self._exchange.model)
        self._exchange.call = call
        self._observer.begin_call(self._exchange, call)
        opened = self._upstream.post(path, body, {**headers, **call.headers})
        return _ObservedCall(opened, call, self._observer, self._exchange)


class _ObservedCall:
    """One call: entering sends it, leaving ends it."""

    def __init__(
        self,
        opened: AbstractAsyncContextManager[UpstreamAnswer],
        call: Call,
        observer: TellsOfCalls,
        exchange: Exchange,
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
        self._call.answered(answer.status)
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
        self._observer.end_call(self._exchange, self._call, error)
        self._exchange.upstream_seconds += self._call.ended - self._call.started
