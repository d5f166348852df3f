"""Work in lanes: in order within one, side by side in different ones.

A lane has a task only while it has work. What waits is bounded in number and in bytes; what is
running, in number.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.errors import AdapterError, InvalidRequestError

Job = TypeVar("Job")
StartTask = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Lanes(Generic[Job]):
    """Serves the jobs of one connection.

    Args:
        serve: does one job; it may not raise.
        start: starts a task, in the group of the connection.
        limits: of the connection.
    """

    def __init__(
        self, serve: Callable[[Job], Awaitable[None]], start: StartTask, limits: ConnectionLimits
    ) -> None:
        self._serve = serve
        self._start = start
        self._limits = limits
        self._waiting: dict[str | None, deque[tuple[Job, int]]] = {}  # every lane there ever was
        self._waiting_count = 0
        self._waiting_bytes = 0
        self._tasks: dict[str | None, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(limits.running)
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def add(self, lane: str | None, job: Job, size: int) -> None:
        """Put a job behind the others of its lane.

        Args:
            lane: its name; None is the one without a name.
            job: what to do.
            size: bytes that it holds while it waits.

        Raises:
            InvalidRequestError: there are as many lanes as there may be.
            AdapterError: as much waits as may wait.
        """
        if lane not in self._waiting and lane is not None:
            self._check_number_of_lanes()
        if self._waiting_count and (
            self._waiting_count >= self._limits.waiting
            or self._waiting_bytes + size > self._limits.waiting_bytes
        ):
            raise _too_much_waits(self._waiting_count)
        self._waiting.setdefault(lane, deque()).append((job, size))
        self._waiting_count += 1
        self._waiting_bytes += size
        if lane not in self._tasks:
            self._is_idle.clear()
            self._tasks[lane] = self._start(self._work(lane))

    def drain(self) -> list[Job]:
        """Give up what waits, and return it; what runs goes on."""
        jobs = [job for queue in self._waiting.values() for job, _ in queue]
        for queue in self._waiting.values():
            queue.clear()
        self._waiting_count = self._waiting_bytes = 0
        return jobs

    def cancel(self) -> None:
        """Break off everything."""
        for task in self._tasks.values():
            task.cancel()

    async def wait_idle(self) -> None:
        """Return when nothing runs and nothing waits."""
        await self._is_idle.wait()

    async def _work(self, lane: str | None) -> None:
        queue = self._waiting[lane]
        try:
            while queue:
                async with self._free:
                    if queue:  # it may have been drained
                        await self._serve(self._next(queue))
        finally:
            del self._tasks[lane]
            if not self._tasks:
                self._is_idle.set()

    def _next(self, queue: deque[tuple[Job, int]]) -> Job:
        job, size = queue.popleft()
        self._waiting_count -= 1
        self._waiting_bytes -= size
        return job

    def _check_number_of_lanes(self) -> None:
        limit = self._limits.named_lanes
        if sum(name is not None for name in self._waiting) >= limit:
            raise InvalidRequestError(
                "This WebSocket connection has reached its maximum number of distinct stream IDs "
                f"({limit}). Reuse an existing stream_id or open a new WebSocket connection.",
                code="websocket_stream_limit_reached",
                param="stream_id",
            )


def _too_much_waits(count: int) -> AdapterError:
    return AdapterError(
        f"Too many requests wait on this WebSocket connection ({count}): send the next one when a "
        "response has ended.",
        status=429,
        type="too_many_requests",
        code="rate_limit_exceeded",
    )
