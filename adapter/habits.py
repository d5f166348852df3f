"""What is known of the upstream of a route, and what has been learned since, per model.

The dialect that a run begins with may turn out wrong: an upstream refuses a field, the request is
made anew without it, and the next request of that model starts from there. An upstream that nobody
named is told by its first answer. What is learned is kept as a change of facts, so that the two do
not undo each other, nor two requests that learn at the same time.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from adapter.dialects import GENERIC, Dialect, find_dialect
from adapter.stream.sse import SSEReader

MAX_MODELS = 1000  # that are remembered; names are the clients' words
_json = msgspec.json.Decoder()


class Change(msgspec.Struct, frozen=True):
    """How one dialect differs from another.

    Attributes:
        values: facts that have another value.
        entries: of facts that are sets or dicts, the entries that they have or have otherwise; those
            of a set have themselves for a value.
        gone: the entries that they have no more.
    """

    values: dict[str, Any] = {}
    entries: dict[str, dict[Any, Any]] = {}
    gone: dict[str, frozenset[Any]] = {}

    def apply(self, dialect: Dialect) -> Dialect:
        """Return the dialect with this change."""
        changed: dict[str, Any] = dict(self.values)
        for fact, entries in self.entries.items():
            before = getattr(dialect, fact)
            kept = {key: value for key, value in _entries(before) if key not in self.gone[fact]}
            after = {**kept, **entries}
            changed[fact] = after if isinstance(before, dict) else frozenset(after)
        return msgspec.structs.replace(dialect, **changed)

    def then(self, other: "Change") -> "Change":
        """Return both changes as one; the later one wins."""
        entries, gone = dict(self.entries), dict(self.gone)
        for fact, later in other.entries.items():
            lost = other.gone[fact]
            earlier = entries.get(fact, {})
            kept = {key: value for key, value in earlier.items() if key not in lost}
            entries[fact] = {**kept, **later}
            gone[fact] = (gone.get(fact, frozenset()) - later.keys()) | lost
        return Change({**self.values, **other.values}, entries, gone)


def find_change(before: Dialect, after: Dialect) -> Change:
    """Return what makes one dialect of the other."""
    values: dict[str, Any] = {}
    entries: dict[str, dict[Any, Any]] = {}
    gone: dict[str, frozenset[Any]] = {}
    for fact in Dialect.__struct_fields__:
        old, new = getattr(before, fact), getattr(after, fact)
        if old == new:
            continue
        if type(old) is type(new) and isinstance(old, frozenset | dict):
            had, has = dict(_entries(old)), dict(_entries(new))
            entries[fact] = {
                key: value for key, value in has.items() if key not in had or had[key] != value
            }
            gone[fact] = frozenset(had.keys() - has.keys())
        else:
            values[fact] = new
    return Change(values, entries, gone)


def _entries(fact: frozenset[Any] | dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return fact.items() if isinstance(fact, dict) else zip(fact, fact, strict=True)


class Habits:
    """The dialect of a route, model by model.

    Args:
        dialect: what is known beforehand; None if the first answer is to tell.
        dialects: those to tell from, by name.

    Attributes:
        dialect: of models that nothing was learned of.
        is_known: nothing need be told from answers any more.
    """

    def __init__(
        self, dialect: Dialect | None = None, dialects: Mapping[str, Dialect] | None = None
    ) -> None:
        self.dialect = dialect or GENERIC
        self.is_known = dialect is not None
        self._dialects = dialects
        self._learned: OrderedDict[str, Change] = OrderedDict()

    def of(self, model: str) -> Dialect:
        """Return the dialect for a model, by the upstream's name for it."""
        dialect = self.dialect.for_model(model)
        change = self._learned.get(model)
        return dialect if change is None else change.apply(dialect)

    def settle(self, dialect: Dialect) -> None:
        """Take a dialect for what the upstream speaks; what was learned still holds."""
        self.dialect = dialect
        self.is_known = True

    def observe(self, headers: Mapping[str, str], beginning: bytes) -> None:
        """Tell the dialect from the headers and the first bytes of an answer, if they say it.

        Once is enough: a server that says nothing in its first chunk will not say more later. But
        what is no chunk (a comment, an error, half of one) says nothing of its server.
        """
        data = next(iter(SSEReader().feed(beginning)), beginning)
        try:
            chunk = _json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            chunk = None
        found = find_dialect(headers=headers, chunk=chunk, known=self._dialects)
        if found is not None:
            self.settle(found)
        elif isinstance(chunk, dict) and "choices" in chunk:
            self.is_known = True

    def learn(self, model: str, before: Dialect, after: Dialect) -> None:
        """Remember that another dialect suits a model better.

        Args:
            model: the upstream's name for it.
            before: the dialect that a request began with.
            after: the one that it ended with.
        """
        learned = self._learned.get(model, Change())
        self._learned[model] = learned.then(find_change(before, after))
        self._learned.move_to_end(model)
        if len(self._learned) > MAX_MODELS:
            self._learned.popitem(last=False)
