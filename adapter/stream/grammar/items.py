"""The life of one item, from `output_item.added` to `output_item.done`.

Methods yield the faults that they find and go on, so that one broken rule does not hide the next.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from adapter.stream.grammar.rows import (
    ADDED,
    ANNOTATION,
    CONSTANT_KEYS,
    DONE,
    EXTENSION,
    ITEMS,
    LOGPROBS_PART,
    TEXTS,
    Item,
    Text,
    item_table,
)
from adapter.stream.grammar.rules import Fault, Rule


class ItemLife:
    """Follows one item and compares what its events say with what it holds in the end.

    Args:
        item: the item as it was added.
    """

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.type = str(item.get("type"))
        self.id = item.get("id")
        self.done: Mapping[str, Any] | None = None
        self._added = item
        self._row = ITEMS.get(self.type, EXTENSION)
        self._follow = item_table(self._row)
        self._last = ADDED
        self._wholes: dict[tuple[str, ...], list[Any]] = {}
        # Of the text that is open now:
        self._pieces: list[str] = []
        self._whole: Any = ""
        self._annotations: list[Any] = []
        self._logprobs: list[Any] = []

    def begin(self) -> Iterator[Fault]:
        """Check the item as it was added: named, without text, with a first status."""
        yield from self._fields(self._added, self._row.added)
        paths = {text.path for text in _texts(self._row)} | {(key,) for key in self._row.empty}
        for path in sorted(paths):
            if _at(self._added, path):
                yield Fault(Rule.ITEM_EMPTY, self.type, f"{'.'.join(path)} is not empty")

    def feed(self, event: Mapping[str, Any]) -> Iterator[Fault]:
        """Check an event that belongs to this item."""
        symbol = _symbol(event)
        if symbol not in self._follow[self._last]:
            expected = ", ".join(sorted(self._follow[self._last]))
            found = f"{symbol} after {self._last} in {self.type}, expected {expected}"
            yield Fault(Rule.ITEM_ORDER, symbol, found)
        if symbol not in self._follow:
            return
        self._last = symbol
        if symbol == ANNOTATION:
            yield from self._annotation(event)
        role, text = _roles().get(symbol, ("", None))
        if text is None:
            return
        if text.index:
            yield from self._index(event, text)
        match role:
            case "added":
                yield from self._text_added(event, text)
            case "delta":
                yield from self._text_delta(event, text)
            case "done":
                yield from self._text_done(event, text)
            case _:
                yield from self._text_closed(event, text)

    def end(self, item: Mapping[str, Any]) -> Iterator[Fault]:
        """Check the item as it is in its `output_item.done`."""
        self.done = item
        yield from self._fields(item, self._row.done)
        for key in CONSTANT_KEYS:
            before = self._added.get(key)
            if before is not None and item.get(key) != before:
                yield Fault(Rule.ITEM_CONSTANT, f"{self.type} {key}", f"{key} changed")
        if not self._may_end(item.get("status")):
            yield Fault(Rule.ITEM_ORDER, DONE, f"{DONE} after {self._last} in {self.type}")
        yield from self._whole_texts(item)
        yield from self._outcome(item)

    def _fields(self, item: Mapping[str, Any], statuses: frozenset[str]) -> Iterator[Fault]:
        for key in self._row.keys:
            if key not in item:
                yield Fault(Rule.FIELD, f"{self.type} {key}", f"{self.type} without {key}")
        status = str(item.get("status") or "-")
        if status not in statuses:
            expected = ", ".join(sorted(statuses))
            found = f"{self.type} is {status}, expected {expected}"
            yield Fault(Rule.ITEM_STATUS, f"{self.type} {status}", found)

    def _annotation(self, event: Mapping[str, Any]) -> Iterator[Fault]:
        index, expected = event.get("annotation_index"), len(self._annotations)
        if index != expected:
            yield Fault(Rule.ANNOTATIONS, "index", f"annotation {index}, expected {expected}")
        self._annotations.append(event.get("annotation"))

    def _index(self, event: Mapping[str, Any], text: Text) -> Iterator[Fault]:
        index, expected = event.get(text.index), len(self._wholes.get(text.path, ()))
        if index != expected:
            yield Fault(Rule.PART_INDEX, text.index, f"{text.index} {index}, expected {expected}")

    def _text_added(self, event: Mapping[str, Any], text: Text) -> Iterator[Fault]:
        self._pieces, self._annotations, self._logprobs = [], [], []
        announcement = event["part"] if text.closed else event
        if announcement.get(text.key) != "":
            yield Fault(Rule.ITEM_EMPTY, text.added, f"{text.key} of a new part is not empty")

    def _text_delta(self, event: Mapping[str, Any], text: Text) -> Iterator[Fault]:
        delta = event.get("delta")
        if isinstance(delta, str):
            self._pieces.append(delta)
        else:
            yield Fault(Rule.FIELD, "delta", f"delta is {_name(delta)}, expected a string")
        if text.added == LOGPROBS_PART:
            logprobs = event.get("logprobs")
            if isinstance(logprobs, list):
                self._logprobs += logprobs
            else:
                yield Fault(Rule.FIELD, "logprobs", f"logprobs is {_name(logprobs)}")

    def _text_done(self, event: Mapping[str, Any], text: Text) -> Iterator[Fault]:
        self._whole = event.get(text.key)
        joined = "".join(self._pieces)
        if not isinstance(self._whole, str):
            found = f"{text.key} is {_name(self._whole)}, expected a string"
            yield Fault(Rule.FIELD, text.key, found)
        elif self._whole != joined:
            found = f"{text.key} of {len(self._whole)} characters, deltas of {len(joined)}"
            yield Fault(Rule.PART_TEXT, text.key, found)
        if text.added == LOGPROBS_PART and event.get("logprobs") != self._logprobs:
            yield Fault(Rule.LOGPROBS, "done", f"logprobs of {text.key} differ from the deltas'")
        if not text.closed:
            self._wholes.setdefault(text.path, []).append(self._whole)

    def _text_closed(self, event: Mapping[str, Any], text: Text) -> Iterator[Fault]:
        part = event["part"]
        self._wholes.setdefault(text.path, []).append(part)
        if part.get(text.key) != self._whole:
            yield Fault(Rule.PART_TEXT, "part", f"{text.key} of the part differs from the text")
        if text.added == LOGPROBS_PART:
            if part.get("annotations") != self._annotations:
                yield Fault(Rule.ANNOTATIONS, "part", "annotations of the part differ")
            if part.get("logprobs", []) != self._logprobs:
                yield Fault(Rule.LOGPROBS, "part", "logprobs of the part differ")

    def _may_end(self, status: object) -> bool:
        """Tell if the item may end here: a cut one skips phases it did not reach, but no text."""
        if DONE in self._follow[self._last]:
            return True
        failed_silently = status == "failed" and f"{self.type}.failed" not in self._follow
        if status != "incomplete" and not failed_silently:
            return False
        reached, ahead = {self._last}, [self._last]
        while ahead:
            phases = self._follow[ahead.pop()] - _roles().keys() - reached
            reached |= phases
            ahead += phases
        return DONE in reached

    def _whole_texts(self, item: Mapping[str, Any]) -> Iterator[Fault]:
        for text in _texts(self._row):
            wholes = self._wholes.get(text.path, [])
            empty: Any = [] if text.index else ""
            expected = wholes if text.index else next(iter(wholes), empty)
            if (_at(item, text.path) or empty) != (expected or empty):
                where = ".".join(text.path)
                yield Fault(Rule.ITEM_WHOLE, where, f"{where} is not what the events said")

    def _outcome(self, item: Mapping[str, Any]) -> Iterator[Fault]:
        error = item.get("error") is not None
        status = item.get("status") or ("failed" if error else "completed")
        if self._last == f"{self.type}.failed" and status != "failed":
            yield Fault(Rule.ITEM_OUTCOME, self.type, "failed, but the item does not say so")
        if self._last == f"{self.type}.completed" and (error or status != "completed"):
            yield Fault(Rule.ITEM_OUTCOME, self.type, "completed, but the item is not")


@cache
def _roles() -> Mapping[str, tuple[str, Text]]:
    """Return which part each symbol plays for which text."""
    roles: dict[str, tuple[str, Text]] = {}
    for text in TEXTS:
        roles |= dict.fromkeys(text.delta, ("delta", text))
        roles |= dict.fromkeys(text.done, ("done", text))
        roles |= {text.added: ("added", text), text.closed: ("closed", text)}
    roles.pop("")  # texts without a part of their own have no name for it
    return roles


@cache
def _texts(row: Item) -> tuple[Text, ...]:
    """Return the texts that an item of this type streams."""
    table = item_table(row)
    return tuple(text for text in TEXTS if table.keys() & text.done)


def _symbol(event: Mapping[str, Any]) -> str:
    symbol: str = event["type"].removeprefix("response.")
    part = event.get("part")
    return f"{symbol}{{{part.get('type')}}}" if isinstance(part, dict) else symbol


def _at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = item
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _name(value: object) -> str:
    return "null or missing" if value is None else type(value).__name__
