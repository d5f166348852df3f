"""uvicorn's HTTP protocol, with the head of an answer and its beginning in one write.

uvicorn writes the head by itself, which is a system call and a packet more for each answer: 5 % of the
CPU time of a short one.
"""

from asyncio import BaseTransport, get_running_loop
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 2"


class OneWriteProtocol(HttpToolsProtocol):
    """Serves one connection."""

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]  # uvicorn narrows it
        super().connection_made(_HoldsHeads(transport))  # type: ignore[arg-type]  # it does what a transport does


class _HoldsHeads:
    """A transport that holds the head of an answer until its body begins, or the loop turns."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._call_soon = get_running_loop().call_soon
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
