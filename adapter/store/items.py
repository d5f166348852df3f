"""Finds single items in the JSON of a stored response, without decoding the rest of it."""

from collections.abc import Container, Iterable, Iterator

import msgspec

from adapter.store.base import ResponseRecord


class _Identified(msgspec.Struct, frozen=True):
    id: str | None = None


class _Response(msgspec.Struct, frozen=True):
    output: list[msgspec.Raw] = []


_decode_id = msgspec.json.Decoder(_Identified).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def find_in_response(record: ResponseRecord, wanted: Container[str]) -> dict[str, bytes]:
    """Return the JSON of those items of the input and output that have a wanted id."""
    items = [*_decode_items(record.input), *_decode_response(record.response).output]
    return dict(_identified(items, wanted))


def _identified(
    items: Iterable[msgspec.Raw], wanted: Container[str]
) -> Iterator[tuple[str, bytes]]:
    for item in items:
        id = _decode_id(item).id
        if id is not None and id in wanted:
            yield id, bytes(item)
