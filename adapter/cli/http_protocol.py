"""uvicorn's HTTP protocol with limits that only a server can hold.

The head of a request: its parser has no limit, and whoever never ends a header, or the list of them,
would fill the memory before there is a request that the app could refuse. The limit is uvicorn's option
`h11_max_incomplete_event_size`, which is the same for its other parser.

The first head has to come in time as well, or connections that say nothing would pile up.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapter.cli.impatient_protocol import ImpatientProtocol

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\n"
    b"content-length: %d\r\n"
    b"connection: close\r\n\r\n%b"
)
_BODY = (
    b'{"error":{"message":"The headers of the request are too long.",'
    b'"type":"invalid_request_error","param":null,"code":"headers_too_large"}}'
)


# For the first request of a connection to begin; later ones have uvicorn's keep-alive timeout. Browsers
# open connections ahead of need, and close them by themselves.
HEAD_SECONDS = 30.0


class LimitedProtocol(ImpatientProtocol, HttpToolsProtocol):
    """One connection.

    Attributes:
        head_seconds: for the first head of a connection.
    """

    head_seconds: ClassVar[float] = HEAD_SECONDS

    _head_bytes = 0
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        limit = self.config.h11_max_incomplete_event_size
        # Only what has not become a request yet counts: the body may come in the same read.
        if self._in_head and limit and self._head_bytes > limit and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE % (len(_BODY), _BODY))
            self.transport.close()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_head_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
