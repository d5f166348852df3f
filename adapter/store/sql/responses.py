"""Statements on responses and the index of their items: functions of a connection.

Each runs inside somebody's transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    UpdateBase,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement

from adapter.store.base import PAGE_BYTES, ResponseRecord
from adapter.store.items import find_in_response
from adapter.store.packing import (
    item_number,
    pack_response,
    response_digest,
    run_digest,
    unpack_response,
)
from adapter.store.sql.tables import Insert, events, fit, inserts, items, responses, runs

PURGED_AT_ONCE = 200  # bodies in one transaction, so that others get their turn
# A response that has replaced one of its id may lack items of that one; then older ones are tried.
_MAX_LOOKS = 10


# Statements are built once: that takes longer than what SQLite does for most of them.


def is_there(expires_at: ColumnElement[float]) -> ColumnElement[bool]:
    """Return that a row has not expired at the parameter `now`."""
    return or_(expires_at.is_(None), expires_at > bindparam("now"))


def _upsert(insert: Insert) -> UpdateBase:
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=[responses.c.digest],
        set_={
            "previous": new.previous,
            "expires_at": new.expires_at,
            "has_log": or_(responses.c.has_log, new.has_log),
            "body": new.body,
        },
    )
    return upsert.returning(responses.c.digest, responses.c.key)


_UPSERT = inserts(responses, _upsert)
_INDEX = inserts(items, lambda insert: insert.on_conflict_do_nothing())
_UNINDEX = delete(items).where(
    items.c.item == bindparam("_item"), items.c.response == bindparam("_response")
)


_IS_THERE = is_there(responses.c.expires_at)
_IS_MEANT = and_(responses.c.digest == bindparam("digest"), _IS_THERE)
_FIND = select(responses.c.key, responses.c.body).where(_IS_MEANT)
_FIND_FOR_CHANGE = _FIND.with_for_update()
_FIND_EXPIRED = (
    select(responses.c.key, responses.c.body)
    .where(responses.c.expires_at <= bindparam("now"))
    .limit(PURGED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_FIND_WITH_ITEM = (
    select(responses.c.body)
    .join(items, items.c.response == responses.c.key)
    .where(items.c.item == bindparam("item"), _IS_THERE)
    .order_by(items.c.response.desc())
    .limit(1)
    .offset(bindparam("look"))
)


def _chain() -> Select[bytes]:
    columns = (responses.c.key, responses.c.previous)
    line = select(*columns, literal(1).label("depth")).where(_IS_MEANT).cte(recursive=True)
    line = line.union_all(
        select(*columns, line.c.depth + 1)
        .join(line, responses.c.digest == line.c.previous)
        .where(line.c.depth < bindparam("limit"), _IS_THERE)
    )
    size = func.length(responses.c.body)
    before = func.sum(size).over(order_by=line.c.depth) - size  # of those that come before it here
    sized = select(*line.c["key", "depth"], before.label("before"))
    found = sized.join(line, responses.c.key == line.c.key).subquery()
    return (
        select(responses.c.body)
        .join(found, responses.c.key == found.c.key)
        .where(found.c.before <= PAGE_BYTES)
        .order_by(found.c.depth)
    )


_CHAIN = _chain()


class ResponseRow(msgspec.Struct, frozen=True):
    """A response, ready to be written.

    Attributes:
        digest: of its owner and id.
        previous: digest of what it continues.
        expires_at: when it is gone.
        has_log: it is a run, or was one.
        body: all of it, packed.
        items: by which its items are found.
    """

    digest: bytes
    previous: bytes | None
    expires_at: float | None
    has_log: bool
    body: bytes
    items: frozenset[int]


def to_row(record: ResponseRecord, *, has_log: bool = False) -> ResponseRow:
    owner, previous = record.owner, record.previous_id
    return ResponseRow(
        digest=response_digest(owner, record.id),
        previous=None if previous is None else response_digest(owner, previous),
        expires_at=record.expires_at,
        has_log=has_log,
        body=pack_response(record),
        items=frozenset(item_number(owner, id) for id in record.item_ids),
    )


def put(connection: Connection, rows: Iterable[ResponseRow]) -> dict[bytes, int]:
    """Write responses in place of those of their ids; return the keys by digest."""
    # One statement may write a row but once, and who writes the same rows takes them in one order.
    last = {row.digest: row for row in rows}
    if not last:
        return {}
    ordered = [last[digest] for digest in sorted(last)]
    columns = [
        {
            "digest": row.digest,
            "previous": row.previous,
            "expires_at": row.expires_at,
            "has_log": row.has_log,
            "body": row.body,
        }
        for row in ordered
    ]
    written = connection.execute(fit(connection, _UPSERT), columns)
    keys = {bytes(row.digest): row.key for row in written}
    _index(connection, ((item, keys[row.digest]) for row in ordered for item in row.items))
    return keys


def _index(connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    rows = [{"item": item, "response": response} for item, response in sorted(pairs)]
    if rows:
        connection.execute(fit(connection, _INDEX), rows)


def get(connection: Connection, owner: str, id: str, now: float) -> ResponseRecord | None:
    found = _find(connection, _FIND, owner, id, now)
    return None if found is None else unpack_response(found.body)


def chain(
    connection: Connection, owner: str, id: str, limit: int, now: float
) -> list[ResponseRecord]:
    """Return a response and what it continues, the oldest first; cycles end at the limit."""
    if limit < 1:
        return []
    values = {"digest": response_digest(owner, id), "limit": limit, "now": now}
    records: list[ResponseRecord] = []
    size = 0
    for body in connection.scalars(_CHAIN, values):
        records.append(unpack_response(body))
        size += len(records[-1].input) + len(records[-1].response)
        if size > PAGE_BYTES:
            break
    return records[::-1]


def remove(connection: Connection, owner: str, id: str, now: float) -> bool:
    """Delete a response, with its log; a run of it is over."""
    found = _find(connection, _FIND_FOR_CHANGE, owner, id, now)
    if found is None:
        return False
    _erase(connection, [(found.key, unpack_response(found.body))])
    return True


def _find(
    connection: Connection, statement: Select[Any, Any], owner: str, id: str, now: float
) -> Row[Any, Any] | None:
    values = {"digest": response_digest(owner, id), "now": now}
    return connection.execute(statement, values).first()


def purge(connection: Connection, now: float) -> list[str]:
    """Delete some of what has expired, and return the ids."""
    rows = connection.execute(_FIND_EXPIRED, {"now": now})
    found = [(row.key, unpack_response(row.body)) for row in rows]
    if found:
        _erase(connection, found)
    return [record.id for _, record in found]


def _erase(connection: Connection, found: Sequence[tuple[int, ResponseRecord]]) -> None:
    keys = [key for key, _ in found]
    indexed = [
        {"_item": item_number(record.owner, id), "_response": key}
        for key, record in found
        for id in record.item_ids
    ]
    if indexed:
        connection.execute(_UNINDEX, indexed)
    of_them = [run_digest(record.id) for _, record in found]
    connection.execute(delete(runs).where(runs.c.run.in_(of_them), runs.c.response.in_(keys)))
    connection.execute(delete(events).where(events.c.response.in_(keys)))
    connection.execute(delete(responses).where(responses.c.key.in_(keys)))


def find_items(
    connection: Connection, owner: str, ids: Sequence[str], now: float
) -> dict[str, bytes]:
    """Return the JSON of items of responses, as far as they have them, and within bounds."""
    found: dict[str, bytes] = {}
    size = 0
    for id in ids:
        if found and size > PAGE_BYTES:
            break
        values = {"item": item_number(owner, id), "now": now}
        for look in range(_MAX_LOOKS):
            if id in found:
                break
            body = connection.scalar(_FIND_WITH_ITEM, {**values, "look": look})
            if body is None:
                break
            record = unpack_response(body)
            size += len(record.input) + len(record.response)
            if record.owner == owner:  # or its number is that of another's item, by chance
                found |= find_in_response(record, {*ids} - found.keys())
    return found
