"""How records become compact rows: hashes to look them up by, and compressed bodies.

Ids and owners come from clients and are any text, with NUL characters and halves of surrogate pairs
in it. They are looked up by hashes of a fixed size, with the owner inside, and kept as bytes.
"""

import hashlib
import zlib
from collections.abc import Sequence

import msgspec

from adapter.store.base import ConversationRecord, LoggedEvent, ResponseRecord, StoredItem
from adapter.store.words import WORDS

_TEXT = ("utf-8", "surrogatepass")
_DIGEST_BYTES = 16
_NUMBER_BYTES = 8
# The first byte of a packed body. What is written must stay readable: new ways get new numbers.
_PLAIN = b"\0"
_DEFLATED = b"\1"  # raw deflate (RFC 1951) with WORDS as its dictionary
_LEVEL = 3  # 6 makes a long response 4 % smaller and takes 40 % more time; 1 the other way round
_WORTHWHILE_BYTES = 64


def to_bytes(value: str) -> bytes:
    return value.encode(*_TEXT)


def to_text(value: bytes) -> str:
    return value.decode(*_TEXT)


def _hash(size: int, kind: bytes, *parts: bytes) -> bytes:
    hashed = hashlib.blake2b(digest_size=size, person=kind)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))  # or ("a", "bc") would be ("ab", "c")
        hashed.update(part)
    return hashed.digest()


def response_digest(owner: str, id: str) -> bytes:
    return _hash(_DIGEST_BYTES, b"response", to_bytes(owner), to_bytes(id))


def conversation_digest(owner: str, id: str) -> bytes:
    return _hash(_DIGEST_BYTES, b"conversation", to_bytes(owner), to_bytes(id))


def run_digest(id: str) -> bytes:
    """Return the key of a run, which is written to by its id alone."""
    return _hash(_DIGEST_BYTES, b"run", to_bytes(id))


def item_number(owner: str, id: str) -> int:
    """Return what an item is indexed by.

    Half the size of a digest, so that two of a client's own items may be made to share one: who
    looks one up compares the ids.
    """
    hashed = _hash(_NUMBER_BYTES, b"item", to_bytes(owner), to_bytes(id))
    return int.from_bytes(hashed, "little", signed=True)


class _Response(msgspec.Struct, frozen=True, array_like=True):
    """The body of a response: its fields in this order; new ones go to the end."""

    id: bytes
    owner: bytes
    created_at: float
    expires_at: float | None
    status: bytes
    response: bytes
    input: bytes
    item_ids: tuple[bytes, ...]
    previous_id: bytes | None
    conversation_id: bytes | None
    background: bool
    request: bytes


class _Conversation(msgspec.Struct, frozen=True, array_like=True):
    id: bytes
    owner: bytes
    created_at: float
    metadata: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_response = msgspec.msgpack.Decoder(_Response).decode
_decode_conversation = msgspec.msgpack.Decoder(_Conversation).decode
_decode_item = msgspec.msgpack.Decoder(tuple[bytes, bytes]).decode
_decode_events = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode


def pack_response(record: ResponseRecord) -> bytes:
    body = _Response(
        to_bytes(record.id),
        to_bytes(record.owner),
        record.created_at,
        record.expires_at,
        to_bytes(record.status),
        record.response,
        record.input,
        tuple(map(to_bytes, record.item_ids)),
        _optional_bytes(record.previous_id),
        _optional_bytes(record.conversation_id),
        record.background,
        record.request,
    )
    return _compress(_encode(body))


def unpack_response(packed: bytes) -> ResponseRecord:
    body = _decode_response(_decompress(packed))
    return ResponseRecord(
        id=to_text(body.id),
        owner=to_text(body.owner),
        created_at=body.created_at,
        expires_at=body.expires_at,
        status=to_text(body.status),
        response=body.response,
        input=body.input,
        item_ids=tuple(map(to_text, body.item_ids)),
        previous_id=_optional_text(body.previous_id),
        conversation_id=_optional_text(body.conversation_id),
        background=body.background,
        request=body.request,
    )


def pack_conversation(record: ConversationRecord) -> bytes:
    """Pack all but `expires_at`, which moves."""
    body = _Conversation(
        to_bytes(record.id), to_bytes(record.owner), record.created_at, record.metadata
    )
    return _compress(_encode(body))


def unpack_conversation(packed: bytes, expires_at: float | None) -> ConversationRecord:
    body = _decode_conversation(_decompress(packed))
    return ConversationRecord(
        id=to_text(body.id),
        owner=to_text(body.owner),
        created_at=body.created_at,
        expires_at=expires_at,
        metadata=body.metadata,
    )


def pack_item(item: StoredItem) -> bytes:
    return _compress(_encode((to_bytes(item.id), item.data)))


def unpack_item(packed: bytes) -> StoredItem:
    id, data = _decode_item(_decompress(packed))
    return StoredItem(to_text(id), data)


def pack_events(events: Sequence[LoggedEvent]) -> bytes:
    """Pack events that follow each other; the row has the number of the first."""
    return _compress(_encode([event.data for event in events]))


def unpack_events(first: int, packed: bytes) -> list[LoggedEvent]:
    bodies = _decode_events(_decompress(packed))
    return [LoggedEvent(number, data) for number, data in enumerate(bodies, first)]


def _optional_bytes(value: str | None) -> bytes | None:
    return None if value is None else to_bytes(value)


def _optional_text(value: bytes | None) -> str | None:
    return None if value is None else to_text(value)


def _compress(data: bytes) -> bytes:
    if len(data) < _WORTHWHILE_BYTES:
        return _PLAIN + data
    deflater = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS, zdict=WORDS)
    deflated = deflater.compress(data) + deflater.flush()
    return _DEFLATED + deflated if len(deflated) < len(data) else _PLAIN + data


def _decompress(packed: bytes) -> bytes:
    if packed[:1] == _PLAIN:
        return packed[1:]
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=WORDS)
    return inflater.decompress(memoryview(packed)[1:]) + inflater.flush()
