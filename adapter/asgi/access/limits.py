"""How much may be going on at one time, and how often one owner may ask: counted in this process.

Nothing waits: what is too much is refused at once, and told when to come back.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType
from typing import Final

from adapter.errors import AdapterError

# Owners whose last minute is remembered. More than that are invented by somebody: those that were
# not seen for longest are forgotten, which lets them begin anew.
MAX_BUCKETS = 10_000

# Where there is no limit: nothing is counted, so nothing need be given back.
NO_PLACE: Final = nullcontext()


class Places:
    """Counts what goes on at one time, in all and by owner.

    Args:
        what: is counted, as clients read it, such as `requests`.
        limit: in all; 0 is no limit.
        owner_limit: of each owner, if it has none of its own; 0 is no limit.

    Attributes:
        taken: in all, now.
    """

    def __init__(self, what: str, limit: int, owner_limit: int) -> None:
        self.taken = 0
        self._what = what
        self._limit = limit
        self._owner_limit = owner_limit
        self._by_owner: dict[str, int] = {}

    def take(self, owner: str, own_limit: int | None = None) -> "Place":
        """Take a place; the `with` block of what is returned gives it back.

        Args:
            owner: who takes it.
            own_limit: of this owner, in place of the general one.

        Raises:
            AdapterError: there is none.
        """
        if self._limit and self.taken >= self._limit:
            raise too_many(f"Too many {self._what} at one time: the limit is {self._limit}.")
        limit = self._owner_limit if own_limit is None else own_limit
        if limit:
            mine = self._by_owner.get(owner, 0)
            if mine >= limit:
                raise too_many(f"Too many {self._what} of yours at one time: the limit is {limit}.")
            self._by_owner[owner] = mine + 1
        self.taken += 1
        return Place(self, owner if limit else None)

    def give_back(self, owner: str | None) -> None:
        """Count one less.

        Args:
            owner: whose it was; None if its owner is not counted.
        """
        self.taken -= 1
        if owner is None:
            return
        if (left := self._by_owner[owner] - 1) > 0:
            self._by_owner[owner] = left
        else:
            del self._by_owner[owner]


class Place:
    """A place that was taken, until the end of the block.

    Args:
        places: where.
        owner: who took it; None if its owner is not counted.
    """

    def __init__(self, places: Places, owner: str | None) -> None:
        self._places = places
        self._owner = owner

    def give_back(self) -> None:
        """Give it back before the block begins: there will be none."""
        self._places.give_back(self._owner)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._places.give_back(self._owner)


class Rates:
    """Counts requests by the minute: a bucket of tokens for each owner, full at first.

    Args:
        per_minute: requests of an owner that has no rate of its own; 0 is no limit.
        clock: seconds of any kind.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def spend(self, owner: str, own_rate: float | None = None) -> None:
        """Count one request.

        Args:
            owner: who asks.
            own_rate: of this owner, in place of the general one.

        Raises:
            AdapterError: it is one too many.
        """
        rate = self._per_minute if own_rate is None else own_rate
        if not rate:
            return
        now = self._clock()
        full = max(rate, 1.0)
        tokens, since = self._buckets.pop(owner, (full, now))
        tokens = min(full, tokens + (now - since) * rate / 60)
        is_enough = tokens >= 1
        self._buckets[owner] = (tokens - 1 if is_enough else tokens), now
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if not is_enough:
            wait = math.ceil((1 - tokens) * 60 / rate)
            raise too_many(f"Too many requests: the limit is {rate:g} per minute.", wait)


def too_many(message: str, wait_seconds: int = 1) -> AdapterError:
    """Return the error for what is too much now."""
    return AdapterError(
        message,
        status=429,
        type="too_many_requests",
        code="rate_limit_exceeded",
        headers={"retry-after": str(max(wait_seconds, 1))},
    )
