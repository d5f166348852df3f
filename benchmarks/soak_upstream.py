"""A chat server that misbehaves as its model's name says, for `benchmarks/soak.py`.

It runs in the process that makes the load, keeps count of what it was asked, and tells when whoever
asked has left.
"""

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any

WORDS = 24
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_MARK = re.compile(r"soak-(\d+)")


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    data = b"data: %b\n\n" % json.dumps({**chunk, "choices": [choice]}).encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


_WORD = _event({"content": "word "})
_BIG = _event({"content": "x" * 200_000})
_CALL = _event(
    {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}
)
_DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
_END = _event({}, "stop") + _DONE
_GARBAGE = b"d\r\ndata: {nope\n\n\r\n0\r\n\r\n"
_PAGE = b"<html><pre>Traceback (most recent call last)</pre></html>"


def _answer(status: bytes, kind: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (status, kind, len(body)) + body


class Exchange(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, server: "SoakUpstream") -> None:
        self._server = server
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._mark = ""
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._task is not None and not self._task.done():
            self._server.left[self._mark] = time.monotonic()
            self._task.cancel()

    @property
    def is_idle(self) -> bool:
        return self._task is None or self._task.done()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if len(rest) >= size:
            self._buffer = rest[size:]
            self._begin(head, rest[:size])

    def _begin(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            self.transport.write(_answer(b"200 OK", b"application/json", b'{"data": []}'))
            return
        asked = json.loads(body)
        mark = _MARK.search(json.dumps(asked["messages"]))
        self._mark = mark[1] if mark else ""
        self._server.asked[self._mark] = self._server.asked.get(self._mark, 0) + 1
        self._task = asyncio.create_task(BEHAVIOURS[asked["model"]](self))

    def write(self, data: bytes) -> None:
        self.transport.write(data)


async def good(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD * WORDS + _END)


async def paced(exchange: Exchange) -> None:
    exchange.write(_HEAD)
    for _ in range(WORDS):
        exchange.write(_WORD)
        await asyncio.sleep(0.01)
    exchange.write(_END)


async def big(exchange: Exchange) -> None:
    exchange.write(_HEAD + _BIG * 5 + _END)


async def calling(exchange: Exchange) -> None:
    exchange.write(_HEAD + _CALL + _event({}, "tool_calls") + _DONE)


async def cut(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD * 5)
    await asyncio.sleep(0.01)
    exchange.transport.close()


async def reset(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD)
    await asyncio.sleep(0.01)
    sock = exchange.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.transport.abort()


async def closed(exchange: Exchange) -> None:
    exchange.transport.close()


async def hanging(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD)
    await asyncio.sleep(3600)


async def no_finish(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD * 3 + b"0\r\n\r\n")


async def garbage(exchange: Exchange) -> None:
    exchange.write(_HEAD + _WORD + _GARBAGE)


async def page(exchange: Exchange) -> None:
    exchange.write(_answer(b"502 Bad Gateway", b"text/html", _PAGE))


async def refusing(exchange: Exchange) -> None:
    body = json.dumps({"error": {"message": "No.", "code": 400}}).encode()
    exchange.write(_answer(b"400 Bad Request", b"application/json", body))


# In which a response completes; in all others it must fail.
SOUND = ("good", "paced", "big", "calling")
BEHAVIOURS: dict[str, Callable[[Exchange], Coroutine[Any, Any, None]]] = {
    each.__name__: each
    for each in (
        *(good, paced, big, calling),
        *(cut, reset, closed, hanging, no_finish, garbage, page, refusing),
    )
}


class SoakUpstream:
    """The server, in the running loop.

    Attributes:
        url: base URL, ending in `/v1`.
        asked: how often each request came.
        left: when whoever asked left, by request.
        connections: those that are open.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: dict[str, int] = {}
        self.left: dict[str, float] = {}
        self.connections: set[Exchange] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Exchange(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    @property
    def busy(self) -> int:
        return sum(not each.is_idle for each in self.connections)

    def close_idle(self) -> None:
        """Close kept connections, so that they are not counted."""
        for each in list(self.connections):
            if each.is_idle:
                each.transport.close()

    async def aclose(self) -> None:
        assert self._server is not None
        self._server.close()
        for each in list(self.connections):
            each.transport.abort()
        await self._server.wait_closed()
