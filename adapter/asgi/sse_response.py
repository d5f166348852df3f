"""A response as a stream of server-sent events, over raw ASGI.

One send per list of events. Beside the pump there is a timer that begins the stream when the
upstream takes long, and keeps it alive when it is silent. Nothing is queued: the next read from
upstream comes after the send.

Events are numbered when they are made, so whoever makes some must be the next to send: the timer
makes its own only when no send is under way, and the pump waits for them before it sends.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec
from starlette.types import Receive, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers
from adapter.asgi.report import report_headers
from adapter.loop import ResponseRun
from adapter.stream.encode import DONE, KEEPALIVE_COMMENT, encode_events

KeepaliveMode = Literal["event", "comment", "off"]

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
)


class StreamTimes(msgspec.Struct, frozen=True):
    """When to send something although nothing came.

    Attributes:
        start_grace: seconds before the stream begins without the upstream.
        keepalive: what to send while the upstream is silent.
        keepalive_interval: seconds of silence.
    """

    start_grace: float
    keepalive: KeepaliveMode
    keepalive_interval: float


class SSEResponse:
    """Sends the events of one run.

    Args:
        run: makes the events.
        times: when to send something although nothing came.
        headers: more response headers.
    """

    def __init__(self, run: ResponseRun, times: StreamTimes, headers: Headers = ()) -> None:
        self._run = run
        self._times = times
        self._headers = headers
        self._has_begun = False
        self._is_sending = False
        self._clock = asyncio.get_running_loop().time
        self._sent_at = 0.0
        self._aside: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Send everything; return early if the client goes.

        Raises:
            AdapterError: it failed before anything was sent.
        """
        self._send = send
        try:
            async with StopOnDisconnect(receive):
                await self._pump()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._aside is not None:
                self._aside.cancel()

    async def _pump(self) -> None:
        if self._times.start_grace > 0:
            self._set_timer(self._times.start_grace, self._start_late)
        else:
            await self._send_body(encode_events(self._run.start()))
        events = self._run.events()
        try:
            async for batch in events:
                is_over = self._run.is_over
                body = encode_events(batch)
                await self._send_body(body + DONE if is_over else body, more=not is_over)
        finally:
            await events.aclose()

    async def _send_body(self, body: bytes, *, more: bool = True) -> None:
        self._is_sending = True
        if self._aside is not None:
            aside, self._aside = self._aside, None
            await aside
        if not self._has_begun:
            await self._send_headers()
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self._is_sending = False
        self._sent_at = self._clock()

    async def _send_headers(self) -> None:
        self._has_begun = True
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*_HEADERS, *self._headers, *report_headers(self._run.translation)],
            }
        )
        if self._timer is not None:
            self._timer.cancel()
        if self._times.keepalive != "off":
            self._set_timer(self._times.keepalive_interval, self._check_life)

    # Beside the pump

    def _set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, callback)

    def _start_late(self) -> None:
        """The grace is over: begin without the upstream."""
        if not self._run.is_started:
            self._aside = asyncio.create_task(self._begin(encode_events(self._run.start())))

    async def _begin(self, events: bytes) -> None:
        await self._send_headers()
        await self._send_aside(events)

    def _check_life(self) -> None:
        """Look when a silence could be an interval long; if it is shorter, look again then."""
        interval = self._times.keepalive_interval
        silence = self._clock() - self._sent_at
        if self._is_busy:
            silence = 0.0
        elif silence >= interval:
            silence = 0.0
            self._aside = asyncio.create_task(self._send_aside(self._sign_of_life()))
        self._set_timer(interval - silence, self._check_life)

    @property
    def _is_busy(self) -> bool:
        return self._is_sending or (self._aside is not None and not self._aside.done())

    def _sign_of_life(self) -> bytes:
        if self._times.keepalive == "event":
            return encode_events([self._run.keepalive()])
        return KEEPALIVE_COMMENT

    async def _send_aside(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        self._sent_at = self._clock()
