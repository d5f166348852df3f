"""A response as a stream of server-sent events, over raw ASGI: one send per list of events."""

import asyncio
from collections.abc import Sequence

from starlette.types import Receive, Send

from adapter.asgi.closing import Closing
from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers
from adapter.asgi.pump import EventPump, StreamTimes
from adapter.asgi.report import report_headers
from adapter.asgi.slow_reader import SlowReader
from adapter.loop import ResponseRun
from adapter.stream.encode import DONE, KEEPALIVE_COMMENT, encode_events
from adapter.types.events import Event

SSE_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
)


class SSEResponse:
    """Sends the events of one run.

    Args:
        run: makes the events.
        times: when to send something although nothing came.
        closing: tells when the server ends.
        headers: more response headers.
    """

    def __init__(
        self, run: ResponseRun, times: StreamTimes, closing: Closing, headers: Headers = ()
    ) -> None:
        self._run = run
        self._times = times
        self._headers = headers
        self._closing = closing
        self._has_begun = False
        self._loop = asyncio.get_running_loop()

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Send everything; return early if the client goes.

        Raises:
            AdapterError: it failed before anything was sent.
        """
        self._send = send
        async with StopOnDisconnect(receive) as client:
            self._reader = SlowReader(self._times.slow_reader_timeout, client.drop)
            look = self._reader.look
            pump = EventPump(self._run, self._times, self._write, self._comment, look)
            with self._closing.told(pump.interrupt):
                await pump()

    async def _write(self, events: Sequence[Event], *, is_last: bool) -> None:
        if not self._has_begun:
            await self._send_headers()
        body = encode_events(events)
        self._reader.since = self._loop.time()
        await self._send(
            {
                "type": "http.response.body",
                "body": body + DONE if is_last else body,
                "more_body": not is_last,
            }
        )
        self._reader.since = 0.0

    async def _comment(self) -> None:
        self._reader.since = self._loop.time()
        await self._send(
            {"type": "http.response.body", "body": KEEPALIVE_COMMENT, "more_body": True}
        )
        self._reader.since = 0.0

    async def _send_headers(self) -> None:
        self._has_begun = True
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*SSE_HEADERS, *self._headers, *report_headers(self._run.translation)],
            }
        )
