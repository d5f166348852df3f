"""Plays a request to the app in virtual time: what takes a minute takes none, and always the same.

For what depends on the moment something comes: timers that fire in the same turn of the event loop
as a read, silences, slow clients. There are no sockets here; `seconds` pass only when nothing else
is left to do.
"""

import asyncio
import json
import selectors
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.types import Message

from adapter import ResponsesAPI
from adapter.upstream.base import Upstream, UpstreamAnswer
from tests.asgi.streams import REQUEST

PATIENCE_SECONDS = 10_000.0


class Turns(msgspec.Struct, frozen=True):
    """So many turns of the event loop, in which no time passes."""

    count: int


Step = bytes | float | Turns


class Sent(msgspec.Struct, frozen=True):
    """An ASGI message and when it was sent, in seconds from the start."""

    at: float
    message: Message

    @property
    def body(self) -> bytes:
        body: bytes = self.message.get("body", b"")
        return body


def event(data: Mapping[str, Any] | str) -> bytes:
    """Return one event of the upstream's, to be one read."""
    return b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n"


def play(
    steps: Sequence[Step], *, send_seconds: float = 0, refuses: bytes = b"", **settings: Any
) -> list[Sent]:
    """Return what the app sends for a stream request.

    Args:
        steps: what the upstream does: bytes are one read, numbers are seconds of silence.
        send_seconds: how long the client takes for each body.
        refuses: a body that the client never takes.
        settings: of the app.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play(steps, send_seconds, refuses, settings))


def play_socket(
    frames: Sequence[Mapping[str, Any] | float], steps: Sequence[Step], **settings: Any
) -> list[Sent]:
    """Return what the app sends over a WebSocket, until it closes it.

    Args:
        frames: what the client does: objects are frames, numbers are seconds of silence.
        steps: what the upstream does for each request; see `play`.
        settings: of the app.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play_socket(frames, steps, settings))


async def _play_socket(
    frames: Sequence[Mapping[str, Any] | float], steps: Sequence[Step], settings: Mapping[str, Any]
) -> list[Sent]:
    loop = asyncio.get_running_loop()
    app = ResponsesAPI(_TimedUpstream(steps), environ={}, **settings)
    sent: list[Sent] = []
    left = list(frames)
    is_closed = asyncio.Event()
    connect: list[Message] = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        if connect:
            return connect.pop()
        while left:
            frame = left.pop(0)
            if isinstance(frame, Mapping):
                return {"type": "websocket.receive", "text": json.dumps(frame)}
            await asyncio.sleep(frame)
        await is_closed.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(Sent(loop.time(), message))
        if message["type"] == "websocket.close":
            is_closed.set()

    scope = {"type": "websocket", "path": "/v1/responses", "headers": []}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(scope, receive, send)
    return sent


async def _play(
    steps: Sequence[Step], send_seconds: float, refuses: bytes, settings: Mapping[str, Any]
) -> list[Sent]:
    loop = asyncio.get_running_loop()
    app = ResponsesAPI(_TimedUpstream(steps), environ={}, **settings)
    sent: list[Sent] = []
    incoming = [{"type": "http.request", "body": json.dumps(REQUEST | {"stream": True}).encode()}]

    async def receive() -> Message:
        if not incoming:
            await loop.create_future()  # the client stays
        return incoming.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and send_seconds:
            await asyncio.sleep(send_seconds)
        if refuses and message.get("body") == refuses:
            await loop.create_future()
        sent.append(Sent(loop.time(), message))

    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(scope, receive, send)
    return sent


class _Selector(selectors.DefaultSelector):
    """Jumps to where the loop would wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen"
        self.now += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only when nothing else is left to do, and then at once."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class _Answer:
    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for step in self._steps:
            match step:
                case bytes():
                    yield step
                case Turns():
                    for _ in range(step.count):
                        await asyncio.sleep(0)
                case _:
                    await asyncio.sleep(step)


class _TimedUpstream(Upstream):
    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    @asynccontextmanager
    async def open(self, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[UpstreamAnswer]:
        yield _Answer(self._steps)

    async def aclose(self) -> None:
        """Nothing is kept open."""
