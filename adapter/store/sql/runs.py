"""Statements on background runs and their logs: functions of a connection.

Each runs inside somebody's transaction. Who writes to runs locks their rows first, in one order.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, UpdateBase, bindparam, delete, func, select, update

from adapter.store.base import EventPage, LoggedEvent, ResponseRecord
from adapter.store.packing import (
    pack_events,
    response_digest,
    to_bytes,
    unpack_events,
    unpack_response,
)
from adapter.store.sql.responses import is_there
from adapter.store.sql.tables import Insert, events, fit, inserts, responses, runs

_PIECES_AT_ONCE = 64  # rows of a log that are read together
NOTHING_YET = -1  # the last event of an empty log


def _start(insert: Insert) -> UpdateBase:
    names = ("response", "holder", "lease_until", "last")
    return insert.on_conflict_do_update(
        index_elements=[runs.c.run], set_={name: insert.excluded[name] for name in names}
    )


_START = inserts(runs, _start)
_RENEW = (
    update(runs)
    .where(runs.c.run == bindparam("_run"))
    .values(lease_until=bindparam("_lease_until"), last=bindparam("_last"))
)
_LOG = events.insert()

_IS_THERE = is_there(responses.c.expires_at)
_LOCK = (
    select(runs)
    .join(responses, responses.c.key == runs.c.response)
    .where(runs.c.run.in_(bindparam("digests", expanding=True)), _IS_THERE)
    .order_by(runs.c.run)
    .with_for_update(of=runs)
)
_FIND = (
    select(responses.c.key, runs.c.run)
    .outerjoin(runs, runs.c.response == responses.c.key)
    .where(responses.c.digest == bindparam("digest"), responses.c.has_log, _IS_THERE)
)
_FIND_BEGINNING = select(func.max(events.c.first)).where(
    events.c.response == bindparam("response"), events.c.first <= bindparam("next")
)
_FIND_PIECES = (
    select(events.c.first, events.c.body)
    .where(events.c.response == bindparam("response"), events.c.first >= bindparam("beginning"))
    .order_by(events.c.first)
    .limit(_PIECES_AT_ONCE)
)
_FIND_ORPHANS = (
    select(responses.c.body)
    .join(runs, runs.c.response == responses.c.key)
    .where(runs.c.lease_until <= bindparam("until"), _IS_THERE)
    .order_by(runs.c.lease_until)
    .limit(bindparam("limit"))
)
_PROGRESS = select(runs.c.run, runs.c.last, runs.c.holder).where(
    runs.c.run.in_(bindparam("watched", expanding=True))
)


class Run(msgspec.Struct):
    """A run that is not over, as its row has it."""

    response: int
    holder: bytes
    lease_until: float
    last: int


class Start(msgspec.Struct, frozen=True):
    """A run that begins."""

    run: bytes
    digest: bytes
    holder: bytes
    lease_until: float


def lock(connection: Connection, digests: Collection[bytes], now: float) -> dict[bytes, Run]:
    """Return the runs that are there, and keep others from changing them."""
    if not digests:
        return {}
    found = connection.execute(_LOCK, {"digests": list(digests), "now": now})
    return {
        bytes(row.run): Run(row.response, bytes(row.holder), row.lease_until, row.last)
        for row in found
    }


def start(connection: Connection, starts: Sequence[Start], keys: dict[bytes, int]) -> None:
    """Write runs with empty logs."""
    if not starts:
        return
    of_them = [keys[each.digest] for each in starts]
    connection.execute(delete(events).where(events.c.response.in_(of_them)))
    rows = {
        each.run: {
            "response": keys[each.digest],
            "holder": each.holder,
            "lease_until": each.lease_until,
            "last": NOTHING_YET,
        }
        for each in starts
    }
    connection.execute(fit(connection, _START), [{"run": run, **row} for run, row in rows.items()])


def renew(connection: Connection, changed: dict[bytes, Run]) -> None:
    """Write what has become of leases and logs."""
    if not changed:
        return
    rows = [
        {"_run": run, "_lease_until": state.lease_until, "_last": state.last}
        for run, state in changed.items()
    ]
    connection.execute(_RENEW, rows)


def end(connection: Connection, over: Collection[bytes]) -> None:
    if over:
        connection.execute(delete(runs).where(runs.c.run.in_(over)))


def log(connection: Connection, pieces: Iterable[tuple[int, Sequence[LoggedEvent]]]) -> None:
    """Write pieces of logs: keys of responses, and events that follow what is there."""
    rows = [
        {"response": response, "first": piece[0].number, "body": pack_events(piece)}
        for response, piece in pieces
    ]
    if rows:
        connection.execute(_LOG, rows)


def read(
    connection: Connection, owner: str, id: str, now: float, *, after: int, limit: int
) -> EventPage | None:
    # Whether it is over is read first: what is logged before the end is then seen.
    values = {"digest": response_digest(owner, id), "now": now}
    found = connection.execute(_FIND, values).first()
    if found is None:
        return None
    behind = _read_behind(connection, found.key, after, limit + 1)
    page = tuple(behind[:limit])
    return EventPage(page, is_closed=found.run is None and len(behind) <= limit)


def _read_behind(
    connection: Connection, response: int, after: int, limit: int
) -> list[LoggedEvent]:
    values = {"response": response, "next": after + 1}
    beginning = connection.scalar(_FIND_BEGINNING, values) or 0
    found: list[LoggedEvent] = []
    while len(found) < limit:
        values = {"response": response, "beginning": beginning}
        rows = connection.execute(_FIND_PIECES, values).all()
        for row in rows:
            unpacked = unpack_events(row.first, row.body)
            found += [event for event in unpacked if event.number > after]
            beginning = row.first + 1
        if len(rows) < _PIECES_AT_ONCE:
            break
    return found[:limit]


def orphans(connection: Connection, until: float, now: float, limit: int) -> list[ResponseRecord]:
    values = {"until": until, "now": now, "limit": limit}
    return [unpack_response(body) for body in connection.scalars(_FIND_ORPHANS, values)]


def take_over(connection: Connection, run: bytes, holder: str, now: float, seconds: float) -> bool:
    found = lock(connection, [run], now).get(run)
    if found is None or found.lease_until > now:
        return False
    connection.execute(
        update(runs)
        .where(runs.c.run == run)
        .values(holder=to_bytes(holder), lease_until=now + seconds)
    )
    return True


def progress(connection: Connection, watched: Collection[bytes]) -> dict[bytes, object]:
    """Return for each run what changes when something happens to it; nothing if it is over."""
    found = connection.execute(_PROGRESS, {"watched": list(watched)})
    return {bytes(row.run): (row.last, bytes(row.holder)) for row in found}
