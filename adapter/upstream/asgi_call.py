"""One call of an ASGI app in this process, with the two sides of it: the app's and the reader's.

They meet in one buffer, to which the app's `send` appends. It returns when the reader has taken all;
or at once, with reading ahead, as long as the app sends in a burst, or lets the reader run by itself.
One task per call, a future per read, and one per send that is held. What is asked is not known here.
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
# away as long again, so what it has sent must not wait for the next. It does not have to, if the app
# lets others run while it is away: what was sent before has then been taken.
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
        self._over: asyncio.Event | None = None  # made for an app that asks
        # What it has sent and nobody took
        self._sent = bytearray()
        self._sent_at = 0.0  # when its last send returned
        self._gives_way = False  # it let others run since a send of it was held
        # Who waits for the other side; several senders only if the app sends from several tasks
        self._reader: asyncio.Future[None] | None = None
        self._senders: list[asyncio.Future[None]] = []
        # How long the reader may wait: one timer per call, which looks when it fires
        self._has_begun = False
        self._waiting_since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        # In a copy of this context: create_task makes it.
        self._task = self._loop.create_task(self._run())
        self._running.add(self._task)
        self._task.add_done_callback(self._ended)
        self._limit_waiting(self._timeouts.first_byte)
        try:
            while self._stage == "starting":
                self._reader = reader = self._loop.create_future()
                await reader
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
        return self._stage == "complete" and not self._sent

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `UpstreamAnswer.chunks`."""
        while True:
            if self._sent:
                taken = bytes(self._sent)
                self._sent.clear()
                if self._senders:
                    self._release_senders()
                yield taken
                if not self._has_begun:
                    self._begin()
            elif self._stage == "body":
                if self._has_begun:
                    self._waiting_since = self._loop.time()
                self._reader = reader = self._loop.create_future()
                await reader
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

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)

    def _begin(self) -> None:
        """Let the other limit hold from now on; where it is the same, the timer can stay."""
        self._has_begun = True
        if self._timeouts.idle != self._timeouts.first_byte:
            self._stop_timer()
            self._limit_waiting(self._timeouts.idle)

    def _limit_waiting(self, limit: float | None) -> None:
        if limit:
            self._timer = self._loop.call_later(limit, self._check_limit, limit)

    def _check_limit(self, limit: float) -> None:
        reader = self._reader
        is_waiting = reader is not None and not reader.done()
        left = limit - (self._loop.time() - self._waiting_since) if is_waiting else limit
        if left > 0:
            self._timer = self._loop.call_later(left, self._check_limit, limit)
        elif reader is not None:
            fault = faults.IDLE_TIMEOUT if self._has_begun else faults.FIRST_BYTE_TIMEOUT
            reader.set_exception(fault.error(_PEER, f"{limit:g}"))

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
            self._tell_it_is_over()
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
        if self._over is None:
            self._over = asyncio.Event()
            if self._stage in ("complete", "left"):
                self._over.set()
        await self._over.wait()
        return {"type": "http.disconnect"}

    def _tell_it_is_over(self) -> None:
        if self._over is not None:
            self._over.set()

    async def _send(self, message: Message) -> None:
        if self._stage != "body" or message["type"] != "http.response.body":
            await self._send_other(message)
            return
        if body := message.get("body"):
            self._sent += body  # a copy: a memoryview may be overwritten
        if not message.get("more_body"):
            self._stage = "complete"
            self._tell_it_is_over()
        if self._reader is not None:
            self._wake()
        if body:
            now = monotonic()
            if len(self._sent) > self._read_ahead_bytes or (
                now - self._sent_at >= _BURST_SECONDS
                and not (self._gives_way and len(self._sent) == len(body))
            ):
                await self._hold()
                now = monotonic()
            self._sent_at = now

    async def _hold(self) -> None:
        """Return when all was taken, and find out whether the app gives way after that."""
        taken = self._loop.create_future()
        self._senders.append(taken)
        await taken
        self._gives_way = False
        self._loop.call_soon(self._note_turn)

    def _note_turn(self) -> None:
        # Others are running: because a send is held again, or because the app waits for something.
        self._gives_way = not self._senders

    async def _send_other(self, message: Message) -> None:
        kind = message["type"]
        if self._stage == "left":
            await self._refuse()
        elif kind == "http.response.start" and self._stage == "starting":
            self._start(message)
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    def _start(self, message: Message) -> None:
        self.status = message["status"]
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in message.get("headers", ())
        }
        self._stage = "body"
        self._sent_at = monotonic()
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
