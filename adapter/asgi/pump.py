"""Hands the events of one run to whatever writes them: the same for event streams and WebSockets.

One write per list of events. Beside the pump there is one timer: it begins the stream when the
upstream takes long, and keeps it alive when it is silent. Nothing is queued: the next read from
upstream comes after the write.

Events are numbered when they are made, so whoever makes some must be the next to write: the timer
makes its own only when no write is under way, and the pump waits for them before it writes.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

import msgspec

from adapter.config import Settings
from adapter.errors import AdapterError
from adapter.loop import ResponseRun
from adapter.types.events import Event

_INTERRUPT_AGAIN_SECONDS = 0.02

KeepaliveMode = Literal["event", "comment", "off"]


class EventWriter(Protocol):
    """Sends events to the client."""

    async def __call__(self, events: Sequence[Event], *, is_last: bool) -> None:
        """Return when they are sent; `is_last` says that no more will follow."""
        ...


class StreamTimes(msgspec.Struct, frozen=True):
    """When to send something although nothing came.

    Attributes:
        start_grace: seconds before the stream begins without the upstream.
        keepalive: what to send while the upstream is silent.
        keepalive_interval: seconds of silence.
        slow_reader_timeout: seconds that a client may take to read; 0 is for ever.
    """

    start_grace: float
    keepalive: KeepaliveMode
    keepalive_interval: float
    slow_reader_timeout: float = 0.0


def stream_times(settings: Settings) -> StreamTimes:
    """Return the times of the settings."""
    return StreamTimes(
        settings.start_grace,
        settings.keepalive,
        settings.keepalive_interval,
        settings.slow_reader_timeout,
    )


class EventPump:
    """Pumps the events of one run.

    Args:
        run: makes the events.
        times: when to send something although nothing came.
        write: sends events.
        comment: sends a sign of life that is no event, where there is such a thing.
        look: is called now and then, and returns in how many seconds it has to be again. It shares
            the timer of the pump: another one is 540 bytes, and 0.8 µs.
    """

    # What most requests leave as it is costs nothing as an attribute of the class.
    _has_begun = False
    _is_writing = False
    _aside: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _task: asyncio.Task[None] | None = None
    _interruption: AdapterError | None = None

    def __init__(
        self,
        run: ResponseRun,
        times: StreamTimes,
        write: EventWriter,
        comment: Callable[[], Awaitable[None]] | None = None,
        look: Callable[[], float] | None = None,
    ) -> None:
        self._run = run
        self._times = times
        self._write = write
        self._comment = comment
        self._look_beside = look
        mode = times.keepalive
        sends_life = mode == "event" or (mode == "comment" and comment is not None)
        self._interval = times.keepalive_interval if sends_life else math.inf
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()  # or asked, before anything is

    async def __call__(self) -> None:
        """Write everything.

        Raises:
            AdapterError: it failed before anything was written.
        """
        self._task = asyncio.current_task(self._loop)
        write, run = self._write, self._run
        events = run.events()
        try:
            self._look()
            async for batch in events:
                self._is_writing = True
                if self._aside is not None:
                    aside, self._aside = self._aside, None
                    await aside
                self._has_begun = True
                await write(batch, is_last=run.is_over)
                self._is_writing = False
                self._written_at = self._loop.time()
        except asyncio.CancelledError:
            if self._interruption is None or self._task is None or self._task.uncancel():
                raise
            await self._end(self._interruption)
        finally:
            self._task = None
            if self._timer is not None:
                self._timer.cancel()
            if self._aside is not None:
                self._aside.cancel()
            await events.aclose()

    def interrupt(self, error: AdapterError) -> None:
        """End the stream, as soon as nothing is being written: half a write would break it."""
        if self._task is None or self._run.is_over:
            return
        if self._is_busy:
            self._loop.call_later(_INTERRUPT_AGAIN_SECONDS, self.interrupt, error)
        elif self._interruption is None:
            self._interruption = error
            self._task.cancel()

    async def _end(self, error: AdapterError) -> None:
        """Say that the response has failed.

        Raises:
            AdapterError: nothing was said before.
        """
        if not self._run.is_started:
            raise error
        await self._write(await self._run.break_off(error), is_last=True)

    # Beside the pump

    def _look(self) -> None:
        """Break a silence that has lasted, and look again when the next one could have."""
        silence = 0.0 if self._is_busy else self._loop.time() - self._written_at
        if silence >= self._longest_silence:
            self._break_silence()
            silence = 0.0
        left = min(self._longest_silence - silence, self._interval)
        if self._look_beside is not None:
            left = min(left, self._look_beside())
        if left < math.inf:
            self._timer = self._loop.call_later(left, self._look)

    def _break_silence(self) -> None:
        """Begin without the upstream, or give a sign of life."""
        if self._run.is_over:
            return  # the last events have their numbers, and leave once they are kept
        if self._has_begun:
            is_event = self._times.keepalive == "event"
            self._start_aside([self._run.keepalive()] if is_event else [])
        elif not self._run.is_started:
            self._has_begun = True
            self._start_aside(self._run.start())

    @property
    def _longest_silence(self) -> float:
        return self._interval if self._has_begun else self._times.start_grace

    @property
    def _is_busy(self) -> bool:
        return self._is_writing or (self._aside is not None and not self._aside.done())

    def _start_aside(self, events: Sequence[Event]) -> None:
        self._aside = asyncio.create_task(self._write_aside(events))

    async def _write_aside(self, events: Sequence[Event]) -> None:
        if events:
            await self._write(events, is_last=False)
        elif self._comment is not None:
            await self._comment()
        self._written_at = self._loop.time()
