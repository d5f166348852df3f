"""The end of the server: first it says that it is no longer ready, then it ends what still runs.

What has its own way to end (a stream has last events) is told to; what has none is cancelled, and its
client gets a 503. What runs in the background is none of this: see `adapter.background`.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType

from adapter.errors import AdapterError

Interrupt = Callable[[AdapterError], None]


class Closing:
    """Knows what runs.

    Attributes:
        has_begun: no new requests are wanted.
        turns: of WebSockets, that run. Servers close those at once when they stop to listen.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self.turns = 0
        self._running: dict[int, Interrupt] = {}

    @property
    def running(self) -> int:
        """How much runs."""
        return len(self._running)

    def begin(self) -> None:
        """Say that no new requests are wanted; what comes all the same is served."""
        self.has_begun = True

    def interrupt(self) -> None:
        """End everything that runs."""
        self.has_begun = True
        for interrupt in list(self._running.values()):
            interrupt(stopped())

    def told(self, interrupt: Interrupt) -> "Told":
        """Have something told, until the end of the `with` block, that it has to end."""
        return Told(self._running, interrupt)

    @contextmanager
    def turn(self, interrupt: Interrupt) -> Generator[None]:
        """As `told`, for a turn of a WebSocket."""
        self.turns += 1
        try:
            with self.told(interrupt):
                yield
        finally:
            self.turns -= 1

    @contextmanager
    def cancelled(self) -> Generator[None]:
        """Cancel the block when the server ends.

        Raises:
            AdapterError: it was cancelled for that.
        """
        task = asyncio.current_task()
        assert task is not None
        reason: AdapterError | None = None

        def interrupt(error: AdapterError) -> None:
            nonlocal reason
            reason = error
            task.cancel()

        with self.told(interrupt):
            try:
                yield
            except asyncio.CancelledError:
                if reason is None or task.uncancel():
                    raise
                raise reason from None


class Told:
    """Something that is told when the server ends; see `Closing.told`.

    Args:
        running: all that is told.
        interrupt: tells this one.
    """

    def __init__(self, running: dict[int, Interrupt], interrupt: Interrupt) -> None:
        self._running = running
        self._interrupt = interrupt

    def __enter__(self) -> None:
        self._running[id(self._interrupt)] = self._interrupt

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self._running[id(self._interrupt)]


def stopped() -> AdapterError:
    """Return the error for what was ended with the server."""
    return AdapterError(
        "The server was stopped before this response was complete. Try again.",
        status=503,
        headers={"retry-after": "1"},
    )
