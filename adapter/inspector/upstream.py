"""An upstream whose calls are recorded, with what they say and what comes back."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from contextvars import ContextVar

from adapter.inspector.exchange import Exchange, Turn
from adapter.upstream.base import ModelLister, Poster, Upstream, UpstreamAnswer

# What runs is recorded in this one. Tasks take it with them.
current: ContextVar[Exchange | None] = ContextVar("adapter_inspected", default=None)

CHAT = "chat/completions"


class WatchedUpstream:
    """Records the calls of another one, in the request that is being served.

    It can what the other one can: list models (`ModelLister`), and take other posts (`Poster`).

    Args:
        upstream: the other one.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        if isinstance(upstream, ModelLister):
            self.list_models = upstream.list_models
        if isinstance(upstream, Poster):
            self._take_post = upstream.post
            self.post = self._post

    def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """See `Upstream.open`."""
        return _watched(self._upstream.open(body, headers), body, headers, CHAT)

    async def aclose(self) -> None:
        """See `Upstream.aclose`."""
        await self._upstream.aclose()

    def _post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        return _watched(self._take_post(path, body, headers), body, headers, path)


def _watched(
    opened: AbstractAsyncContextManager[UpstreamAnswer],
    body: bytes,
    headers: Mapping[str, str],
    path: str,
) -> AbstractAsyncContextManager[UpstreamAnswer]:
    exchange = current.get()
    return opened if exchange is None else _record(opened, exchange, body, headers, path)


@asynccontextmanager
async def _record(
    opened: AbstractAsyncContextManager[UpstreamAnswer],
    exchange: Exchange,
    body: bytes,
    headers: Mapping[str, str],
    path: str,
) -> AsyncGenerator[UpstreamAnswer]:
    turn = exchange.ask(body, headers, path)
    try:
        async with opened as answer:
            turn.answered(answer.status, answer.headers)
            yield _WatchedAnswer(answer, turn)
    except BaseException as exc:
        turn.ended(exc)
        raise
    turn.ended()


class _WatchedAnswer:
    def __init__(self, answer: UpstreamAnswer, turn: Turn) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._turn = turn

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._answer.chunks()) as chunks:
            async for chunk in chunks:
                self._turn.chunk(chunk)
                yield chunk
