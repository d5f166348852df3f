"""What is known of the upstream of a route, and what has been learned since, per model.

The dialect that a run begins with may turn out wrong: an upstream refuses a field, the request is
made anew without it, and the next request of that model starts from there. An upstream that nobody
named is told by its first answer.
"""

from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from adapter.dialects import GENERIC, Dialect, find_dialect
from adapter.stream.sse import SSEReader

MAX_MODELS = 1000  # that are remembered; names are the clients' words
_json = msgspec.json.Decoder()


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
        self._learned: OrderedDict[str, Dialect] = OrderedDict()

    def of(self, model: str) -> Dialect:
        """Return the dialect for a model."""
        return self._learned.get(model) or self.dialect.for_model(model)

    def settle(self, dialect: Dialect) -> None:
        """Take a dialect for what the upstream speaks."""
        self.dialect = dialect
        self.is_known = True

    def observe(self, headers: Mapping[str, str], beginning: bytes) -> None:
        """Tell the dialect from the headers and the first bytes of an answer, if they say it.

        Once is enough: a server that says nothing in its first answer will not say more later.
        """
        self.is_known = True
        data = next(iter(SSEReader().feed(beginning)), beginning)
        try:
            chunk = _json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            chunk = None
        found = find_dialect(headers=headers, chunk=chunk, known=self._dialects)
        if found is not None:
            self.settle(found)

    def learn(self, model: str, dialect: Dialect) -> None:
        """Remember a better dialect for a model."""
        self._learned[model] = dialect
        self._learned.move_to_end(model)
        if len(self._learned) > MAX_MODELS:
            self._learned.popitem(last=False)
