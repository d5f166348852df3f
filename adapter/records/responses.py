"""Responses as they are kept, and kept ones as what a request continues."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError, NotFoundError
from adapter.store.base import ResponseRecord, StoredItem
from adapter.types.response import Response

PREVIOUS = "previous_response_id"

_UNFINISHED = frozenset({"queued", "in_progress"})
_encode = msgspec.json.Encoder().encode
_items = msgspec.json.Decoder(list[Raw])


class _Output(msgspec.Struct, frozen=True):
    output: Raw = Raw(b"[]")


class _Identified(msgspec.Struct, frozen=True):
    id: str = ""


_output = msgspec.json.Decoder(_Output)
_identified = msgspec.json.Decoder(_Identified)


def to_record(
    response: Response,
    items: Sequence[StoredItem],
    *,
    owner: str,
    expires_at: float | None,
    conversation_id: str | None = None,
) -> ResponseRecord:
    """Return a response as it is kept.

    Args:
        response: as it was said.
        items: of its own input.
        owner: whom it belongs to.
        expires_at: seconds since the epoch; None is never.
        conversation_id: the conversation that it belongs to.
    """
    return ResponseRecord(
        id=response.id,
        owner=owner,
        created_at=float(response.created_at),
        expires_at=expires_at,
        status=response.status,
        response=_encode(response),
        input=b"[" + b",".join(item.data for item in items) + b"]",
        item_ids=(*(item.id for item in items), *(item.id for item in response.output)),
        previous_id=response.previous_response_id,
        conversation_id=conversation_id,
        background=response.background,
    )


def output_items(response: Response) -> list[StoredItem]:
    """Return what a response said, as items of a conversation."""
    return [StoredItem(item.id, _encode(item)) for item in response.output]


def input_items(record: ResponseRecord) -> list[StoredItem]:
    """Return the own input of a kept response."""
    return [
        StoredItem(_identified.decode(item).id, bytes(item)) for item in _items.decode(record.input)
    ]


def parts_of(records: Sequence[ResponseRecord]) -> Iterator[bytes]:
    """Return what was said in a chain, as `adapter.translate.replay` reads it."""
    for record in records:
        yield record.input
        yield bytes(_output.decode(record.response).output)


def check_parent(record: ResponseRecord) -> None:
    """Refuse to continue a response that has no end, or that failed.

    Raises:
        InvalidRequestError: it is one of these.
    """
    if record.status in _UNFINISHED:
        raise _cannot_continue(record, f"is still {record.status}: wait until it has ended")
    if record.status == "failed":
        raise _cannot_continue(record, "failed: continue the one before it")


def no_parent(id: str) -> InvalidRequestError:
    """Return the error for a previous response that is not there."""
    return InvalidRequestError(
        f"Previous response with id '{id[:128]}' not found.",
        code="previous_response_not_found",
        param=PREVIOUS,
    )


def broken_chain(id: str) -> InvalidRequestError:
    """Return the error for a previous response that continues one that is gone."""
    return InvalidRequestError(
        f"Previous response with id '{id[:128]}' cannot be continued: a response before it was "
        "deleted, or has expired. Send the whole conversation as `input`.",
        code="previous_response_not_found",
        param=PREVIOUS,
    )


def too_long(param: str, max_bytes: int) -> InvalidRequestError:
    """Return the error for a history that is larger than a request may be."""
    return InvalidRequestError(
        f"What '{param}' refers to is larger than the limit of {max_bytes} bytes: compact the "
        "conversation, or begin a new one.",
        code="history_too_large",
        param=param,
    )


def no_response(id: str) -> NotFoundError:
    """Return the error for a response that is not there."""
    return NotFoundError(f"Response with id '{id[:128]}' not found.", code="response_not_found")


def _cannot_continue(record: ResponseRecord, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Previous response with id '{record.id}' {reason}.",
        code="previous_response_not_usable",
        param=PREVIOUS,
    )
