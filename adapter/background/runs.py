"""The background runs of one process: begun, cancelled, taken over from lost processes, handed on.

Who holds the lease of a run makes it. A process that is killed gives no sign of life any more, and
another one finds its runs when their leases run out: one that has said nothing yet is begun anew,
every other one ends as failed. No call of a tool, and nothing that a client has seen, is made twice.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import msgspec

from adapter.background.follow import read_log
from adapter.background.handover import read_handover
from adapter.background.limits import RunLimits
from adapter.background.record import begun_again, cancelled, failed
from adapter.background.run import DetachedRun
from adapter.errors import AdapterError, StoreError
from adapter.loop import ResponseRun
from adapter.store.base import FINAL_STATUSES, LoggedEvent, ResponseRecord, ResponseStore
from adapter.tasks import stop
from adapter.types.events import Event
from adapter.types.response import Response

logger = logging.getLogger(__name__)

MAX_BEGUN = 3  # so many processes may die of one request
MAX_ORPHANS = 10  # that are read at one time: each may hold a request of the largest size, twice
# What a log has before anything was said: created, queued, in_progress.
OPENING_EVENTS = 3
CLOSING_SECONDS = 5.0  # for the last words of runs that the process could not end

_HOLDER_BYTES = 12

GetStore = Callable[[], Awaitable[ResponseStore]]
ToRecord = Callable[[Response], ResponseRecord]


class Restarted(msgspec.Struct, frozen=True):
    """A run that goes on from where a lost process left it.

    Attributes:
        run: makes the events that the log does not have.
        until: what is held for as long as it runs.
    """

    run: ResponseRun
    until: AsyncExitStack


# (a record, how many events its log has) to its run; raises AdapterError if it cannot be run.
Restart = Callable[[ResponseRecord, int], Awaitable[Restarted]]


class BackgroundRuns:
    """All runs whose leases this process holds.

    Args:
        get_store: gives the store where they are kept, open.
        limits: how many, how long, how much.
        restart: makes the run of a record, for one that another process has lost.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        get_store: GetStore,
        limits: RunLimits,
        restart: Restart,
        now: Callable[[], float],
    ) -> None:
        self._get_store = get_store
        self._limits = limits
        self._restart = restart
        self._now = now
        self._holder = secrets.token_hex(_HOLDER_BYTES)
        self._runs: dict[str, tuple[DetachedRun, asyncio.Task[None]]] = {}
        self._starting: list[str] = []  # owners of runs that are being stored
        self._sweeper: asyncio.Task[None] | None = None

    # Beginning

    def open(self) -> None:
        """Begin to look for runs that other processes have lost."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._keep_sweeping())

    async def start(
        self, run: ResponseRun, to_record: ToRecord, until: AsyncExitStack, *, request: bytes = b""
    ) -> Response:
        """Store a run, begin it, and return its response, which is queued.

        Args:
            run: that has not begun.
            to_record: makes the record of its response.
            until: what is held for as long as it runs; once it has begun, the run closes it.
            request: for another process; empty if none can run it.

        Raises:
            AdapterError: there are as many runs as there may be.
            StoreError: it could not be stored.
        """
        opening = run.start()
        response: Response = opening[0].response  # type: ignore[union-attr]  # created has one
        record = msgspec.structs.replace(to_record(response), request=request)
        self._check_room(record.owner)
        self._starting.append(record.owner)
        try:
            store = await self._get_store()
            await store.start_run(record, self._holder, self._limits.lease_seconds)
        finally:
            self._starting.remove(record.owner)
        self._begin(store, run, record, opening, until.pop_all())
        return response

    def _check_room(self, owner: str) -> None:
        owners = [*self._starting, *(run.record.owner for run, _ in self._runs.values())]
        limits = self._limits
        if limits.max_runs and len(owners) >= limits.max_runs:
            raise _too_many(f"the limit is {limits.max_runs}")
        if limits.max_owner_runs and owners.count(owner) >= limits.max_owner_runs:
            raise _too_many(f"the limit of one owner is {limits.max_owner_runs}")

    def _begin(
        self,
        store: ResponseStore,
        run: ResponseRun,
        record: ResponseRecord,
        opening: list[Event],
        until: AsyncExitStack,
    ) -> None:
        detached = DetachedRun(run, record, opening, store, self._holder, self._limits)
        task = asyncio.create_task(self._live(detached, until))
        self._runs[record.id] = detached, task

    async def _live(self, run: DetachedRun, until: AsyncExitStack) -> None:
        try:
            async with until:
                await run()
        except Exception:
            # Its lease runs out, and whoever finds it ends it.
            logger.exception("a background run stopped unexpectedly")
        finally:
            del self._runs[run.record.id]

    # Ending

    async def cancel(self, record: ResponseRecord) -> ResponseRecord | None:
        """End a run, wherever it is made, and return what is stored of it then, if anything is.

        Raises:
            StoreError: the store does not answer.
        """
        if record.status in FINAL_STATUSES:
            return record
        store = await self._get_store()
        log = await read_log(store, record.owner, record.id)
        ended = cancelled(record, log)
        if not await store.finish(ended):
            return await store.get(record.owner, record.id)  # it came to an end before
        self.stop(record.id)
        return ended

    def stop(self, id: str) -> None:
        """Stop a run that was ended or deleted, if it is made here; elsewhere it notices itself."""
        if id in self._runs:
            self._runs[id][1].cancel()

    async def aclose(self) -> None:
        """Let runs end by themselves for a while; then hand them over, or end them as failed."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            await asyncio.wait([sweeper])
        await self._wait(self._limits.drain_seconds)
        left = list(self._runs.values())
        for run, task in left:
            if _is_safe(run.record, run.has_begun):
                task.cancel()
            else:
                run.fail(_stopped())
        await self._wait(CLOSING_SECONDS)
        await stop([task for _, task in left])
        await self._release([run for run, _ in left if _is_safe(run.record, run.has_begun)])

    async def _wait(self, seconds: float) -> None:
        if tasks := [task for _, task in self._runs.values()]:
            await asyncio.wait(tasks, timeout=seconds)

    async def _release(self, runs: list[DetachedRun]) -> None:
        """Have others take runs over at once; without an answer, they do when leases run out."""
        for run in runs:
            with suppress(StoreError):
                await run.release()

    # Runs of lost processes

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                logger.warning("no look for lost background runs: %s", error.message)
            except Exception:
                logger.exception("the look for lost background runs failed")
            await asyncio.sleep(self._limits.heartbeat_seconds)

    async def sweep(self) -> None:
        """Take over the runs that others have lost, or end them.

        Raises:
            StoreError: the store does not answer.
        """
        while await self._sweep_some():
            pass

    async def _sweep_some(self) -> bool:
        """Do so with some of them, and tell whether there are more."""
        store = await self._get_store()
        orphans = await store.orphans(self._now(), MAX_ORPHANS)
        taken = 0
        for record in orphans:
            if record.id in self._runs:
                continue  # ours, and late with its sign of life
            if await store.take_over(record.id, self._holder, self._limits.lease_seconds):
                taken += 1
                await self._settle(store, record)
        return taken > 0 and len(orphans) == MAX_ORPHANS

    async def _settle(self, store: ResponseStore, record: ResponseRecord) -> None:
        log = await read_log(store, record.owner, record.id)
        error = _lost()
        if _is_safe(record, len(log) > OPENING_EVENTS):
            try:
                await self._take_over(store, record, log)
            except StoreError:
                raise
            except AdapterError as exc:
                error = exc
            except Exception:
                logger.exception("a background run could not be taken over")
            else:
                return
        logger.warning("a background run was lost with its process: it ends as failed")
        ended, events = failed(record, log, error)
        await store.finish(ended, events, holder=self._holder)

    async def _take_over(
        self, store: ResponseStore, record: ResponseRecord, log: list[LoggedEvent]
    ) -> None:
        """Run a lost run here.

        Raises:
            AdapterError: it cannot be run, or not here.
        """
        handover = read_handover(record.request)
        if handover.begun >= MAX_BEGUN:
            raise _lost()
        self._check_room(record.owner)
        restarted = await self._restart(record, len(log))
        again = msgspec.structs.replace(handover, begun=handover.begun + 1)
        record = begun_again(record, again.encode())
        async with restarted.until as until:
            if await store.update_run(record, holder=self._holder):
                logger.info("a background run was lost with its process: it is run here")
                opening = restarted.run.start()
                self._begin(store, restarted.run, record, opening, until.pop_all())


def _is_safe(record: ResponseRecord, has_begun: bool) -> bool:
    """Tell whether another process may run it: nothing was said, and no secret is needed."""
    return bool(record.request) and not has_begun


def _too_many(limit: str) -> AdapterError:
    return AdapterError(
        f"Too many background responses at one time: {limit}.",
        status=429,
        type="too_many_requests",
        code="rate_limit_exceeded",
        headers={"retry-after": "1"},
    )


def _lost() -> AdapterError:
    return AdapterError("The server that made this response was lost before it was complete.")


def _stopped() -> AdapterError:
    return AdapterError("The server was stopped before this response was complete.")
