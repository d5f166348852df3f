"""One connection of a scripted upstream: reads requests, plays their answers, sees the client go.

An `asyncio.Protocol`, because a stream reader tells of a disconnect only to who is reading.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from http import HTTPStatus

from tests.servers.answers import Answer, Eof, Hang, Pause, Reset, Step
from tests.servers.requests import Request, take_request


class Connection(asyncio.Protocol):
    """Answers one request after the other.

    Args:
        answer_to: called once for every whole request.
        connections: the open ones; this one adds and removes itself.
        failures: gets what went wrong in the script or in the reading of a request.
    """

    def __init__(
        self,
        answer_to: Callable[[Request], Answer],
        connections: "set[Connection]",
        failures: list[Exception],
    ) -> None:
        self._answer_to = answer_to
        self._connections = connections
        self._failures = failures
        self._buffer = bytearray()
        self._writable = asyncio.Event()
        self._lost = asyncio.Event()
        # Per-request state
        self._request: Request | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._writable.set()
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._lost.set()
        if self._request is not None:
            self._request.disconnected.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()
        if self._request is not None:
            self._request.stalls += 1
            self._request.stalled.set()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._request is None:
            self._take_next()

    async def abort(self) -> None:
        """Break the connection from our side; the client is not said to have left."""
        self._request, task = None, self._task
        self._transport.abort()
        await self._lost.wait()
        if task is not None:
            await asyncio.wait([task])

    def _take_next(self) -> None:
        try:
            self._request = take_request(self._buffer)
        except ValueError as exc:
            self._failures.append(exc)
            self._transport.abort()
        if self._request is not None:
            self._task = asyncio.create_task(self._serve(self._request))

    async def _serve(self, request: Request) -> None:
        try:
            await self._play(request, self._answer_to(request))
        except Exception as exc:  # noqa: BLE001  # shown when the upstream closes
            self._failures.append(exc)
            self._transport.abort()
        self._request = self._task = None
        request.completed.set()
        if not self._transport.is_closing():
            self._take_next()

    async def _play(self, request: Request, answer: Answer) -> None:
        if not await self._take_steps(answer.before, chunked=False):
            return
        if answer.framing != "none":
            await self._write(_head(answer))
        if request.method == "HEAD":
            return
        chunked = answer.framing == "chunked"
        if not await self._take_steps(answer.chunks, chunked=chunked):
            return
        if chunked:
            await self._write(b"0\r\n\r\n")
        if answer.framing in {"close", "none"}:
            self._transport.close()

    async def _take_steps(self, steps: Sequence[Step], *, chunked: bool) -> bool:
        """Return whether all were taken; what comes after a broken connection is not."""
        for step in steps:
            match step:
                case bytes():
                    await self._write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                case Pause():
                    step.reached.set()
                    await step.released.wait(limit_seconds=None)
                case Hang():
                    await self._lost.wait()  # which also cancels this task
                case Eof():
                    self._transport.close()
                    return False
                case Reset():
                    self._reset()
                    return False
        return True

    async def _write(self, data: bytes) -> None:
        self._transport.write(data)
        if self._transport.is_closing():  # the client has gone, and what is written goes nowhere
            await self._lost.wait()  # which also cancels this task
        await self._writable.wait()

    def _reset(self) -> None:
        # To linger for no time makes the system send RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()


def _head(answer: Answer) -> bytes:
    reasons = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {answer.status} {reasons.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    match answer.framing:
        case "chunked":
            lines.append("transfer-encoding: chunked")
        case "length":
            length = sum(len(step) for step in answer.chunks if isinstance(step, bytes))
            lines.append(f"content-length: {length}")
        case _:
            lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
