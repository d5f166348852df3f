"""What is known of the upstream of a route, and what has been learned since, per model.

The dialect that a run begins with may turn out wrong: an upstream refuses a field, the request is
made anew without it, and the next request of that model starts from there.
"""

from collections import OrderedDict

from adapter.dialects import Dialect

MAX_MODELS = 1000  # that are remembered; names are the clients' words


class Habits:
    """The dialect of a route, model by model.

    Args:
        dialect: what is known beforehand.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._learned: OrderedDict[str, Dialect] = OrderedDict()

    def of(self, model: str) -> Dialect:
        """Return the dialect for a model."""
        return self._learned.get(model) or self.dialect.for_model(model)

    def learn(self, model: str, dialect: Dialect) -> None:
        """Remember a better dialect for a model."""
        self._learned[model] = dialect
        self._learned.move_to_end(model)
        if len(self._learned) > MAX_MODELS:
            self._learned.popitem(last=False)
