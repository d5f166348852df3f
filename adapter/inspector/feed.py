"""What changes, as it changes: a stream of server-sent events with one summary for each request.

A request that changes often is told of a few times a second. A feed ends by itself after a while, and
at once when the server stops; the page opens another one.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from starlette.types import Receive, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers
from adapter.inspector.exchange import Exchange
from adapter.inspector.recorder import Listener, Recorder

PAUSE_SECONDS = 0.15  # between two tellings
SILENCE_SECONDS = 10.0  # then there is a sign of life
MAX_FEEDS = 32  # at one time

_encode = msgspec.json.Encoder().encode


class Feeds:
    """All feeds of one recorder.

    Args:
        recorder: what they tell of.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._listeners: set[Listener] = set()
        self._has_stopped = False

    @property
    def are_full(self) -> bool:
        """Whether there are as many as there may be."""
        return len(self._listeners) >= MAX_FEEDS

    def stop(self) -> None:
        """End all feeds, and begin no more: the server is going."""
        self._has_stopped = True
        for listener in self._listeners:
            listener.changed.set()

    async def __call__(
        self,
        receive: Receive,
        send: Send,
        headers: Headers,
        may_see: Callable[[Exchange], bool],
    ) -> None:
        """Send one feed, until the page goes.

        Args:
            receive: of the request.
            send: of the request.
            headers: of the answer.
            may_see: whether a request may be told of.
        """
        listener = self._recorder.listen()
        self._listeners.add(listener)
        try:
            async with StopOnDisconnect(receive):
                await self._send_all(listener, send, headers, may_see)
        finally:
            self._listeners.discard(listener)
            self._recorder.unlisten(listener)

    async def _send_all(
        self,
        listener: Listener,
        send: Send,
        headers: Headers,
        may_see: Callable[[Exchange], bool],
    ) -> None:
        content_type = (b"content-type", b"text/event-stream; charset=utf-8")
        await send(
            {"type": "http.response.start", "status": 200, "headers": [content_type, *headers]}
        )
        there = [exchange for exchange in self._recorder.all() if may_see(exchange)]
        body = _event("all", [exchange.summary() for exchange in there])
        while not self._has_stopped:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            body = await self._next(listener, may_see)
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, listener: Listener, may_see: Callable[[Exchange], bool]) -> bytes:
        """Wait for the next change, or for the time of a sign of life."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await listener.changed.wait()
        except TimeoutError:
            return b": alive\n\n"
        if not self._has_stopped:
            await asyncio.sleep(PAUSE_SECONDS)  # more of it comes
        return b"".join(self._events(listener.take(), may_see))

    def _events(self, ids: Iterable[str], may_see: Callable[[Exchange], bool]) -> Iterable[bytes]:
        for id in ids:
            exchange = self._recorder.get(id)
            if exchange is None:
                yield _event("gone", {"id": id})
            elif may_see(exchange):
                yield _event("request", exchange.summary())


def _event(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), _encode(data))
