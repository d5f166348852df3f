"""uvicorn's HTTP protocol with a limit for the head of a request.

Its parser has none: whoever never ends a header, or the list of them, would fill the memory before
there is a request that the app could refuse. What is well within the limit costs a comparison a read.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


def limited_protocol(max_head_bytes: int) -> type[HttpToolsProtocol]:
    """Return the protocol for `uvicorn.Config(http=...)`.

    Args:
        max_head_bytes: the longest request line with all headers.
    """

    class LimitedProtocol(HttpToolsProtocol):
        _head_bytes = 0
        _in_head = True

        def data_received(self, data: bytes) -> None:
            if self._in_head:
                self._head_bytes += len(data)
            super().data_received(data)
            # What came is counted whole, and a body may be behind the head: a limit, not a measure.
            if self._in_head and self._head_bytes > max_head_bytes and self.parser is not None:
                self.transport.write(_TOO_LARGE % (len(_BODY), _BODY))
                self.transport.close()

        def on_message_begin(self) -> None:
            self._in_head = True
            self._head_bytes = 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head = False
            super().on_headers_complete()

    return LimitedProtocol
