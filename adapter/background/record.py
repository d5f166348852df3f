"""The record of a run, with what has become of its response."""

from collections.abc import Sequence
from typing import Any

import msgspec

from adapter.errors import AdapterError
from adapter.records.responses import input_items, output_items
from adapter.store.base import FINAL_STATUSES, LoggedEvent, ResponseRecord, StoredItem
from adapter.types.events import ErrorBody
from adapter.types.response import Response

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Done(msgspec.Struct, frozen=True):
    type: str
    item: msgspec.Raw = msgspec.Raw()


_events = msgspec.json.Decoder(_Done)


def with_response(record: ResponseRecord, response: Response) -> ResponseRecord:
    """Return the record of a response that has moved on."""
    return _updated(
        record, response.status, _encode(response), [item.id for item in response.output]
    )


def appended(record: ResponseRecord, response: Response) -> list[StoredItem]:
    """Return what a response adds to its conversation: nothing if it failed."""
    if record.conversation_id is None or response.status == "failed":
        return []
    return [*input_items(record), *output_items(response)]


def cancelled(record: ResponseRecord, log: Sequence[LoggedEvent]) -> ResponseRecord:
    """Return the record of a run that was cancelled, with the items that were done by then."""
    return _ended(record, log, {"status": "cancelled"})


def failed(
    record: ResponseRecord, log: Sequence[LoggedEvent], error: AdapterError
) -> tuple[ResponseRecord, list[LoggedEvent]]:
    """Return the record of a run that was lost, and the last events of its log.

    An item that was open stays open: of a failed response, that is legal for the last one.
    """
    code = error.code or "server_error"
    told = {"code": code, "message": error.message}
    record = _ended(record, log, {"status": "failed", "error": told})
    number = log[-1].number + 1 if log else 0
    body = ErrorBody(error.type, code, error.message, error.param)
    events: list[dict[str, Any]] = [
        {"type": "error", "sequence_number": number, "error": body},
        {
            "type": "response.failed",
            "sequence_number": number + 1,
            "response": msgspec.Raw(record.response),
        },
    ]
    return record, [LoggedEvent(event["sequence_number"], _encode(event)) for event in events]


def begun_again(record: ResponseRecord, request: bytes) -> ResponseRecord:
    """Return the record of a run that begins anew, with its request as it is handed on."""
    response = _decode(record.response) | {"status": "in_progress"}
    return msgspec.structs.replace(
        record, status="in_progress", response=_encode(response), request=request
    )


def _ended(
    record: ResponseRecord, log: Sequence[LoggedEvent], outcome: dict[str, Any]
) -> ResponseRecord:
    output = _done_items(log)
    response: dict[str, Any] = {**_decode(record.response), "output": output, **outcome}
    ids = [item["id"] for item in output]
    return _updated(record, response["status"], _encode(response), ids)


def _done_items(log: Sequence[LoggedEvent]) -> list[dict[str, Any]]:
    events = (_events.decode(event.data) for event in log)
    return [_decode(event.item) for event in events if event.type == "response.output_item.done"]


def _updated(
    record: ResponseRecord, status: str, response: bytes, ids: Sequence[str]
) -> ResponseRecord:
    """Return the record with these; once it is over, nobody runs it again."""
    return msgspec.structs.replace(
        record,
        status=status,
        response=response,
        item_ids=(*record.item_ids, *ids),
        request=b"" if status in FINAL_STATUSES else record.request,
    )
