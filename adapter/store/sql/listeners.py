"""Who in this process follows which run, and how they are woken."""

import asyncio
from collections.abc import Collection, Generator
from contextlib import contextmanager


class Listener:
    """Follows one run.

    Args:
        longest_seconds: of a wait, after which it wakes for nothing: word of what happened may get
            lost on the way here.
    """

    def __init__(self, longest_seconds: float) -> None:
        self.happened = asyncio.Event()
        self._longest_seconds = longest_seconds

    async def wait(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(min(timeout_seconds, self._longest_seconds)):
                await self.happened.wait()
        except TimeoutError:
            return
        self.happened.clear()


class Listeners:
    """All listeners of a process, by the digest of their run."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._of: dict[bytes, set[Listener]] = {}

    @property
    def runs(self) -> Collection[bytes]:
        """Return which runs are followed."""
        return self._of.keys()

    @contextmanager
    def listening(self, run: bytes) -> Generator[Listener]:
        listener = Listener(self._longest_seconds)
        self._of.setdefault(run, set()).add(listener)
        try:
            yield listener
        finally:
            self._of[run].remove(listener)
            if not self._of[run]:
                del self._of[run]

    def wake(self, runs: Collection[bytes]) -> None:
        for run in runs:
            for listener in self._of.get(run, ()):
                listener.happened.set()
