"""Hands the events of one run to whatever writes them: the same for event streams and WebSockets.

One write per list of events. Beside the pump there is a timer that begins the stream when the
upstream takes long, and keeps it alive when it is silent. Nothing is queued: the next read from
upstream comes after the write.

Events are numbered when they are made, so whoever makes some must be the next to write: the timer
makes its own only when no write is under way, and the pump waits for them before it writes.
"""

import asyncio
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
    """

    def __init__(
        self,
        run: ResponseRun,
        times: StreamTimes,
        write: EventWriter,
        comment: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._run = run
        self._times = times
        self._write = write
        self._comment = comment
        self._has_begun = False
        self._is_writing = False
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._written_at = 0.0
        self._aside: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._interruption: AdapterError | None = None

    async def __call__(self) -> None:
        """Write everything.

        Raises:
            AdapterError: it failed before anything was written.
        """
        self._task = asyncio.current_task(self._loop)
        try:
            await self._pump()
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

    async def _pump(self) -> None:
        if self._times.start_grace > 0:
            self._set_timer(self._times.start_grace, self._start_late)
        else:
            self._begin()
            self._start_aside(self._run.start())
        write, run = self._write, self._run
        events = run.events()
        try:
            async for batch in events:
                self._is_writing = True
                if self._aside is not None or not self._has_begun:
                    await self._wait_for_turn()
                await write(batch, is_last=run.is_over)
                self._is_writing = False
                self._written_at = self._clock()
        finally:
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

    async def _wait_for_turn(self) -> None:
        if self._aside is not None:
            aside, self._aside = self._aside, None
            await aside
        if not self._has_begun:
            self._begin()

    def _begin(self) -> None:
        self._has_begun = True
        if self._timer is not None:
            self._timer.cancel()
        if self._sends_life:
            self._set_timer(self._times.keepalive_interval, self._check_life)

    @property
    def _sends_life(self) -> bool:
        mode = self._times.keepalive
        return mode == "event" or (mode == "comment" and self._comment is not None)

    # Beside the pump

    def _set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timer = self._loop.call_later(seconds, callback)

    def _start_late(self) -> None:
        """The grace is over: begin without the upstream."""
        if not self._run.is_started:
            self._begin()
            self._start_aside(self._run.start())

    def _check_life(self) -> None:
        """Look when a silence could be an interval long; if it is shorter, look again then."""
        interval = self._times.keepalive_interval
        silence = self._clock() - self._written_at
        if self._is_busy:
            silence = 0.0
        elif silence >= interval:
            silence = 0.0
            events = [self._run.keepalive()] if self._times.keepalive == "event" else []
            self._start_aside(events)
        self._set_timer(interval - silence, self._check_life)

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
        self._written_at = self._clock()
