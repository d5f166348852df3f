"""Leaves an upstream alone that is down: after so many failures in a row nobody asks it for a while.

Then one request may try; if it finds the upstream there, all others may ask again. A failure is what
says that nobody is there: no connection, no answer in time, or a gateway's 502, 503 or 504. A 500 is
none: one request that an upstream chokes on, sent again and again, would shut out everybody.
"""

import logging
import math
import time
from collections.abc import Callable

from adapter.errors import UpstreamError

logger = logging.getLogger(__name__)

# 529: Anthropic's word for an overloaded site, which Cloudflare and others took up.
DOWN_STATUSES = frozenset({502, 503, 504, 529})


class Breaker:
    """Counts the failures of one upstream.

    Args:
        name: of the route, for the log and for errors.
        failures: in a row, after which it opens; 0 is never.
        seconds: how long it stays open before one request may try.
        clock: seconds of any kind.
        on_change: (whether it is open) is told when that changes.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[bool], None] | None = None,
    ) -> None:
        self._on_change = on_change
        self._name = name
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._is_tried = False

    @property
    def is_open(self) -> bool:
        """Whether requests are refused."""
        return self._opened_at is not None

    def enter(self) -> bool:
        """Let a request ask; return whether it is the one that tries an upstream that was down.

        Raises:
            UpstreamError: the upstream is left alone.
        """
        if self._opened_at is None:
            return False
        left = self._opened_at + self._seconds - self._clock()
        if left > 0 or self._is_tried:
            raise self._refusal(left)
        self._is_tried = True
        return True

    def leave(self, *, tried: bool, found: bool | None) -> None:
        """Tell how a request went.

        Args:
            tried: what `enter` returned.
            found: whether the upstream was there; None if the request did not come so far.
        """
        if tried:
            self._is_tried = False
        if found:
            self._failures = 0
            if self._opened_at is not None:
                self._opened_at = None
                if self._on_change is not None:
                    self._on_change(False)
                logger.info("the upstream of route %s is there again", self._name)
        elif found is False and self._limit:
            self._failures += 1
            if tried or (self._opened_at is None and self._failures >= self._limit):
                self._open()

    def _open(self) -> None:
        if self._opened_at is None:
            logger.warning(
                "the upstream of route %s is left alone for %g s: %d failures in a row",
                self._name,
                self._seconds,
                self._failures,
            )
            if self._on_change is not None:
                self._on_change(True)
        self._opened_at = self._clock()

    def _refusal(self, left: float) -> UpstreamError:
        error = UpstreamError(
            f"The model server of route '{self._name}' is down, and is left alone for a while after "
            f"{self._failures} failures in a row. Try again later.",
            status=503,
            headers={"retry-after": str(max(math.ceil(left), 1))},
        )
        error.is_down = True
        return error
