"""One HTTP/1.1 connection to a model server: requests are written, and answers read as they come.

llhttp parses, through httptools, as in uvicorn. Here is what it leaves open: where a body without
framing ends, whether a connection can serve again, and how much may lie unread. Which connection
serves which request, and how long to wait, is decided elsewhere (`pool`, `http`).

A client library costs more than all else that we do with a delta: 1.7 µs in aiohttp 3.14, where
this costs 0.4 (`benchmarks/README.md`).

Source: RFC 9112.
"""

import asyncio
from typing import Any, Final, Literal

import httptools

# Bytes that an answer may have unread before its socket is left alone: one delta is 300.
READ_BUFFER_BYTES: Final = 128 * 1024

# Limit of a status line with all headers, in bytes. Hosted servers send security policies and
# cookies of several KB.
MAX_HEAD_BYTES: Final = 64 * 1024

_BODILESS: Final = frozenset({204, 304})


class StaleConnectionError(ConnectionError):
    """A kept connection turned out to be closed before a byte of the answer came."""


class Connection(asyncio.Protocol):
    """Serves one request at a time.

    Attributes:
        status: of the answer.
        headers: of the answer, in lower case; a repeated one keeps its last value.
        kept_at: when the connection became free, by the clock of the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None  # uvloop's is not a subclass of asyncio's
        self._stage: Literal["free", "head", "body", "whole", "lost"] = "free"
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._waiting_since = 0.0  # 0 once something came, until it is waited for again
        self._chunks: list[bytes] = []
        self._unread = 0
        self._is_paused = False
        self._answers = 0
        self._is_last = False  # whether the connection ends with this answer
        self._ends_with_connection = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.kept_at = 0.0
        # llhttp calls what is here now: a list's own method, for what comes with every delta.
        self.on_body = self._chunks.append
        self._parser: Any = httptools.HttpResponseParser(self)
        # What browsers take too, and aiohttp: no reading of these is a danger behind one's own pool.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    # For whoever asks

    @property
    def is_open(self) -> bool:
        return self._stage != "lost"

    @property
    def can_serve_again(self) -> bool:
        """Whether the answer has been read, and the connection outlives it."""
        return self.is_read and not self._is_last and not self._transport.get_write_buffer_size()

    @property
    def is_read(self) -> bool:
        """Whether the answer has come whole, and been read."""
        return self._stage == "whole" and not self._chunks

    async def ask(self, request: bytes) -> None:
        """Send a request, and return when the head of the answer is here.

        Raises:
            StaleConnectionError: the connection had been closed since it was last used.
            OSError, EOFError: it broke.
            httptools.HttpParserError: what came is not HTTP.
        """
        if self._stage == "lost":
            raise StaleConnectionError
        self._stage = "head"
        self._unread = 0
        self._waiting_since = self._loop.time()
        self._transport.write(request)
        while self._stage == "head":
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._stage == "lost" and not self.status:
            assert self._error is not None
            is_dead = isinstance(self._error, OSError | EOFError)
            if is_dead and self._answers and not self._unread:
                raise StaleConnectionError from self._error
            raise self._error

    async def read(self) -> bytes:
        """Return what has come of the body; nothing is its end.

        Raises:
            OSError, EOFError: the connection broke before the body was complete.
            httptools.HttpParserError: what came is not HTTP.
        """
        chunks = self._chunks
        while not chunks:
            if self._stage == "body":
                self._waiting_since = self._waiting_since or self._loop.time()
                self._waiter = self._loop.create_future()
                await self._waiter
            elif self._error is not None:
                raise self._error
            else:
                return b""
        data = b"".join(chunks)  # no copy, if it is one
        chunks.clear()
        self._unread = 0
        self._waiting_since = 0.0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def seconds_waited(self) -> float:
        """Return for how long somebody has been waiting here for what does not come."""
        is_waiting = self._waiter is not None and not self._waiter.done()
        return self._loop.time() - self._waiting_since if is_waiting else 0.0

    def free(self) -> None:
        """Make ready for the next request."""
        self._stage = "free"
        self.status = 0
        self.kept_at = self._loop.time()

    def break_off(self, error: Exception | None = None) -> None:
        """Close at once; whoever reads gets the error."""
        self._lose(error or EOFError())
        self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _lose(self, error: Exception) -> None:
        if self._stage == "lost":
            return
        self._error = error if self._stage != "whole" else None
        self._stage = "lost"
        self._parser = None  # it refers to us
        self._wake()

    # For the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._stage in ("free", "lost"):  # nobody asked
            self.break_off()
            return
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            self.break_off(exc)
        if self._unread > MAX_HEAD_BYTES:  # the lower limit of the two
            self._limit_unread()
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _limit_unread(self) -> None:
        if self._stage == "head":
            self.break_off(httptools.HttpParserError("too long a head"))
        elif self._stage == "body" and self._unread > READ_BUFFER_BYTES:
            self._is_paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None and self._stage == "body" and self._ends_with_connection:
            self._stage, self._is_last = "whole", True
        self._lose(exc or EOFError())

    # For llhttp

    def on_message_begin(self) -> None:
        if self._stage != "head":
            raise httptools.HttpParserError("an answer that nobody asked for")
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage == "head":  # not a trailer
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an early hint: the answer is still to come
            return
        headers = self.headers
        self.status = status
        self._ends_with_connection = (
            "content-length" not in headers
            and "chunked" not in headers.get("transfer-encoding", "").lower()
            and status not in _BODILESS
        )
        self._stage = "body"

    def on_message_complete(self) -> None:
        if self._stage == "body":
            self._stage = "whole"
            self._answers += 1
            self._is_last = not self._parser.should_keep_alive()
