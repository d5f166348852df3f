"""Requests over one WebSocket (RFC 6455), one after the other: a frame out, a frame for each event in.

It has what the servers under test need, and no more: no fragments, no extensions, and a mask of
zeros, which costs a server as much to take off as any other. A library costs more than this, but
would not be the limit either: the servers write a frame in more time than it takes to read one.
"""

import asyncio
from urllib.parse import SplitResult

from benchmarks.load_client import Client

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A  # with the bit of a last fragment
_MASKED = 0x80
_NO_MASK = b"\0\0\0\0"
_ENDS = tuple(b'{"type":"response.%b"' % name for name in (b"completed", b"incomplete"))
_FAILURES = (b'{"type":"error"', b'{"type":"response.failed"')
_LAST = (*_ENDS, *_FAILURES)


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame as clients send it (§5.2)."""
    size = len(payload)
    if size < 126:
        head = bytes((opcode, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((opcode, _MASKED | 126)) + size.to_bytes(2)
    else:
        head = bytes((opcode, _MASKED | 127)) + size.to_bytes(8)
    return head + _NO_MASK + payload


class SocketClient(Client):
    """Sends a frame, and the next one when the answer has ended."""

    @staticmethod
    def encode(url: SplitResult, body: bytes) -> bytes:
        return frame(_TEXT, body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._rest = b""
        lines = [
            f"GET {self._url.path} HTTP/1.1",
            f"host: {self._url.netloc}",
            "authorization: Bearer none",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==",
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self._tally.bytes += len(data)
        data = self._rest + data
        if not self.ready.done():
            head, separator, rest = data.partition(b"\r\n\r\n")
            if not separator:
                self._rest = data
                return
            data = rest
            self._read_head(head)
        self._rest = self._read_frames(data)

    def _read_head(self, head: bytes) -> None:
        status = head[9:12].decode()
        if status == "101":
            self.ready.set_result(None)
        else:
            self.fail(f"status {status}")

    def _read_frames(self, data: bytes) -> bytes:
        """Take the frames that have come whole, and return the rest."""
        size, at = len(data), 0
        while size - at >= 2:
            start, length = at + 2, data[at + 1]  # servers do not mask
            if length == 126:
                start += 2
            elif length == 127:
                start += 8
            if start > at + 2:
                length = int.from_bytes(data[at + 2 : start])
            end = start + length
            if end > size:
                break
            self._take(data[at], data[start:end])
            at = end
        return data[at:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT and self._is_open:
            self._tally.events += 1
            if not self._has_delta:
                self._look(payload)
            if payload.startswith(_LAST):
                self._end_with(payload)
        elif opcode == _PING:
            self._transport.write(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self.fail(f"closed with {int.from_bytes(payload[:2])}")
        else:
            self.fail(f"unexpected frame {opcode:#x}")

    def _end_with(self, payload: bytes) -> None:
        if payload.startswith(_FAILURES):
            self.fail("failed response")
        else:
            self._end()
