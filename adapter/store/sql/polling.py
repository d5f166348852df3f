"""Sees what other processes do to runs by looking again and again: for databases that do not tell."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from adapter.store.sql.faults import DATABASE_ERRORS
from adapter.store.sql.listeners import Listeners

_UNKNOWN = object()


class Poll:
    """Wakes listeners when the progress of their run is another than before.

    Args:
        listeners: to wake; nothing is looked at while there are none.
        progress: of runs, by their digests; a run that is over has none.
        interval_seconds: between two looks.
    """

    def __init__(
        self,
        listeners: Listeners,
        progress: Callable[[Collection[bytes]], Awaitable[Mapping[bytes, object]]],
        interval_seconds: float,
    ) -> None:
        self._listeners = listeners
        self._progress = progress
        self._interval_seconds = interval_seconds
        self._seen: dict[bytes, object] = {}
        self._task: asyncio.Task[None] | None = None

    async def watch(self, run: bytes) -> None:
        """See how far a run is now, and go on looking."""
        if self._task is None:
            self._task = asyncio.create_task(self._look_again())
        if run not in self._seen:
            await self._look({run})

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _look_again(self) -> None:
        try:
            while self._listeners.runs:
                await asyncio.sleep(self._interval_seconds)
                for run in self._seen.keys() - self._listeners.runs:
                    del self._seen[run]
                await self._look(set(self._listeners.runs))
        finally:
            self._task = None

    async def _look(self, watched: Collection[bytes]) -> None:
        try:
            progress = await self._progress(watched)
        except DATABASE_ERRORS:  # whoever waits asks the database next, and hears of it
            progress = dict.fromkeys(watched, _UNKNOWN)
        for run in watched:
            now = progress.get(run)
            if run in self._seen and (now is _UNKNOWN or now != self._seen[run]):
                self._listeners.wake([run])
            self._seen[run] = now
