"""A response stream with counted ids, and a short notation for its events."""

import json
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import msgspec

from adapter.stream.machine import ResponseStream
from adapter.types.events import Event
from adapter.types.response import Response

RESPONSE = Response(
    id="resp_1",
    created_at=1_760_000_000,
    status="in_progress",
    model="tiny",
    text={"format": {"type": "text"}, "verbosity": "medium"},
    reasoning={"effort": None, "summary": None},
)
NOW = 1_760_000_009


def counted_ids() -> Callable[[str], str]:
    """Return a maker of ids: `msg_1`, `fc_2`, …"""
    number = count(1)
    return lambda prefix: f"{prefix}_{next(number)}"


def new_stream(**options: Any) -> ResponseStream:
    return ResponseStream(RESPONSE, counted_ids(), **options)


def as_json(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the events as they are on the wire, decoded."""
    return [json.loads(msgspec.json.encode(event)) for event in events]


def brief(events: Iterable[Event]) -> list[str]:
    """Return a line for each event: type, place, and what it says."""
    return [_line(event) for event in as_json(events)]


def _line(event: dict[str, Any]) -> str:
    words = [event["type"].removeprefix("response.")]
    if "output_index" in event:
        words.append(".".join(str(event[key]) for key in _INDEXES if key in event))
    words += [repr(event[key]) for key in ("delta", "text", "refusal", "arguments") if key in event]
    words += [_part(event["part"])] if "part" in event else []
    words += [_item(event["item"])] if "item" in event else []
    words += [event["error"]["message"]] if "error" in event else []
    return " ".join(words)


_INDEXES = ("output_index", "content_index", "summary_index")


def _item(item: dict[str, Any]) -> str:
    words = [item["id"]]
    if item["type"] == "function_call":
        words += [item["call_id"], item["name"], repr(item["arguments"])]
    words += [item["status"]] if "status" in item else []
    words += ["+".join(map(_part, item["content"]))] if item.get("content") else []
    return " ".join(words)


def _part(part: dict[str, Any]) -> str:
    return f"{part['type']}{part.get('text', part.get('refusal'))!r}"
