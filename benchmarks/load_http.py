"""Requests over HTTP/1.1, hardly parsed: events are counted as `data:` lines."""

import asyncio
import re
from urllib.parse import SplitResult

from benchmarks.load_client import Client

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_MARK = b"data:"
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class HttpClient(Client):
    """Posts a request after the other."""

    @staticmethod
    def encode(url: SplitResult, body: bytes) -> bytes:
        lines = [
            f"POST {url.path} HTTP/1.1",
            f"host: {url.netloc}",
            "content-type: application/json",
            "authorization: Bearer none",
            f"content-length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._ends_with_connection = False
        self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_open and self._ends_with_connection and exc is None:
            self._end()
        super().connection_lost(exc)

    def start(self) -> None:
        if self._ends_with_connection:
            self.fail("connection not kept")
            return
        # Per-request state
        self._head: bytes | None = b""
        self._tail = b""
        self._bytes_left = -1
        super().start()

    def data_received(self, data: bytes) -> None:
        self._tally.bytes += len(data)
        if self._head is not None:
            self._head += data
            head, separator, data = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self._read_head(head)
        if data and self._is_open:
            self._read_body(data)

    def _read_head(self, head: bytes) -> None:
        self._head = None
        self._tail = b"\r\n"
        status = head[9:12].decode()
        if status != "200":
            self.fail(f"status {status}")
            return
        length = _CONTENT_LENGTH.search(head)
        self._bytes_left = int(length[1]) if length else -1
        self._ends_with_connection = not length and not _CHUNKED.search(head)

    def _read_body(self, data: bytes) -> None:
        if not self._has_delta:
            self._look(self._tail + data)
        # The second count finds a mark that lies across the border of two reads.
        self._tally.events += data.count(_MARK) + (self._tail[-4:] + data[:4]).count(_MARK)
        self._tail = (self._tail + data[-7:])[-7:]
        if self._bytes_left >= 0:
            self._bytes_left -= len(data)
            if self._bytes_left <= 0:
                self._end()
        elif self._tail == _LAST_CHUNK:
            self._end()
