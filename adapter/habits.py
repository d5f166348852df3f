"""What is known of the upstream of a route, and what has been learned since, per model.

The dialect that a run begins with may turn out wrong: an upstream refuses a field, the request is
made anew without it, and the next request of that model starts from there. An upstream that nobody
named is told by its first answer. What is learned is kept as a change of facts, so that the two do
not undo each other, nor two requests that learn at the same time.
"""

from collections import OrderedDict
from collections.abc import Mapping
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
        more: what sets of facts have gained.
        less: what they have lost.
    """

    values: dict[str, Any] = {}
    more: dict[str, frozenset[Any]] = {}
    less: dict[str, frozenset[Any]] = {}

    def apply(self, dialect: Dialect) -> Dialect:
        """Return the dialect with this change."""
        sets = {
            fact: (getattr(dialect, fact) | self.more[fact]) - self.less[fact] for fact in self.more
        }
        return msgspec.structs.replace(dialect, **self.values, **sets)

    def then(self, other: "Change") -> "Change":
        """Return both changes as one; the later one wins."""
        more, less = dict(self.more), dict(self.less)
        for fact, gained in other.more.items():
            lost = other.less[fact]
            more[fact] = (more.get(fact, frozenset()) - lost) | gained
            less[fact] = (less.get(fact, frozenset()) - gained) | lost
        return Change({**self.values, **other.values}, more, less)


def find_change(before: Dialect, after: Dialect) -> Change:
    """Return what makes one dialect of the other."""
    values: dict[str, Any] = {}
    more: dict[str, frozenset[Any]] = {}
    less: dict[str, frozenset[Any]] = {}
    for fact in Dialect.__struct_fields__:
        old, new = getattr(before, fact), getattr(after, fact)
        if old == new:
            continue
        if isinstance(old, frozenset) and isinstance(new, frozenset):
            more[fact], less[fact] = new - old, old - new
        else:
            values[fact] = new
    return Change(values, more, less)


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
