"""The writes that share a transaction, and how a group of them is written in few statements.

What each of them does is decided here from the runs as they are; then all is written together. The
number of statements does not grow with the number of writes, appends to conversations excepted.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from adapter.store.base import LoggedEvent
from adapter.store.sql import conversations, responses, runs
from adapter.store.sql.conversations import Appended
from adapter.store.sql.responses import ResponseRow
from adapter.store.sql.tables import is_postgres

CHANNEL = "adapter_runs"
_MAX_PAYLOAD_CHARS = 7900  # PostgreSQL refuses 8000 bytes and more


class Save(msgspec.Struct, frozen=True):
    row: ResponseRow
    appended: Appended | None = None


class StartRun(msgspec.Struct, frozen=True):
    row: ResponseRow
    start: runs.Start


class OnRun(msgspec.Struct, frozen=True, kw_only=True):
    """A write to a run, which does nothing if the run is over or another's.

    Attributes:
        run: its digest.
        holder: who must have the lease; None is whoever has it.
        lease_until: the new end of the lease; None leaves it.
        events: to log.
        row: the response, as it is now.
        appended: to its conversation.
        is_last: the run is over with this.
    """

    run: bytes
    holder: bytes | None
    lease_until: float | None = None
    events: tuple[LoggedEvent, ...] = ()
    row: ResponseRow | None = None
    appended: Appended | None = None
    is_last: bool = False


class Act(msgspec.Struct, frozen=True):
    """Any other change.

    Attributes:
        act: what makes it.
        wakes: whose followers to wake, if it returns true.
    """

    act: Callable[[Connection], object]
    wakes: bytes | None = None


Write = Save | StartRun | OnRun | Act


class Outcome(msgspec.Struct, frozen=True):
    """What came of a group.

    Attributes:
        results: of each write, in order.
        woken: runs to which something happened.
    """

    results: list[object]
    woken: frozenset[bytes]


def apply(connection: Connection, writes: Sequence[Write], now: float) -> Outcome:
    """Make all changes, in somebody's transaction."""
    group = _Group(connection, now)
    # What is not written together goes first: it may change the runs.
    acted = {index: group.act(each) for index, each in enumerate(writes) if isinstance(each, Act)}
    group.lock({each.run for each in writes if isinstance(each, OnRun)})
    results = [
        acted[index] if isinstance(each, Act) else group.decide(each)
        for index, each in enumerate(writes)
    ]
    group.write()
    return Outcome(results, frozenset(group.woken))


class _Group:
    """What is to be written, collected."""

    def __init__(self, connection: Connection, now: float) -> None:
        self.woken: set[bytes] = set()
        self._connection = connection
        self._now = now
        self._runs: dict[bytes, runs.Run] = {}
        self._changed: dict[bytes, runs.Run] = {}
        self._over: set[bytes] = set()
        self._starts: list[runs.Start] = []
        self._rows: list[ResponseRow] = []
        self._pieces: list[tuple[int, Sequence[LoggedEvent]]] = []
        self._appended: list[Appended] = []

    def act(self, write: Act) -> object:
        result = write.act(self._connection)
        if result and write.wakes is not None:
            self.woken.add(write.wakes)
        return result

    def lock(self, digests: set[bytes]) -> None:
        self._runs = runs.lock(self._connection, digests, self._now)

    def decide(self, write: Save | StartRun | OnRun) -> bool:
        match write:
            case Save():
                self._rows.append(write.row)
                self._append(write.appended)
            case StartRun():
                self._rows.append(write.row)
                self._starts.append(write.start)
            case OnRun():
                return self._decide_on_run(write)
        return True

    def _decide_on_run(self, write: OnRun) -> bool:
        run = self._runs.get(write.run)
        if run is None or write.holder not in (None, run.holder):
            return False
        if write.row is not None:
            self._rows.append(write.row)
        self._append(write.appended)
        # A write that got no answer may come again.
        if fresh := [event for event in write.events if event.number > run.last]:
            self._pieces.append((run.response, fresh))
            run.last = fresh[-1].number
            self.woken.add(write.run)
        if write.is_last:
            del self._runs[write.run]
            self._changed.pop(write.run, None)
            self._over.add(write.run)
            self.woken.add(write.run)
        elif fresh or write.lease_until is not None:
            run.lease_until = write.lease_until or run.lease_until
            self._changed[write.run] = run
        return True

    def _append(self, appended: Appended | None) -> None:
        if appended is not None and appended.items:
            self._appended.append(appended)

    def write(self) -> None:
        """Write it all. The order is the same in every process, so that none waits in a circle."""
        connection = self._connection
        runs.end(connection, self._over)
        runs.renew(connection, self._changed)
        runs.log(connection, self._pieces)
        for appended in sorted(self._appended, key=lambda each: each.conversation_id):
            conversations.append(connection, appended, self._now)
        keys = responses.put(connection, self._rows)
        runs.start(connection, self._starts, keys)
        if self.woken and is_postgres(connection):
            self._notify()

    def _notify(self) -> None:
        names = sorted(run.hex() for run in self.woken)
        step = _MAX_PAYLOAD_CHARS // (len(names[0]) + 1)
        for start in range(0, len(names), step):
            payload = " ".join(names[start : start + step])
            self._connection.execute(select(func.pg_notify(CHANNEL, payload)))
