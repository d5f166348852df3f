"""One run in the background: from its first event to its last, whoever asks for it meanwhile.

Three things go on beside each other: the response is made, its events are written, and somebody
listens for its end from outside (cancelled, deleted, taken over). Whichever ends first ends all.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing, suppress

from adapter.background.limits import RunLimits
from adapter.background.log import FullLogError, LostRunError, RunLog
from adapter.background.record import appended, with_response
from adapter.errors import AdapterError, StoreError
from adapter.loop import ResponseRun
from adapter.store.base import ResponseRecord, ResponseStore, Wakeups
from adapter.types.events import Event
from adapter.types.response import Response

logger = logging.getLogger(__name__)

# From a wake-up to a look at what it was for: our own writes wake us too.
LOOK_SECONDS = 0.2
# Behind every event: what is asked is only whether the log is closed.
_END_OF_LOG = 2**31 - 1


class DetachedRun:
    """A run whose lease this process holds.

    Args:
        run: makes the events.
        record: of the response, as it is stored.
        opening: the events that begin it, which the log does not have yet.
        store: where its log is.
        holder: who holds the lease.
        limits: how long, and how much.

    Attributes:
        record: of the response.
    """

    def __init__(
        self,
        run: ResponseRun,
        record: ResponseRecord,
        opening: Sequence[Event],
        store: ResponseStore,
        holder: str,
        limits: RunLimits,
    ) -> None:
        self.record = record
        self._run = run
        self._opening = opening
        self._store = store
        self._holder = holder
        self._limits = limits
        self._log = RunLog(store, record.id, holder, limits)
        self._deadline: asyncio.Timeout | None = None
        self._reason: AdapterError | None = None

    async def __call__(self) -> None:
        """Run to the end; what goes wrong is in the response. Cancelled, it just stops."""
        try:
            async with (
                self._store.wakeups(self.record.id) as wakeups,
                asyncio.TaskGroup() as group,
            ):
                making = group.create_task(self._make())
                beside = [
                    group.create_task(self._log.keep_writing()),
                    group.create_task(self._listen(wakeups)),
                    group.create_task(self._announce()),
                ]
                await asyncio.wait([making])
                for task in beside:
                    task.cancel()
        except* LostRunError:
            logger.debug("a background run was ended from outside")

    def fail(self, error: AdapterError) -> None:
        """End the run for this reason, unless it comes to its own end before."""
        self._reason = error
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    async def release(self) -> None:
        """Leave the run, once it has stopped, to whoever takes it next.

        Raises:
            StoreError: that will be when the lease has run out.
        """
        await self._log.release()

    @property
    def has_begun(self) -> bool:
        """The log has, or will have, something of the model's."""
        return self._log.count > len(self._opening)

    async def _make(self) -> None:
        last = await self._events()
        response: Response = last[-1].response  # type: ignore[union-attr]  # the last event has one
        record = with_response(self.record, response)
        if not await self._log.finish(record, last, appended(self.record, response)):
            raise LostRunError

    async def _events(self) -> Sequence[Event]:
        """Have all events written but the last, and return these."""
        try:
            async with asyncio.timeout(self._limits.max_seconds or None) as self._deadline:
                if self._reason is not None:
                    self.fail(self._reason)
                return await self._pump()
        except TimeoutError:
            return self._run.fail(self._reason or _too_long(self._limits.max_seconds))
        except FullLogError as error:
            return self._run.fail(error)
        finally:
            self._deadline = None

    async def _pump(self) -> Sequence[Event]:
        self._log.add(self._opening)
        async with aclosing(self._run.events()) as batches:
            async for events in batches:
                if self._run.is_over:
                    return events
                self._log.add(events)
                if self._log.is_behind:
                    await self._log.flush()
        raise AssertionError("a run ends with its last event")

    async def _announce(self) -> None:
        """Say in the record, too, that the response is being made."""
        if not self._opening:
            return
        await self._log.flush()
        last = self._opening[-1]
        record = with_response(self.record, last.response)  # type: ignore[union-attr]  # they have one
        with suppress(StoreError):  # the log has it, and the record will
            await self._store.update_run(record, holder=self._holder)

    async def _listen(self, wakeups: Wakeups) -> None:
        """Wait until somebody ends the run, and look for it when there is reason to.

        Raises:
            LostRunError: somebody did.
        """
        while True:
            await wakeups.wait(self._limits.heartbeat_seconds)
            begun = self._log.begun
            await asyncio.sleep(LOOK_SECONDS)
            if self._log.confirmed > begun:
                continue  # a write since then has told
            with suppress(StoreError):
                page = await self._store.read_events(
                    self.record.owner, self.record.id, after=_END_OF_LOG, limit=1
                )
                if page is None or page.is_closed:
                    raise LostRunError


def _too_long(seconds: float) -> AdapterError:
    return AdapterError(
        f"The response took longer than a background run may: the limit is {seconds:g} seconds."
    )
