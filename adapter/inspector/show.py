"""A recorded request as the page gets it: JSON, with bytes as texts of one character each.

The page decodes them: what a border cuts in the middle of a character stays as it came. Pure.
"""

from collections.abc import Mapping
from typing import Any

from adapter.inspector.exchange import Entry, Exchange
from adapter.inspector.masking import mask_pieces


def to_detail(exchange: Exchange, after: int = 0) -> dict[str, Any]:
    """Return a request with its entries from a number on, so that no page asks for one twice."""
    entries = exchange.entries
    masked = _masked(exchange) if exchange.secrets else {}
    return {
        "summary": exchange.summary(),
        "next": len(entries),
        "entries": [
            _to_entry(entries[number], masked.get(number)) for number in range(after, len(entries))
        ],
    }


def _masked(exchange: Exchange) -> Mapping[int, bytes]:
    """Return the data of all entries without secrets, each body taken as one."""
    bodies: dict[tuple[int, str], list[int]] = {}
    for number, entry in enumerate(exchange.entries):
        bodies.setdefault((entry.turn, entry.kind), []).append(number)
    found: dict[int, bytes] = {}
    for numbers in bodies.values():
        pieces = [exchange.entries[number].data for number in numbers]
        found.update(zip(numbers, mask_pieces(pieces, exchange.secrets), strict=True))
    return found


def _to_entry(entry: Entry, masked: bytes | None) -> dict[str, Any]:
    data = entry.data if masked is None else masked
    shown: dict[str, Any] = {"at": round(entry.at, 6), "kind": entry.kind, **entry.about}
    if entry.turn:
        shown["turn"] = entry.turn
    if data:
        shown["data"] = data.decode("latin-1")
    return shown
