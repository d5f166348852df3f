"""One-way signals that any thread may set and any thread or event loop may wait for.

Scripts and tests wait for them instead of sleeping. They carry no data: whoever sets one keeps
what happened.
"""

import asyncio
import threading

WAIT_LIMIT_SECONDS = 5.0


class Signal:
    """Set once, for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        with self._lock:
            self._event.set()
            for loop, waiter in self._waiters:
                loop.call_soon_threadsafe(waiter.set)
            self._waiters.clear()

    async def wait(self, limit_seconds: float | None = WAIT_LIMIT_SECONDS) -> None:
        """Wait in a coroutine.

        Raises:
            TimeoutError: it was not set within the limit.
        """
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._event.is_set():
                return
            self._waiters.append(entry)
        try:
            async with asyncio.timeout(limit_seconds):
                await entry[1].wait()
        finally:
            with self._lock:
                if entry in self._waiters:
                    self._waiters.remove(entry)

    def wait_in_thread(self, limit_seconds: float = WAIT_LIMIT_SECONDS) -> None:
        """Block the calling thread until it is set.

        Raises:
            TimeoutError: it was not set within the limit.
        """
        if not self._event.wait(limit_seconds):
            raise TimeoutError(f"not signalled within {limit_seconds} s")
