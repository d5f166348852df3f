"""An upstream that is asked again where that is safe, and left alone while it is down.

A request is sent again only if the upstream has not begun to work on it: there was no connection, or
it said (429, 503) when to come back, and that is soon. Longer waits are for the client: it sees a
status then, and not a stream that says nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

import msgspec

from adapter.errors import UpstreamError
from adapter.upstream.base import Upstream, UpstreamAnswer
from adapter.upstream.breaker import DOWN_STATUSES, Breaker

_LATER = frozenset({429, 503})

Sleep = Callable[[float], Awaitable[None]]


class Retries(msgspec.Struct, frozen=True):
    """When to ask again.

    Attributes:
        count: further tries of one request.
        longest_wait: seconds before one of them.
        sleep: waits.
        random: a number from 0 to 1.
        on_retry: is told of each.
    """

    count: int = 0
    longest_wait: float = 0.0
    sleep: Sleep = asyncio.sleep
    random: Callable[[], float] = random.random
    on_retry: Callable[[], None] | None = None


class GuardedUpstream:
    """Guards another upstream; what is kept open between requests stays the other's to close.

    Args:
        upstream: the other one.
        breaker: tells when it is left alone.
        retries: when to ask it again.
    """

    def __init__(self, upstream: Upstream, breaker: Breaker, retries: Retries) -> None:
        self.upstream = upstream
        self.breaker = breaker
        self.retries = retries

    def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """See `Upstream.open`; an upstream that is left alone is an `UpstreamError` too (503)."""
        return GuardedCall(self, body, headers)

    async def aclose(self) -> None:
        """See `Upstream.aclose`."""
        await self.upstream.aclose()


class GuardedCall:
    """One call; see `GuardedUpstream`."""

    _call: AbstractAsyncContextManager[UpstreamAnswer]

    def __init__(self, guarded: GuardedUpstream, body: bytes, headers: Mapping[str, str]) -> None:
        self._guarded = guarded
        self._body = body
        self._headers = headers
        self._tried = False
        self._status = 0

    async def __aenter__(self) -> UpstreamAnswer:
        self._tried = self._guarded.breaker.enter()
        try:
            answer = await self._ask()
        except BaseException as exc:
            self._settle(exc)
            raise
        self._status = answer.status
        self._body = b""  # it is asked no more, and a long one need not stay
        return answer

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._settle(exc)
        await self._call.__aexit__(exc_type, exc, traceback)

    async def _ask(self) -> UpstreamAnswer:
        retries = self._guarded.retries
        left = retries.count
        while True:
            call = self._guarded.upstream.open(self._body, self._headers)
            try:
                answer = await call.__aenter__()
            except UpstreamError as error:
                if not error.never_sent or not left:
                    raise
                wait = retries.longest_wait * retries.random()
            else:
                soon = _wanted_wait(answer) if left and answer.status in _LATER else None
                if soon is None or soon > retries.longest_wait:
                    self._call = call
                    return answer
                await call.__aexit__(None, None, None)
                wait = soon + (retries.longest_wait - soon) * retries.random()
            left -= 1
            await retries.sleep(wait)
            if retries.on_retry is not None:
                retries.on_retry()

    def _settle(self, exc: BaseException | None) -> None:
        self._guarded.breaker.leave(tried=self._tried, found=self._was_found(exc))

    def _was_found(self, exc: BaseException | None) -> bool | None:
        if isinstance(exc, UpstreamError) and exc.is_down:
            return False
        if self._status:
            return self._status not in DOWN_STATUSES
        return None if exc is None or not isinstance(exc, Exception) else True


def _wanted_wait(answer: UpstreamAnswer) -> float | None:
    """Return the seconds that an answer asks to wait; None if it names none, or a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = answer.headers.get(name, "").strip()
        if text.isascii() and text.replace(".", "", 1).isdigit():
            return float(text) * unit
    return None
