"""A request that a scripted upstream received, and how it is read off the bytes of a connection.

Only what HTTP/1.1 clients of chat servers send: a head, and a body with a length or in chunks.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.servers.signals import Signal


class Request(msgspec.Struct, eq=False):
    """One request, and what became of its answer.

    Attributes:
        headers: names in lower case; a repeated header keeps its last value.
        stalled: set when the client has not read enough for the answer to go on.
        stalls: how often that was so.
        disconnected: set when the client went before the answer was complete.
        completed: set when the whole answer was written, or the script broke the connection.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    stalls: int = 0
    stalled: Signal = msgspec.field(default_factory=Signal)
    disconnected: Signal = msgspec.field(default_factory=Signal)
    completed: Signal = msgspec.field(default_factory=Signal)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        return urlsplit(self.target).query

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def take_request(buffer: bytearray) -> Request | None:
    """Take one whole request off the front of `buffer`; None, and nothing taken, if there is none.

    Raises:
        ValueError: these are not the bytes of a request.
    """
    head, separator, rest = bytes(buffer).partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        taken = _take_chunks(rest)
    else:
        taken = _take_length(rest, int(headers.get("content-length", "0")))
    if taken is None:
        return None
    body, size = taken
    del buffer[: len(head) + len(separator) + size]
    return Request(method, target, headers, body)


def _take_length(rest: bytes, length: int) -> tuple[bytes, int] | None:
    return (rest[:length], length) if len(rest) >= length else None


def _take_chunks(rest: bytes) -> tuple[bytes, int] | None:
    """Return the body and how many bytes it took with its framing (no client sends trailers)."""
    body = b""
    position = 0
    while (line_end := rest.find(b"\r\n", position)) >= 0:
        size = int(rest[position:line_end].partition(b";")[0], 16)
        start, end = line_end + 2, line_end + 2 + size
        if len(rest) < end + 2:
            return None
        body += rest[start:end]
        position = end + 2
        if size == 0:
            return body, position
    return None
