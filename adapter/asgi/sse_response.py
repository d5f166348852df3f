"""A response as a stream of server-sent events, over raw ASGI.

One send per list of events. Beside the pump there is a timer that begins the stream when the
upstream takes long, and keeps it alive when it is silent. Nothing is queued: the next read from upstream comes after the send.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec
from starlette.types import Receive, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers
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
        self._sends = 0
        self._is_sending = False
        self._idle_ticks = 0
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
            await self._begin()
        events = self._run.events()
        try:
            async for batch in events:
                await self._send_body(encode_events(batch))
        finally:
            await events.aclose()
        await self._send_body(DONE, more=False)

    async def _send_body(self, body: bytes, *, more: bool = True) -> None:
        if self._aside is not None:
            aside, self._aside = self._aside, None
            await aside
        self._is_sending = True
        if not self._sends:
            await self._send_headers()
        self._sends += 1
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self._is_sending = False
        self._idle_ticks = 0

    async def _send_headers(self) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*_HEADERS, *self._headers],
            }
        )
        if self._timer is not None:
            self._timer.cancel()
        if self._times.keepalive != "off":
            self._set_timer(self._times.keepalive_interval / 2, self._check_life)

    # Beside the pump

    def _set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, callback)

    def _start_late(self) -> None:
        """The grace is over: begin without the upstream."""
        if not self._run.is_started:
            self._aside = asyncio.create_task(self._begin())

    async def _begin(self) -> None:
        events = encode_events(self._run.start())
        await self._send_headers()
        self._sends += 1
        await self._send({"type": "http.response.body", "body": events, "more_body": True})

    def _check_life(self) -> None:
        """Twice an interval; the second time in a row without a send is too long a silence."""
        self._idle_ticks += 1
        if self._idle_ticks >= 2 and not self._is_sending:
            self._idle_ticks = 0
            self._aside = asyncio.create_task(self._keep_alive())
        self._set_timer(self._times.keepalive_interval / 2, self._check_life)

    async def _keep_alive(self) -> None:
        if self._times.keepalive == "event":
            body = encode_events([self._run.keepalive()])
        else:
            body = KEEPALIVE_COMMENT
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
