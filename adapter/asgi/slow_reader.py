"""Notices a client that does not read: a send to it does not return.

What lies between is bounded: the server waits when its buffer is full, so we wait, and the upstream is
not read. Without a limit such a client would hold all of that, and the upstream's work, for ever.
Nothing is timed for a send but the moment it began; a timer looks at that a few times.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from starlette.types import Message, Send

logger = logging.getLogger(__name__)

_LOOKS: Final = 4  # within the limit; one that has just begun then is found a quarter later


class SlowReader:
    """Watches sends, for as long as the block runs; or whenever somebody looks.

    Args:
        seconds: that a send may take; 0 is for ever.
        on_slow: called once when one takes longer.

    Attributes:
        since: when the send that is under way began, by the clock of the loop; 0 is none.
    """

    def __init__(self, seconds: float, on_slow: Callable[[], None]) -> None:
        self.since = 0.0
        self._seconds = seconds
        self._on_slow = on_slow
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._look_again()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def watched(self, send: Send) -> Send:
        """Return a send that is watched."""
        clock = self._loop.time

        async def watched_send(message: Message) -> None:
            self.since = clock()
            await send(message)
            self.since = 0.0

        return watched_send

    def look(self) -> float:
        """Tell of a send that takes too long, and return in how many seconds to look again."""
        if not self._seconds:
            return math.inf
        if self.since and self._loop.time() - self.since >= self._seconds:
            logger.info("a client that reads nothing for %g s is dropped", self._seconds)
            self._seconds = 0.0  # whoever looks may look on while the work is being stopped
            self._on_slow()
            return math.inf
        return self._seconds / _LOOKS

    def _look_again(self) -> None:
        if (seconds := self.look()) < math.inf:
            self._timer = self._loop.call_later(seconds, self._look_again)
