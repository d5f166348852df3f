"""All items of a stream: their numbers, their ids, and what the last `response.output` holds.

Methods yield the faults that they find. What happens inside one item is in `items.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.stream.grammar.items import ItemLife
from adapter.stream.grammar.rows import ITEMS, RESEALED_KEYS, UNFINISHED, WITHOUT_ITEM_ID
from adapter.stream.grammar.rules import Fault, Rule


class Output:
    """The items of one stream, in the order in which they were added."""

    def __init__(self) -> None:
        self._items: dict[int, ItemLife] = {}
        self._open: list[ItemLife] = []
        self._ids: set[str] = set()

    def add(self, event: Mapping[str, Any]) -> Iterator[Fault]:
        """Read an `output_item.added`."""
        item = event.get("item")
        if not isinstance(item, dict):
            yield _NO_ITEM
            return
        life = ItemLife(item)
        if life.type not in ITEMS and ":" not in life.type:
            yield Fault(Rule.ITEM_TYPE, life.type, f"an item of unknown type {life.type}")
        if self._open:
            before = self._open[-1].type
            yield Fault(Rule.ONE_ITEM, before, f"{before} is not done yet")
        index, expected = event.get("output_index"), len(self._items)
        if index != expected:
            yield Fault(Rule.OUTPUT_INDEX, "", f"output_index {index}, expected {expected}")
        yield from self._new_ids(life, item)
        self._items[index if isinstance(index, int) else expected] = life
        self._open.append(life)
        yield from life.begin()

    def feed(self, event: Mapping[str, Any]) -> Iterator[Fault]:
        """Read an event that belongs to an item."""
        item_id = event.get("item_id")
        if item_id is None and event["type"] not in WITHOUT_ITEM_ID:
            yield Fault(Rule.FIELD, "item_id", "no item_id")
        life = self._items.get(_index(event))
        yield from _misplaced(life, event, item_id)
        if life is not None and life.done is None:
            yield from life.feed(event)

    def finish(self, event: Mapping[str, Any]) -> Iterator[Fault]:
        """Read an `output_item.done`."""
        item = event.get("item")
        if not isinstance(item, dict):
            yield _NO_ITEM
            return
        life = self._items.get(_index(event))
        yield from _misplaced(life, event, item.get("id") or "")
        if life is not None and life.done is None:
            self._open.remove(life)
            yield from life.end(item)

    def end(self, symbol: str, output: object) -> Iterator[Fault]:
        """Compare the items with the last event of the stream.

        Args:
            symbol: `completed`, `incomplete` or `failed`.
            output: the `output` of its response.
        """
        lives = list(self._items.values())
        for life in self._open:
            if symbol != "failed" or life is not lives[-1]:
                yield Fault(Rule.ITEM_DONE, life.type, f"{life.type} is not done")
        for life in lives:
            status = str(life.done.get("status")) if life.done else ""
            if status in UNFINISHED and (life is not lives[-1] or symbol == "completed"):
                found = f"{life.type} is {status} in a response that is {symbol}"
                yield Fault(Rule.ITEM_UNFINISHED, f"{life.type} {status}", found)
        items = output if isinstance(output, list) else []
        if self._open and symbol == "failed" and len(items) == len(lives) - 1:
            lives.pop()
        if len(items) != len(lives):
            yield Fault(Rule.OUTPUT, "length", f"{len(items)} items, expected {len(lives)}")
        for item, life in zip(items, lives, strict=False):
            yield from _differences(item, life)

    def _new_ids(self, life: ItemLife, item: Mapping[str, Any]) -> Iterator[Fault]:
        ids = [life.id]
        if life.type.endswith("_call") and item.get("call_id") is not None:
            ids.append(item["call_id"])
        for each in ids:
            if not isinstance(each, str) or not each:
                yield Fault(Rule.FIELD, f"{life.type} id", f"{life.type} without an id")
            elif each in self._ids:
                yield Fault(Rule.ITEM_ID, "repeated", f"{each} is taken")
            else:
                self._ids.add(each)


_NO_ITEM = Fault(Rule.FIELD, "item", "no item")


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("output_index")
    return index if isinstance(index, int) else -1


def _misplaced(life: ItemLife | None, event: Mapping[str, Any], item_id: object) -> Iterator[Fault]:
    """Check that an event belongs to an item, by its index and its id, and that it is open."""
    if life is None:
        yield Fault(Rule.ITEM_ADDED, "", f"no item with output_index {event.get('output_index')}")
        return
    if item_id is not None and item_id != life.id:
        yield Fault(Rule.ITEM_ID, "changed", f"id {item_id}, was added as {life.id}")
    if life.done is not None:
        yield Fault(Rule.ITEM_CLOSED, life.type, f"{life.type} is done already")


def _differences(item: object, life: ItemLife) -> Iterator[Fault]:
    """Compare an item of the last `response.output` with the one that was done."""
    done = life.done or {"id": life.id, "type": life.type}
    if item == done:
        return
    if not isinstance(item, dict):
        yield Fault(Rule.OUTPUT, "item", "an item that is not an object")
        return
    # Of an item that is still open only its name is known.
    keys = item.keys() | done.keys() if life.done else done.keys()
    for key in sorted(keys - RESEALED_KEYS):
        if key not in item or key not in done or item[key] != done[key]:
            yield Fault(Rule.OUTPUT, key, f"{key} of {life.type} differs")
