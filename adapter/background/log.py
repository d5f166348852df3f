"""The log of one run: written in small groups, so that a store has a write per moment and not per
event.

The same write renews the lease, and tells whether the run is still ours. A store that does not
answer is asked again: repeating a write does no harm.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

import msgspec

from adapter.background.limits import RunLimits
from adapter.errors import AdapterError, StoreError
from adapter.store.base import LoggedEvent, ResponseRecord, ResponseStore, StoredItem
from adapter.types.events import Event

logger = logging.getLogger(__name__)

EVENT_BYTES = 100  # what a store keeps beside the bytes of an event, about
RETRY_SECONDS = 0.25
MAX_RETRY_SECONDS = 5.0

_encode = msgspec.json.Encoder().encode


class LostRunError(Exception):
    """The run is over, deleted, or another's: whoever ran it stops."""


class FullLogError(AdapterError):
    """The events of a run are more than its log may hold."""


def encode_log(events: Iterable[Event]) -> list[LoggedEvent]:
    """Return the events as they are logged: their JSON, which begins with their type."""
    return [LoggedEvent(event.sequence_number, _encode(event)) for event in events]


class RunLog:
    """Writes the log of a run that this process holds.

    Args:
        store: where the log is.
        id: of the response.
        holder: who holds the lease.
        limits: how much, and how often.

    Attributes:
        begun: how many writes were begun.
        confirmed: the last of them after which the run was still ours.
        count: how many events were added.
    """

    def __init__(self, store: ResponseStore, id: str, holder: str, limits: RunLimits) -> None:
        self.begun = 0
        self.confirmed = 0
        self.count = 0
        self._store = store
        self._id = id
        self._holder = holder
        self._limits = limits
        self._waiting: list[LoggedEvent] = []
        self._waiting_bytes = 0
        self._bytes = 0
        self._is_dirty = asyncio.Event()
        self._lock = asyncio.Lock()

    @property
    def is_behind(self) -> bool:
        """Too much is waiting to be written."""
        return self._waiting_bytes > self._limits.group_bytes

    def add(self, events: Iterable[Event]) -> None:
        """Have events written soon.

        Raises:
            FullLogError: they are the last that fit.
        """
        logged = encode_log(events)
        size = _size(logged)
        self.count += len(logged)
        self._bytes += size
        self._waiting_bytes += size
        self._waiting += logged
        self._is_dirty.set()
        if self._bytes > self._limits.max_log_bytes:
            raise FullLogError(
                "The response is longer than the log of a background run may be: the limit is "
                f"{self._limits.max_log_bytes} bytes."
            )

    async def keep_writing(self) -> None:
        """Write what comes, and give a sign of life when nothing does, until cancelled.

        Raises:
            LostRunError: the run is no longer ours.
        """
        while True:
            try:
                async with asyncio.timeout(self._limits.heartbeat_seconds):
                    await self._is_dirty.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(self._limits.group_seconds)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            LostRunError: the run is no longer ours.
        """
        async with self._lock:
            self._is_dirty.clear()
            events = tuple(self._waiting)
            if not await self._append(events):
                raise LostRunError
            del self._waiting[: len(events)]
            self._waiting_bytes -= _size(events)

    async def _append(self, events: Sequence[LoggedEvent]) -> bool:
        pause = RETRY_SECONDS
        while True:
            self.begun += 1
            begun = self.begun
            try:
                is_ours = await self._store.append_events(
                    self._id,
                    events,
                    holder=self._holder,
                    seconds=self._limits.lease_seconds,
                )
            except StoreError as error:
                logger.warning("events of a background run wait for the store: %s", error.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_RETRY_SECONDS)
            else:
                self.confirmed = begun if is_ours else 0
                return is_ours

    async def finish(
        self, record: ResponseRecord, last: Iterable[Event], appended: Sequence[StoredItem] = ()
    ) -> bool:
        """Write all that is left and end the run; False if it was over, or another's.

        Args:
            record: the final response.
            last: its last events.
            appended: to its conversation.
        """
        async with self._lock:
            events = [*self._waiting, *encode_log(last)]
            pause = RETRY_SECONDS
            while True:
                try:
                    return await self._store.finish(record, events, appended, holder=self._holder)
                except StoreError as error:
                    logger.warning("a background run waits for the store: %s", error.message)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, MAX_RETRY_SECONDS)

    async def release(self) -> None:
        """Write what waits and give the lease up, so that another process takes the run at once.

        Raises:
            StoreError: it lasts until it runs out.
        """
        async with self._lock:
            await self._store.append_events(
                self._id, tuple(self._waiting), holder=self._holder, seconds=0
            )


def _size(events: Sequence[LoggedEvent]) -> int:
    return sum(len(event.data) + EVENT_BYTES for event in events)
