"""A client that does not read, as a server sees it: for HTTP and WebSockets alike.

What was written for it stays in the server's buffer, and a connection that is closed waits for it to be
read, for ever.
"""

import asyncio
from typing import ClassVar


class ImpatientProtocol(asyncio.Protocol):
    """One connection; it stands before a protocol of uvicorn among the bases of a class.

    Attributes:
        slow_reader_seconds: for clients to read what is in the buffer; 0 is for ever. uvicorn makes
            the connections, and workers are made anew, so it is set for the class, once a process.
    """

    slow_reader_seconds: ClassVar[float] = 0.0

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _patience: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.slow_reader_seconds and self._patience is None:
            self._patience = self.loop.call_later(self.slow_reader_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
