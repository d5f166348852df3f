"""Collects writes that wait into groups, each of which shares one commit.

The first write of a quiet time goes alone and at once; those that come meanwhile wait for it and
then go together. So the number of commits follows from how long one takes, and nothing is delayed
to fill a group. This knows nothing of SQL.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from adapter.errors import StoreError

logger = logging.getLogger(__name__)

_Write = TypeVar("_Write")
_Result = TypeVar("_Result")

MAX_GROUP = 256  # keeps transactions short; with more in one there was nothing left to gain

# Writes a group in one transaction. What comes back stands for each write in its place: its result,
# or what was wrong with it alone. Raises what was wrong with all.
Commit = Callable[[Sequence[_Write]], Awaitable[Sequence[_Result | StoreError]]]


class Group(Generic[_Write, _Result]):
    """Hands writes to `commit`, as many at a time as wait."""

    def __init__(self, commit: Commit[_Write, _Result]) -> None:
        self._commit = commit
        self._waiting: deque[tuple[_Write, asyncio.Future[_Result]]] = deque()
        self._begun: set[asyncio.Future[_Result]] = set()
        self._task: asyncio.Task[None] | None = None

    async def write(self, write: _Write, limit_seconds: float) -> _Result:
        """Return the write's result once it is committed.

        Who is cancelled hears of that when the write is over, so that nothing happens behind their
        back, or when the time is over.

        Raises:
            StoreError: it is not committed; or nobody knows, where the connection was lost.
            TimeoutError: nobody knows yet.
        """
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        until = _now() + limit_seconds
        try:
            await asyncio.wait({future}, timeout=limit_seconds)
        except asyncio.CancelledError:
            if future in self._begun:
                await asyncio.wait({future}, timeout=max(0.0, until - _now()))
            raise
        finally:
            is_late = future.cancel()
            if not future.cancelled():
                future.exception()  # nobody else may ask for it
        if is_late:
            raise TimeoutError
        return future.result()

    async def settle(self) -> None:
        """Wait until nothing waits any more."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        try:
            while self._waiting:
                count = min(MAX_GROUP, len(self._waiting))
                group = [self._waiting.popleft() for _ in range(count)]
                # Whoever gave up before it began does not want it any more.
                if wanted := [pair for pair in group if not pair[1].done()]:
                    self._begun = {future for _, future in wanted}
                    await self._commit_together(wanted)
        finally:
            self._task = None
            for _, future in self._waiting:  # none, unless the loop is being closed
                future.cancel()

    async def _commit_together(
        self, group: Sequence[tuple[_Write, asyncio.Future[_Result]]]
    ) -> None:
        message = "The response store failed."
        results: Sequence[_Result | StoreError] = ()
        try:
            results = await self._commit([write for write, _ in group])
        except StoreError as exc:
            message = exc.message
        except Exception:  # whatever it is, those who wait must hear of it
            logger.exception("writing to the response store failed unexpectedly")
        for index, (_, future) in enumerate(group):
            result = results[index] if results else StoreError(message)
            if future.done():
                continue
            if isinstance(result, StoreError):
                future.set_exception(result)
            else:
                future.set_result(result)


def _now() -> float:
    return asyncio.get_running_loop().time()
