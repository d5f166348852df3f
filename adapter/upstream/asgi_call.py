"""One call of an ASGI app in this process, with the two sides of it: the app's and the reader's.

They meet without a queue: a chunk goes from the app's `send` to the reader, and the send returns
when it was taken. One task per call, two futures per chunk. What is asked is not known here.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Final, Literal, Self

from starlette.types import ASGIApp, Message

from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.faults import Fault, Timeouts

logger = logging.getLogger(__name__)

# Seconds that an app gets to end by itself after `http.disconnect`; then its task is cancelled.
# Many do not ask for it while they wait for the engine, and generation has to stop within half a
# second of the client's leaving.
DISCONNECT_GRACE_SECONDS: Final = 0.25

# With reading ahead: an app that was away longer than this many seconds between two sends may stay
# away as long again, so what it has sent must not wait for the next.
_BURST_SECONDS: Final = 0.000_1

# Stands for host and port in messages.
_PEER: Final = "The wrapped application"

_FAILED: Final = Fault("{peer} failed before it answered ({detail}); see the log for why.")
_NO_ANSWER: Final = Fault("{peer} returned without an answer.")
_BROKEN_OFF: Final = Fault("{peer} failed in the middle of its answer ({detail}).")
_NOT_FINISHED: Final = Fault("{peer} returned before its answer was complete.")
_COMPRESSED: Final = Fault("{peer} compressed its answer ({detail}), which it was asked not to.")


class AsgiCall:
    """One call: entering starts the app, leaving disconnects it. It is its own `UpstreamAnswer`.

    Args:
        app: the app.
        scope: of the request.
        body: of the request.
        timeouts: for the first byte, and between chunks.
        read_ahead_bytes: see `AsgiUpstream`.
        running: where the app's task is kept while it runs, which may be longer than the call.
    """

    status: int
    headers: Mapping[str, str]

    def __init__(
        self,
        app: ASGIApp,
        scope: dict[str, Any],
        body: bytes,
        *,
        timeouts: Timeouts,
        read_ahead_bytes: int,
        running: set[asyncio.Task[None]],
    ) -> None:
        self._app = app
        self._scope = scope
        self._timeouts = timeouts
        self._read_ahead_bytes = read_ahead_bytes
        self._running = running
        self._loop = asyncio.get_running_loop()
        self._stage: Literal["starting", "body", "complete", "failed", "left"] = "starting"
        self._error: UpstreamError | None = None  # once failed
        # What the app may receive: the body, and the disconnect when nothing more is taken
        self._body: bytes | None = body
        self._over = asyncio.Event()
        # What it has sent and nobody took
        self._chunks: list[bytes] = []
        self._size = 0
        self._returned_at = 0.0  # from its last send
        # Who waits for the other side; several senders only if the app sends from several tasks
        self._reader: asyncio.Future[None] | None = None
        self._senders: list[asyncio.Future[None]] = []
        # How long the reader may wait: one timer per call, which looks when it fires
        self._waiting_since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        # In a copy of this context: create_task makes it.
        self._task = self._loop.create_task(self._run())
        self._running.add(self._task)
        self._task.add_done_callback(self._ended)
        self._limit_waiting(faults.FIRST_BYTE_TIMEOUT, self._timeouts.first_byte)
        try:
            while self._stage == "starting":
                await self._wait()
            self._check_start()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    @property
    def is_read(self) -> bool:
        """See `UpstreamAnswer`."""
        return self._stage == "complete" and not self._chunks

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `UpstreamAnswer.chunks`."""
        begun = False
        while True:
            if self._chunks:
                yield self._take()
                if not begun:
                    begun = True
                    self._limit_waiting(faults.IDLE_TIMEOUT, self._timeouts.idle)
            elif self._stage == "body":
                if begun:
                    self._waiting_since = self._loop.time()
                await self._wait()
            elif self._error is not None:
                raise self._error
            else:
                return

    # The reader's side

    def _check_start(self) -> None:
        if self._error is not None:
            raise self._error
        encoding = self.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise _COMPRESSED.error(_PEER, encoding)

    def _take(self) -> bytes:
        chunks = self._chunks
        taken = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._size = 0
        self._release_senders()
        return taken

    async def _wait(self) -> None:
        self._reader = self._loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _limit_waiting(self, fault: Fault, limit: float | None) -> None:
        self._stop_timer()
        if limit:
            self._timer = self._loop.call_later(limit, self._check_limit, fault, limit)

    def _check_limit(self, fault: Fault, limit: float) -> None:
        waited = self._loop.time() - self._waiting_since if self._reader is not None else 0.0
        if waited < limit:
            self._timer = self._loop.call_later(limit - waited, self._check_limit, fault, limit)
        elif self._reader is not None and not self._reader.done():
            self._reader.set_exception(fault.error(_PEER, f"{limit:g}"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._stop_timer()
        if self._stage == "complete":
            self._release_senders()
        elif self._stage != "failed":
            self._stage = "left"
            self._over.set()
            if self._sends_fail:
                self._release_senders(_gone())
            self._timer = self._loop.call_later(DISCONNECT_GRACE_SECONDS, self._task.cancel)

    def _release_senders(self, exc: Exception | None = None) -> None:
        for sender in self._senders:
            if sender.done():  # the app gave up waiting
                continue
            if exc is None:
                sender.set_result(None)
            else:
                sender.set_exception(exc)
        self._senders.clear()

    # The app's side

    async def _run(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._stop_timer()
        exc = None if task.cancelled() else task.exception()
        if self._stage == "complete":
            if exc is not None:
                logger.error("%s failed after its answer", _PEER, exc_info=exc)
        elif self._stage == "left":
            logger.debug("%s ended after its reader had left", _PEER, exc_info=exc)
        else:
            self._fail(exc, returned=exc is None and not task.cancelled())

    def _fail(self, exc: BaseException | None, *, returned: bool) -> None:
        answering = self._stage == "body"
        if returned:
            fault = _NOT_FINISHED if answering else _NO_ANSWER
        else:
            fault = _BROKEN_OFF if answering else _FAILED
        self._error = fault.error(_PEER, type(exc).__name__ if exc is not None else "cancelled")
        self._error.__cause__ = exc
        self._stage = "failed"
        self._wake()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body" and self._stage == "body":
            if body := message.get("body", b""):
                self._chunks.append(bytes(body))  # a memoryview may be overwritten
                self._size += len(body)
            if not message.get("more_body", False):
                self._stage = "complete"
                self._over.set()
            self._wake()
            if body:
                if not self._may_read_ahead():
                    taken = self._loop.create_future()
                    self._senders.append(taken)
                    await taken
                self._returned_at = monotonic()
        elif self._stage == "left":
            await self._refuse()
        elif kind == "http.response.start" and self._stage == "starting":
            self._start(message)
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    def _may_read_ahead(self) -> bool:
        return (
            self._size <= self._read_ahead_bytes
            and monotonic() - self._returned_at < _BURST_SECONDS
        )

    def _start(self, message: Message) -> None:
        self.status = message["status"]
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in message.get("headers", ())
        }
        self._stage = "body"
        self._wake()

    async def _refuse(self) -> None:
        """Fail the send; or hold it until the task ends, as ASGI before 2.4 knows no failing.

        To return from it, as servers do, would let an app that never asks for the disconnect run on.
        """
        if self._sends_fail:
            raise _gone()
        await self._loop.create_future()

    @property
    def _sends_fail(self) -> bool:
        version = self._scope.get("asgi", {}).get("spec_version", "2.0")
        return tuple(int(number) for number in version.split(".")) >= (2, 4)


def _gone() -> OSError:
    return OSError("the reader of the answer has left")
