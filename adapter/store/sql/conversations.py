"""Statements on conversations and their items: functions of a connection.

Each runs inside somebody's transaction. Who appends to a conversation locks its row first, so that
the items of one append stay together, and their keys tell the order of their arrival.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, UpdateBase, bindparam, delete, func, or_, select, update

from adapter.store.base import PAGE_BYTES, ConversationRecord, ItemPage, Order, StoredItem
from adapter.store.packing import (
    conversation_digest,
    item_number,
    pack_conversation,
    pack_item,
    to_bytes,
    unpack_conversation,
    unpack_item,
)
from adapter.store.sql.responses import is_there
from adapter.store.sql.tables import Insert, conversation_items, conversations, fit, inserts

PURGED_AT_ONCE = 50  # conversations with all of their items in one transaction
_FREE = 0.0

_of = conversation_items.c


def _create(insert: Insert) -> UpdateBase:
    names = ("lifetime", "expires_at", "holder", "locked_until", "body")
    upsert = insert.on_conflict_do_update(
        index_elements=[conversations.c.digest],
        set_={name: insert.excluded[name] for name in names},
    )
    return upsert.returning(conversations.c.key)


_CREATE = inserts(conversations, _create)
_PUT_ITEM = inserts(
    conversation_items,
    lambda insert: insert.on_conflict_do_update(
        index_elements=[_of.item, _of.conversation], set_={"body": insert.excluded.body}
    ),
)

# With a line below, because statements that change a column name its new value after it.
_IS_MEANT = conversations.c.digest == bindparam("digest_")
_IS_THERE = is_there(conversations.c.expires_at)
_FIND = select(conversations).where(_IS_MEANT, _IS_THERE)
_FIND_FOR_CHANGE = _FIND.with_for_update()
_FIND_EXPIRED = (
    select(conversations.c.key)
    .where(conversations.c.expires_at <= bindparam("now"))
    .limit(PURGED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_FIND_SIZES = (
    select(_of.key, func.length(_of.body).label("size"))
    .join(conversations, conversations.c.key == _of.conversation)
    .where(_of.item.in_(bindparam("items", expanding=True)), _IS_THERE)
    .order_by(_of.key)
)
_FIND_ITEMS = (
    select(_of.body, conversations.c.body.label("whose"))
    .join(conversations, conversations.c.key == _of.conversation)
    .where(_of.key.in_(bindparam("keys", expanding=True)), _IS_THERE)
    .order_by(_of.key)
)
_IS_HOLDER = conversations.c.holder == bindparam("holder_")
_LOCK = (
    update(conversations)
    .where(_IS_MEANT, _IS_THERE, or_(conversations.c.locked_until <= bindparam("now"), _IS_HOLDER))
    .values(holder=bindparam("holder_"), locked_until=bindparam("until"))
)
_UNLOCK = update(conversations).where(_IS_MEANT, _IS_HOLDER).values(locked_until=_FREE)


class Appended(msgspec.Struct, frozen=True):
    """Items to append to a conversation of an owner."""

    owner: str
    conversation_id: str
    items: tuple[StoredItem, ...]


def create(connection: Connection, record: ConversationRecord, items: Sequence[StoredItem]) -> None:
    """Write a new conversation; if it was written already, and nobody heard of it, write it again."""
    lifetime = None if record.expires_at is None else record.expires_at - record.created_at
    columns = {
        "lifetime": lifetime,
        "expires_at": record.expires_at,
        "holder": None,
        "locked_until": _FREE,
        "body": pack_conversation(record),
    }
    digest = conversation_digest(record.owner, record.id)
    key = connection.scalar(fit(connection, _CREATE), {"digest": digest, **columns})
    connection.execute(delete(conversation_items).where(_of.conversation == key))
    _put_items(connection, key, record.owner, items)


def get(connection: Connection, owner: str, id: str, now: float) -> ConversationRecord | None:
    found = _find(connection, owner, id, now)
    return None if found is None else unpack_conversation(found.body, found.expires_at)


def set_metadata(
    connection: Connection, owner: str, id: str, metadata: bytes, now: float
) -> ConversationRecord | None:
    found = _find(connection, owner, id, now, locks=True)
    if found is None:
        return None
    record = unpack_conversation(found.body, found.expires_at)
    record = msgspec.structs.replace(record, metadata=metadata)
    connection.execute(
        update(conversations)
        .where(conversations.c.key == found.key)
        .values(body=pack_conversation(record))
    )
    return record


def remove(connection: Connection, owner: str, id: str, now: float) -> bool:
    found = _find(connection, owner, id, now, locks=True)
    if found is None:
        return False
    _erase(connection, [found.key])
    return True


def purge(connection: Connection, now: float) -> int:
    """Delete some of what has expired, and return how many conversations it was."""
    keys = list(connection.scalars(_FIND_EXPIRED, {"now": now}))
    if keys:
        _erase(connection, keys)
    return len(keys)


def _erase(connection: Connection, keys: Sequence[int]) -> None:
    connection.execute(delete(conversation_items).where(_of.conversation.in_(keys)))
    connection.execute(delete(conversations).where(conversations.c.key.in_(keys)))


def append(connection: Connection, appended: Appended, now: float) -> bool:
    """Append items and let the conversation live on; False if it is not there."""
    found = _find(connection, appended.owner, appended.conversation_id, now, locks=True)
    if found is None:
        return False
    if found.lifetime is not None:
        connection.execute(
            update(conversations)
            .where(conversations.c.key == found.key)
            .values(expires_at=now + found.lifetime)
        )
    _put_items(connection, found.key, appended.owner, appended.items)
    return True


def _put_items(
    connection: Connection, conversation: int | None, owner: str, items: Sequence[StoredItem]
) -> None:
    last = {item.id: item for item in items}  # one statement may write a row but once
    rows = {
        item_number(owner, id): {"body": pack_item(item), "conversation": conversation}
        for id, item in last.items()
    }
    if rows:
        put = fit(connection, _PUT_ITEM)
        connection.execute(put, [{"item": item, **row} for item, row in rows.items()])


def list_items(
    connection: Connection,
    owner: str,
    id: str,
    now: float,
    *,
    after: str | None,
    limit: int,
    order: Order,
) -> ItemPage | None:
    found = _find(connection, owner, id, now)
    if found is None:
        return None
    is_meant = _of.conversation == found.key
    statement = select(_of.key, func.length(_of.body).label("size")).where(is_meant)
    is_rising = order == "asc"
    if after is not None:
        item = item_number(owner, after)
        mark = connection.scalar(
            select(_of.key).where(_of.item == item, _of.conversation == found.key)
        )
        if mark is None:
            return None
        statement = statement.where(_of.key > mark if is_rising else _of.key < mark)
    in_order = _of.key if is_rising else _of.key.desc()
    rows = connection.execute(statement.order_by(in_order).limit(limit + 1)).all()
    keys = _fitting(rows[:limit])
    if not keys:
        return ItemPage((), has_more=False)
    bodies = select(_of.body).where(is_meant, _of.key.between(min(keys), max(keys)))
    items: list[StoredItem] = []
    size = 0
    for body in connection.scalars(bodies.order_by(in_order)):
        items.append(unpack_item(body))
        size += len(items[-1].data)
        if size > PAGE_BYTES:
            break
    return ItemPage(tuple(items), has_more=len(rows) > len(items))


def _fitting(rows: Sequence[Row[Any, Any]]) -> list[int]:
    """Return the keys of items that are not too large together, packed as they are."""
    keys: list[int] = []
    size = 0
    for row in rows:
        if size > PAGE_BYTES:
            break
        keys.append(row.key)
        size += row.size
    return keys


def get_item(
    connection: Connection, owner: str, id: str, item_id: str, now: float
) -> StoredItem | None:
    found = _find(connection, owner, id, now)
    if found is None:
        return None
    item = item_number(owner, item_id)
    body = connection.scalar(
        select(_of.body).where(_of.item == item, _of.conversation == found.key)
    )
    return None if body is None else unpack_item(body)


def remove_item(connection: Connection, owner: str, id: str, item_id: str, now: float) -> bool:
    found = _find(connection, owner, id, now, locks=True)
    if found is None:
        return False
    item = item_number(owner, item_id)
    done = connection.execute(
        delete(conversation_items).where(_of.item == item, _of.conversation == found.key)
    )
    return done.rowcount > 0


def find_items(
    connection: Connection, owner: str, ids: Sequence[str], now: float
) -> dict[str, bytes]:
    """Return the JSON of items of conversations, as far as they have them."""
    wanted, found = set(ids), dict[str, bytes]()
    values = {"items": [item_number(owner, id) for id in ids], "now": now}
    keys = _fitting(connection.execute(_FIND_SIZES, values).all())
    size = 0
    for row in connection.execute(_FIND_ITEMS, {"keys": keys, "now": now}):
        if size > PAGE_BYTES:
            break
        item = unpack_item(row.body)
        size += len(item.data)
        # Or its number is that of another item, by chance.
        if item.id in wanted and unpack_conversation(row.whose, None).owner == owner:
            found[item.id] = item.data
    return found


def lock(
    connection: Connection, owner: str, id: str, holder: str, now: float, seconds: float
) -> bool:
    values = {
        "digest_": conversation_digest(owner, id),
        "holder_": to_bytes(holder),
        "now": now,
        "until": now + seconds,
    }
    return connection.execute(_LOCK, values).rowcount > 0


def unlock(connection: Connection, owner: str, id: str, holder: str) -> None:
    values = {"digest_": conversation_digest(owner, id), "holder_": to_bytes(holder)}
    connection.execute(_UNLOCK, values)


def _find(
    connection: Connection, owner: str, id: str, now: float, *, locks: bool = False
) -> Row[Any] | None:
    statement = _FIND_FOR_CHANGE if locks else _FIND
    values = {"digest_": conversation_digest(owner, id), "now": now}
    return connection.execute(statement, values).first()
