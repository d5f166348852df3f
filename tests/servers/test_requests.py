"""Requests are read off a connection whole, wherever the reads were cut."""

import pytest

from tests.servers.requests import take_request

WITH_LENGTH = (
    b"POST /v1/chat/completions?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n" + b'{"n":1}'
)
IN_CHUNKS = (
    b"POST /v1/chat/completions?a=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3\r\n{"n\r\n4;x=y\r\n":1}\r\n0\r\n\r\n'
)


@pytest.mark.parametrize(
    "sent", [pytest.param(WITH_LENGTH, id="length"), pytest.param(IN_CHUNKS, id="chunked")]
)
def test_request_is_taken_only_when_whole(sent: bytes) -> None:
    buffer = bytearray()
    for byte in sent[:-1]:
        buffer.append(byte)
        assert take_request(buffer) is None

    buffer += sent[-1:] + b"GET"
    request = take_request(buffer)

    assert request is not None
    assert (request.method, request.path, request.query) == ("POST", "/v1/chat/completions", "a=1")
    assert request.json == {"n": 1}
    assert buffer == b"GET"


def test_header_names_are_lower_case() -> None:
    request = take_request(bytearray(b"GET /v1/models HTTP/1.1\r\nX-Key: A: b\r\n\r\n"))

    assert request is not None
    assert request.headers == {"x-key": "A: b"}
    assert request.body == b""


def test_bytes_that_are_no_request_are_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        take_request(bytearray(b"hello\r\n\r\n"))
