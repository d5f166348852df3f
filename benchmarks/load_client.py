"""What connections of the load generator have in common: rounds, times, counts."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from typing import Any
from urllib.parse import SplitResult

# How the text of a delta begins, in either API: `mock_upstream.WORD`, or several of it in one. What
# comes before says nothing yet, and may come before the model server has said anything.
DELTA_MARK = b'" token'


class Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0
        self.errors: Counter[str] = Counter()
        self.first_event_ms: list[float] = []
        self.first_delta_ms: list[float] = []
        self.stream_ms: list[float] = []


class Client(asyncio.Protocol, ABC):
    """One connection: sends the request, reads the answer, and again.

    Attributes:
        ready: done when the connection can be asked something.
        done: done when all is answered, or nothing more can be.
    """

    def __init__(self, url: SplitResult, request: bytes, rounds: int, tally: Tally) -> None:
        self._url = url
        self._request = request
        self._rounds_left = rounds
        self._tally = tally
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self._is_open = False  # a request waits for its answer, or for more of it

    @staticmethod
    @abstractmethod
    def encode(url: SplitResult, body: bytes) -> bytes:
        """Return what is written for a request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's is not a subclass of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail("connection lost")

    def start(self) -> None:
        if self.done.done():
            return
        # Per-request state
        self._has_event = self._has_delta = False
        self._is_open = True
        self._started = now_ms()
        self._transport.write(self._request)

    def _look(self, data: bytes) -> None:
        """Take the times of what comes first."""
        if not self._has_event:
            self._has_event = True
            self._tally.first_event_ms.append(now_ms() - self._started)
        if not self._has_delta and DELTA_MARK in data:
            self._has_delta = True
            self._tally.first_delta_ms.append(now_ms() - self._started)

    def _end(self) -> None:
        self._is_open = False
        self._tally.stream_ms.append(now_ms() - self._started)
        self._rounds_left -= 1
        if self._rounds_left:
            self.start()
        else:
            self._close()

    def fail(self, reason: str) -> None:
        """Give the connection up, unless it is done."""
        if not self.done.done():
            self._tally.errors[reason] += 1
            self._close()

    def _close(self) -> None:
        self._is_open = False
        self.done.set_result(None)
        if not self.ready.done():
            self.ready.set_result(None)
        self._transport.close()


def now_ms() -> float:
    # Not the loop's time: uvloop's has a resolution of 1 ms.
    return time.perf_counter() * 1000
