"""Every way in which a call over HTTP can fail is an `UpstreamError` that says where to look."""

import asyncio
import inspect
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.aiohttp_faults import RAISED, error_before_headers, error_in_body
from adapter.upstream.faults import Timeouts
from adapter.upstream.http import HttpUpstream
from adapter.upstream.pool import Address
from tests.servers.answers import Answer, Eof, Hang, Pause, Reset, raw
from tests.servers.scripted import ScriptedUpstream
from tests.upstream.calls import opened

pytestmark = pytest.mark.anyio

PEER = "127.0.0.1:8000"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


async def failure(
    upstream: HttpUpstream, key: str = "Bearer secret", after_chunk: Pause | None = None
) -> UpstreamError:
    """Call until it fails, and return how; release `after_chunk` when the first chunk has come."""
    try:
        async with opened(upstream, headers={"authorization": key}) as answer:
            async for _ in answer.chunks():
                if after_chunk is not None:
                    after_chunk.release()
    except UpstreamError as error:
        return error
    finally:
        await upstream.aclose()
    raise AssertionError("the call did not fail")


BEFORE_HEADERS = [
    pytest.param(Answer(before=[Eof()]), "closed the connection without an answer", id="FIN"),
    pytest.param(
        Answer(before=[Reset()]), "without an answer (Connection reset by peer)", id="RST"
    ),
    pytest.param(
        raw(b"HTTP/1.1 200 OK\r\nserv"), "closed the connection without an answer", id="half head"
    ),
    pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "HTTP/1.1 that can be read", id="not HTTP"),
    pytest.param(
        raw(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000),
        "HTTP/1.1 that can be read",
        id="long header",
    ),
    pytest.param(
        raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000),
        "HTTP/1.1 that can be read",
        id="many headers",
    ),
    pytest.param(
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        "HTTP/1.1 that can be read",
        id="two framings",
    ),
]


@pytest.mark.parametrize(("answer", "expected"), BEFORE_HEADERS)
async def test_fault_before_the_headers(
    server: ScriptedUpstream, answer: Answer, expected: str
) -> None:
    server.reply(answer)
    error = await failure(HttpUpstream(server.url))

    assert expected in error.message
    assert error.status == 502
    assert error.__cause__ is not None


CHUNKED = {"transfer-encoding": "chunked"}


@pytest.mark.parametrize(
    ("headers", "start", "end"),
    [
        pytest.param(CHUNKED, b"2\r\nok\r\n", Eof(), id="FIN between chunks"),
        pytest.param(CHUNKED, b"9\r\nok", Eof(), id="FIN in a chunk"),
        pytest.param({"content-length": "9"}, b"ok", Eof(), id="FIN before the length"),
        pytest.param(CHUNKED, b"2\r\nok\r\n", Reset(), id="RST between chunks"),
        pytest.param({}, b"ok", Reset(), id="RST of an unframed body"),
        pytest.param(CHUNKED, b"2\r\nok\r\n", b"zz\r\n", id="no chunk size"),
        pytest.param(CHUNKED, b"2\r\nok\r\n", b"1\r\nabc", id="longer than chunk size"),
    ],
)
async def test_fault_in_the_body(
    server: ScriptedUpstream, headers: dict[str, str], start: bytes, end: Eof | Reset | bytes
) -> None:
    pause = Pause()
    server.reply(Answer(headers=headers, chunks=[start, pause, end, Hang()], framing="close"))
    error = await failure(HttpUpstream(server.url), after_chunk=pause)

    assert pause.released.is_set()
    assert "broke before the answer was complete" in error.message
    assert error.status == 502
    assert error.__cause__ is not None


async def test_body_that_is_not_compressed_as_it_says_is_a_fault(server: ScriptedUpstream) -> None:
    server.reply(Answer(headers={"content-encoding": "gzip"}, chunks=[b"plain"]))
    error = await failure(HttpUpstream(server.url))

    assert "does not decode as its headers say" in error.message
    assert error.status == 502


async def test_unframed_body_that_ends_in_order_is_complete(server: ScriptedUpstream) -> None:
    server.reply(Answer(chunks=[b"ok"], framing="close"))
    upstream = HttpUpstream(server.url)
    async with opened(upstream) as answer:
        body = b"".join([chunk async for chunk in answer.chunks()])
    await upstream.aclose()

    assert body == b"ok"


@pytest.mark.parametrize(
    ("limits", "answer", "expected"),
    [
        pytest.param(
            {"first_byte_timeout": 0.05}, Answer(before=[Hang()]), "0.05 s (first-byte", id="head"
        ),
        pytest.param(
            {"first_byte_timeout": 0.05}, Answer(chunks=[Hang()]), "0.05 s (first-byte", id="body"
        ),
        pytest.param(
            {"idle_timeout": 0.05},
            Answer(chunks=[b"ok", Hang()]),
            "nothing for 0.05 s in the middle",
            id="idle",
        ),
        pytest.param(
            {"first_byte_timeout": None, "idle_timeout": 0.05},
            Answer(chunks=[b"ok", Hang()]),
            "nothing for 0.05 s in the middle",
            id="idle alone",
        ),
        pytest.param(
            {"total_timeout": 0.05}, Answer(before=[Hang()]), "0.05 s (total", id="total, head"
        ),
        pytest.param(
            {"total_timeout": 0.05}, Answer(chunks=[b"ok", Hang()]), "0.05 s (total", id="total"
        ),
    ],
)
async def test_silence_is_a_timeout(
    server: ScriptedUpstream, limits: dict[str, float | None], answer: Answer, expected: str
) -> None:
    server.reply(answer)
    error = await failure(HttpUpstream(server.url, **limits))  # type: ignore[arg-type]

    assert isinstance(error, UpstreamTimeoutError)
    assert error.status == 504
    assert expected in error.message


async def test_idle_limit_does_not_hold_before_the_first_byte(server: ScriptedUpstream) -> None:
    pause = Pause()
    server.reply(Answer(chunks=[pause, b"ok"]), Answer(chunks=[b"ok", Hang()]))
    slow = HttpUpstream(server.url, first_byte_timeout=None, idle_timeout=0.05)
    async with opened(slow) as answer:
        waiting = asyncio.create_task(anext(answer.chunks()))
        # Another call that has begun runs into that limit in the meantime.
        await failure(HttpUpstream(server.url, idle_timeout=0.05))
        pause.release()

        assert await waiting == b"ok"
    await slow.aclose()


async def test_refused_connection_names_host_port_and_reason(server: ScriptedUpstream) -> None:
    error = await failure(HttpUpstream("http://127.0.0.1:1/v1"))

    assert error.message.startswith("Cannot connect to the model server at 127.0.0.1:1 (")
    assert error.status == 502


async def no_names(host: str, port: int) -> list[Address]:
    raise OSError(-2, "Name or service not known")


async def test_unknown_host_name_is_said_to_be_that() -> None:
    error = await failure(HttpUpstream("http://model.internal/v1", resolve=no_names))

    assert "model.internal:80: its host name does not resolve (Name or serv" in error.message


async def test_host_name_that_cannot_be_one_is_said_to_be_unknown() -> None:
    error = await failure(HttpUpstream(f"http://{'a' * 64}/v1"))

    assert "does not resolve" in error.message


@asynccontextmanager
async def deaf_server(answer: bytes) -> AsyncIterator[str]:
    """Answer whatever comes with these bytes and close; or, if there are none, with silence."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        if answer:
            await reader.read(1)
            writer.write(answer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"127.0.0.1:{port}"
        for writer in connections:
            writer.close()


async def test_http_server_behind_an_https_url_is_a_tls_fault() -> None:
    async with deaf_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        error = await failure(HttpUpstream(f"https://{address}/v1"))

    assert f"Cannot speak TLS with the model server at {address} (" in error.message


async def test_handshake_without_end_is_a_connect_timeout() -> None:
    async with deaf_server(b"") as address:
        error = await failure(HttpUpstream(f"https://{address}/v1", connect_timeout=0.05))

    assert isinstance(error, UpstreamTimeoutError)
    assert "within 0.05 s (connect timeout)" in error.message


async def test_header_that_would_split_the_request_is_not_sent(server: ScriptedUpstream) -> None:
    error = await failure(HttpUpstream(server.url), key="Bearer a\r\nx-evil: 1")

    assert "could not be sent" in error.message
    assert server.requests == []


@pytest.mark.parametrize(("answer", "_expected"), BEFORE_HEADERS)
async def test_failure_shows_neither_keys_nor_queries(
    server: ScriptedUpstream, answer: Answer, _expected: str
) -> None:
    server.reply(answer)
    error = await failure(HttpUpstream(f"{server.url}?api-key=secret"))
    shown = "".join(traceback.format_exception(error)) + repr(error.__cause__)

    assert "secret" not in shown


def _all_aiohttp_exceptions() -> list[type[BaseException]]:
    members = inspect.getmembers(aiohttp.client_exceptions, inspect.isclass)
    return [kind for _, kind in members if issubclass(kind, aiohttp.ClientError)]


@pytest.mark.parametrize("kind", [*_all_aiohttp_exceptions(), OSError, TimeoutError, RuntimeError])
def test_every_exception_of_aiohttp_has_a_meaning(kind: type[BaseException]) -> None:
    exc = kind.__new__(kind)
    timed_out = issubclass(kind, TimeoutError)
    errors = [
        error_before_headers(exc, PEER, Timeouts()),
        error_in_body(exc, PEER, Timeouts(), begun=False),
        error_in_body(exc, PEER, Timeouts(), begun=True),
    ]

    assert isinstance(exc, RAISED)
    assert [isinstance(error, UpstreamTimeoutError) for error in errors] == [timed_out] * 3
    assert all(PEER in error.message for error in errors)


def test_untrusted_certificate_is_said_to_be_that() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "self-signed certificate"
    error = error_before_headers(
        aiohttp.ClientConnectorCertificateError(key, cause), PEER, Timeouts()
    )

    assert "Cannot speak TLS" in error.message
    assert "(self-signed certificate)" in error.message
