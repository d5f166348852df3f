"""One WebSocket connection: frames in, events out.

The connection reads without pause, so that it sees the client go; what it reads waits in lanes.
When the client goes, everything that runs is broken off, and so is the upstream. Pings are the
server's business.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.http import ClientDisconnectedError
from adapter.asgi.lanes import Lanes
from adapter.asgi.service import Service
from adapter.asgi.slow_reader import SlowReader
from adapter.asgi.socket_frames import (
    SEND_TEXTS,
    STEER,
    check_type,
    encode_error,
    lane_of,
    read_body,
    read_frame,
    refuse_steering,
    takes_texts,
)
from adapter.asgi.socket_turns import SocketTurns, Turn
from adapter.errors import AdapterError, InvalidRequestError, TooLargeError
from adapter.upstream.base import Upstream

# Close codes (RFC 6455 §7.4.1).
_NORMAL = 1000
_TOO_BIG = 1009


class SocketConnection:
    """Serves one accepted WebSocket.

    Args:
        service: makes the runs.
        limits: of the connection.
        scope: of the WebSocket.
        receive: of the WebSocket.
        send: of the WebSocket.
        headers: of the handshake; they hold the client's authorization.
        upstream: where to send chat requests, if not to the routes of the models.
    """

    def __init__(
        self,
        service: Service,
        limits: ConnectionLimits,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
    ) -> None:
        self._limits = limits
        self._receive = receive
        self._send = send
        self._at_once = takes_texts(scope)
        self._max_bytes = service.settings.max_body_bytes
        self._slow_seconds = service.settings.slow_reader_timeout
        self._clock = asyncio.get_running_loop().time
        self._turns = SocketTurns(service, limits, headers, upstream, self._send_texts)
        self._sending = asyncio.Lock()  # frames of different lanes come from different tasks
        self._is_expired = False

    async def __call__(self) -> None:
        """Serve until the client goes, reads nothing any more, or the time is up."""
        task = asyncio.current_task()
        assert task is not None
        is_dropped = False

        def drop() -> None:
            nonlocal is_dropped
            is_dropped = True
            task.cancel()

        with SlowReader(self._slow_seconds, drop) as self._reader:
            try:
                await self._serve()
            except asyncio.CancelledError:
                if not is_dropped or task.uncancel():
                    raise

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._lanes = Lanes(self._turns.serve, tasks.create_task, self._limits)
            clock = tasks.create_task(self._end_in_time())
            try:
                await self._read()
            finally:
                clock.cancel()
                self._lanes.cancel()

    async def _read(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            try:
                await self._take(message)
            except TooLargeError as error:
                self._lanes.cancel()
                await self._say(encode_error(error, None))
                await self._close(_TOO_BIG)
                return

    async def _take(self, message: Message) -> None:
        """Put a frame in its lane, or say what is wrong with it.

        Raises:
            TooLargeError: it is larger than anything that the client may send.
        """
        lane = None
        try:
            body = read_body(message, self._max_bytes)
            frame = read_frame(body)
            lane = lane_of(frame)
            check_type(frame)
            if frame.type == STEER:
                await self._say(refuse_steering(body))
            elif self._is_expired:
                raise self._expired()
            else:
                self._lanes.add(lane, Turn(frame, body, lane), len(body))
        except TooLargeError:
            raise
        except AdapterError as error:
            await self._say(encode_error(error, lane))

    async def _end_in_time(self) -> None:
        """Take nothing more when the time is up, let end what runs, and close."""
        await asyncio.sleep(self._limits.seconds)
        self._is_expired = True
        for turn in self._lanes.drain():
            await self._say(encode_error(self._expired(), turn.lane))
        await self._lanes.wait_idle()
        await self._say(encode_error(self._expired(), None))
        await self._close(_NORMAL)

    def _expired(self) -> InvalidRequestError:
        return InvalidRequestError(
            f"Responses websocket connection limit reached ({self._limits.seconds / 60:.0f} "
            "minutes). Create a new websocket connection to continue.",
            code="websocket_connection_limit_reached",
        )

    # Frames out

    async def _say(self, text: bytes) -> None:
        """Send a frame of the connection itself; if the client has gone, nobody misses it."""
        with suppress(ClientDisconnectedError):
            await self._send_texts([text])

    async def _close(self, code: int) -> None:
        with suppress(ClientDisconnectedError):
            await self._send_messages([{"type": "websocket.close", "code": code}])

    def _send_texts(self, texts: Sequence[bytes]) -> Awaitable[None]:
        if self._at_once:
            return self._send_messages([{"type": SEND_TEXTS, "texts": texts}])
        return self._send_messages(
            [{"type": "websocket.send", "text": text.decode()} for text in texts]
        )

    async def _send_messages(self, messages: Sequence[Message]) -> None:
        send, clock, reader = self._send, self._clock, self._reader
        async with self._sending:
            try:
                for message in messages:
                    reader.since = clock()
                    await send(message)
            except OSError as exc:  # what ASGI servers raise when there is nobody
                raise ClientDisconnectedError from exc
            reader.since = 0.0
