"""A load generator that costs little: many requests at once, over raw HTTP/1.1, hardly parsed.

It counts `data:` lines and bytes and takes times. It understands no event: that the answers are
right is for the tests to show; here, a status other than 200 or a broken answer is an error.

    echo '{"model":"short-4","messages":[],"stream":true}' |
        python benchmarks/load.py http://127.0.0.1:8000/v1/chat/completions --streams 32

prints one JSON object: counts, seconds, and times in milliseconds.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec
import uvloop

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_MARK = b"data:"
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Load(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        url: where to post to.
        body: what to post.
        streams: how many connections, each with one request at a time.
        rounds: how many requests each connection makes, one after the other.
        ramp_seconds: over what time the first requests are spread evenly.
        limit_seconds: after what time those that have not ended are errors.
    """

    url: str
    body: bytes
    streams: int = 1
    rounds: int = 1
    ramp_seconds: float = 0.0
    limit_seconds: float = 60.0


class _Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0
        self.errors: Counter[str] = Counter()
        self.first_event_ms: list[float] = []
        self.stream_ms: list[float] = []


class _Client(asyncio.Protocol):
    """One connection: posts the request, reads the answer, and again."""

    def __init__(self, request: bytes, rounds: int, tally: _Tally) -> None:
        self._request = request
        self._rounds_left = rounds
        self._tally = tally
        self.done = asyncio.get_running_loop().create_future()
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's is not a subclass of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_open and self._ends_with_connection and exc is None:
            self._end()
        if not self.done.done():
            self._fail("connection lost")

    def start(self) -> None:
        # Per-request state
        self._head: bytes | None = b""
        self._tail = b""
        self._bytes_left = -1
        self._ends_with_connection = False
        self._has_event = False
        self._is_open = True
        self._started = _now_ms()
        self._transport.write(self._request)

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
            self._fail(f"status {status}")
            return
        length = _CONTENT_LENGTH.search(head)
        self._bytes_left = int(length[1]) if length else -1
        self._ends_with_connection = not length and not _CHUNKED.search(head)

    def _read_body(self, data: bytes) -> None:
        if not self._has_event:
            self._has_event = True
            self._tally.first_event_ms.append(_now_ms() - self._started)
        # The second count finds a mark that lies across the border of two reads.
        self._tally.events += data.count(_MARK) + (self._tail[-4:] + data[:4]).count(_MARK)
        self._tail = (self._tail + data[-7:])[-7:]
        if self._bytes_left >= 0:
            self._bytes_left -= len(data)
            if self._bytes_left <= 0:
                self._end()
        elif self._tail == _LAST_CHUNK:
            self._end()

    def _end(self) -> None:
        self._is_open = False
        self._tally.stream_ms.append(_now_ms() - self._started)
        self._rounds_left -= 1
        if self._rounds_left and not self._ends_with_connection:
            self.start()
        elif self._rounds_left:
            self._fail("connection not kept")
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, reason: str) -> None:
        self._is_open = False
        self._tally.errors[reason] += 1
        if not self.done.done():
            self.done.set_result(None)
            self._transport.close()


async def run_load(load: Load) -> dict[str, Any]:
    """Send the load; return what came back as a JSON object."""
    loop = asyncio.get_running_loop()
    url, tally = urlsplit(load.url), _Tally()
    request = _request_bytes(url, load.body)
    clients = []
    for _ in range(load.streams):
        _, client = await loop.create_connection(
            lambda: _Client(request, load.rounds, tally), url.hostname or "", url.port or 80
        )
        clients.append(client)
    started, started_ms = loop.time(), _now_ms()
    for index, client in enumerate(clients):
        loop.call_at(started + load.ramp_seconds * index / load.streams, client.start)
    _, late = await asyncio.wait([client.done for client in clients], timeout=load.limit_seconds)
    seconds = (_now_ms() - started_ms) / 1000
    if late:
        tally.errors["not ended in time"] += len(late)
    return _summary(load, tally, seconds)


def _now_ms() -> float:
    # Not the loop's time: uvloop's has a resolution of 1 ms.
    return time.perf_counter() * 1000


def _request_bytes(url: SplitResult, body: bytes) -> bytes:
    lines = [
        f"POST {url.path} HTTP/1.1",
        f"host: {url.netloc}",
        "content-type: application/json",
        "authorization: Bearer none",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _summary(load: Load, tally: _Tally, seconds: float) -> dict[str, Any]:
    return {
        "requests": load.streams * load.rounds,
        "completed": len(tally.stream_ms),
        "errors": dict(tally.errors),
        "events": tally.events,
        "bytes": tally.bytes,
        "seconds": seconds,
        "first_event_ms": _percentiles(tally.first_event_ms),
        "stream_ms": _percentiles(tally.stream_ms),
    }


def _percentiles(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        name: round(ordered[round(last * part)], 4) if ordered else None
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def main() -> None:
    defaults = Load("", b"")
    parser = argparse.ArgumentParser(description="Post what standard input says, many times.")
    parser.add_argument("url")
    parser.add_argument("--streams", type=int, default=defaults.streams)
    parser.add_argument("--rounds", type=int, default=defaults.rounds)
    parser.add_argument("--ramp-seconds", type=float, default=defaults.ramp_seconds)
    parser.add_argument("--limit-seconds", type=float, default=defaults.limit_seconds)
    options = vars(parser.parse_args())
    load = Load(body=sys.stdin.buffer.read().strip(), **options)
    print(json.dumps(uvloop.run(run_load(load))))


if __name__ == "__main__":
    main()
