"""Ways to break a legal stream: each function makes a change, and each change is one mistake.

Streams are numbered again after a change, so that only the mistake meant is in them.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.stream.legal_streams import Event, numbered

Change = Callable[[list[Event]], None]


def changed(events: list[Event], change: Change) -> list[Event]:
    """Return a changed copy, numbered again."""
    copy: list[Event] = json.loads(json.dumps(events))  # deepcopy would keep what they share
    change(copy)
    return numbered(copy)


def position(events: list[Event], kind: str, nth: int = 0) -> int:
    """Return where the nth event of a type is; negative counts from the end."""
    full = kind if kind == "error" else f"response.{kind}"
    return [index for index, event in enumerate(events) if event["type"] == full][nth]


def drop(kind: str, nth: int = 0) -> Change:
    return lambda events: events.__delitem__(position(events, kind, nth))


def repeat(kind: str, nth: int = 0) -> Change:
    def change(events: list[Event]) -> None:
        index = position(events, kind, nth)
        events.insert(index, deepcopy(events[index]))

    return change


def swap(kind: str, nth: int = 0) -> Change:
    """Swap an event with the one before it."""

    def change(events: list[Event]) -> None:
        index = position(events, kind, nth)
        events[index - 1 : index + 1] = reversed(events[index - 1 : index + 1])

    return change


def move(kind: str, other: str, nth: int = 0) -> Change:
    """Move an event in front of another."""

    def change(events: list[Event]) -> None:
        event = events.pop(position(events, kind, nth))
        events.insert(position(events, other), event)

    return change


def insert(event: Event, before: str, nth: int = 0) -> Change:
    return lambda events: events.insert(position(events, before, nth), dict(event))


def append(event: Event) -> Change:
    return lambda events: events.append(dict(event))


def put(kind: str, nth: int = 0, **fields: Any) -> Change:
    """Give fields of an event other values."""
    return lambda events: events[position(events, kind, nth)].update(fields)


def put_in(holder: str, kind: str, nth: int = 0, **fields: Any) -> Change:
    """Give fields of the item, part, response or error of an event other values."""
    return lambda events: events[position(events, kind, nth)][holder].update(fields)


def remove(kind: str, key: str, nth: int = 0) -> Change:
    return lambda events: events[position(events, kind, nth)].__delitem__(key)


def remove_in(holder: str, kind: str, key: str, nth: int = 0) -> Change:
    return lambda events: events[position(events, kind, nth)][holder].__delitem__(key)


def put_output(index: int, **fields: Any) -> Change:
    """Give fields of an item in the last response other values."""
    return lambda events: events[-1]["response"]["output"][index].update(fields)


def put_done(nth: int = 0, **fields: Any) -> Change:
    """Give fields of an item that is done other values, in the last response as well."""

    def change(events: list[Event]) -> None:
        put_in("item", "output_item.done", nth, **fields)(events)
        put_output(nth, **fields)(events)

    return change
