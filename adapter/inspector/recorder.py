"""The last requests, and who wants to hear of them: bounded by number and by bytes.

The oldest go first. A request that went goes on undisturbed; what comes of it is not kept.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable

import msgspec

from adapter.inspector.exchange import Exchange, Way


class Bounds(msgspec.Struct, frozen=True):
    """How much is kept, at most.

    Attributes:
        requests: all of them.
        total_bytes: of all requests together.
        request_bytes: of one request; what comes behind is not kept.
    """

    requests: int = 200
    total_bytes: int = 64 * 1024 * 1024
    request_bytes: int = 8 * 1024 * 1024


class Listener:
    """Hears which requests have changed: each once, however often it did.

    Attributes:
        changed: set when there is something to take.
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._ids: dict[str, None] = {}

    def tell(self, id: str) -> None:
        """Note that a request has changed, or is gone."""
        self._ids[id] = None
        self.changed.set()

    def take(self) -> list[str]:
        """Return the ids of all that have changed since the last time."""
        ids, self._ids = list(self._ids), {}
        self.changed.clear()
        return ids


class Recorder:
    """Keeps requests.

    Args:
        bounds: how much.
        clock: seconds of any kind.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        bounds: Bounds | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._now = now
        self._ids = itertools.count(1)
        self._kept: dict[str, Exchange] = {}
        self._size = 0
        self._listeners: list[Listener] = []

    def begin(
        self, way: Way, method: str, path: str, headers: Iterable[tuple[str, str]]
    ) -> Exchange:
        """Begin to record a request."""
        exchange = Exchange(
            str(next(self._ids)),
            way,
            method,
            path,
            headers,
            clock=self._clock,
            started_at=self._now(),
            grow=self._grow,
        )
        self._kept[exchange.id] = exchange
        while len(self._kept) > self._bounds.requests:
            self._drop_oldest()
        self._tell(exchange.id)
        return exchange

    def all(self) -> list[Exchange]:
        """Return what is kept, the oldest first."""
        return list(self._kept.values())

    def get(self, id: str) -> Exchange | None:
        """Return a request, if it is kept."""
        return self._kept.get(id)

    def drop(self, ids: Iterable[str]) -> None:
        """Forget requests."""
        for id in ids:
            if (exchange := self._kept.pop(id, None)) is not None:
                self._size -= exchange.size
                exchange.entries.clear()  # it may run on for long
                self._tell(id)

    def listen(self) -> Listener:
        """Return what hears of changes from now on, until it is given to `unlisten`."""
        listener = Listener()
        self._listeners.append(listener)
        return listener

    def unlisten(self, listener: Listener) -> None:
        """Let it hear of nothing more."""
        self._listeners.remove(listener)

    def _grow(self, exchange: Exchange, size: int) -> bool:
        """Make room, and tell whether there is any."""
        if exchange.id not in self._kept:
            return False
        self._tell(exchange.id)
        if exchange.is_cut or exchange.size + size > self._bounds.request_bytes:
            return False
        while self._size + size > self._bounds.total_bytes and len(self._kept) > 1:
            self._drop_oldest()
            if exchange.id not in self._kept:
                return False
        if self._size + size > self._bounds.total_bytes:
            return False
        self._size += size
        return True

    def _drop_oldest(self) -> None:
        self.drop([next(iter(self._kept))])

    def _tell(self, id: str) -> None:
        for listener in self._listeners:
            listener.tell(id)
