"""`HttpxUpstream` with a transport or client of the user's own."""

import gzip
import inspect
from collections.abc import AsyncGenerator, AsyncIterator

import httpx2
import pytest

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.httpx import HttpxUpstream
from tests.servers.answers import Answer, Eof, Hang, Pause, Reset
from tests.servers.scripted import ScriptedUpstream
from tests.upstream.calls import call, opened

pytestmark = pytest.mark.anyio

BASE = "http://model/v1"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


def replying(response: httpx2.Response) -> HttpxUpstream:
    return HttpxUpstream(httpx2.MockTransport(lambda request: response), BASE)


def raising(exc: Exception) -> HttpxUpstream:
    def handle(request: httpx2.Request) -> httpx2.Response:
        raise exc

    return HttpxUpstream(httpx2.MockTransport(handle), BASE)


class Broken(httpx2.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, exc: Exception) -> None:
        self._exc = exc

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        yield b"ok"
        raise self._exc


async def test_transport_gets_a_prepared_request() -> None:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, content=b"ok")

    upstream = HttpxUpstream(httpx2.MockTransport(handle), f"{BASE}?api-version=1")
    result = await call(upstream, {"authorization": "Bearer key"})
    request = seen[0]

    assert result == (200, b"ok")
    assert (request.method, str(request.url)) == (
        "POST",
        "http://model/v1/chat/completions?api-version=1",
    )
    assert request.content == b"{}"
    assert set(request.headers) == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "authorization",
    }
    assert request.headers["accept"] == "text/event-stream, application/json"
    assert request.extensions["timeout"] == {
        "connect": 10.0,
        "read": 600.0,
        "write": 600.0,
        "pool": 10.0,
    }


async def test_answer_has_status_and_headers_in_lower_case() -> None:
    headers = [("Retry-After", "7"), ("X-One", "1"), ("x-one", "2")]
    async with opened(replying(httpx2.Response(429, headers=headers))) as answer:
        status, given = answer.status, answer.headers

    assert status == 429
    assert given == {"retry-after": "7", "x-one": "2"}


async def test_compressed_body_is_decoded() -> None:
    headers = {"content-encoding": "gzip"}
    response = httpx2.Response(200, headers=headers, stream=Packed(gzip.compress(b"data: {}\n\n")))

    assert await call(replying(response)) == (200, b"data: {}\n\n")


class Packed(httpx2.AsyncByteStream):
    """A body in two pieces, as a network gives it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        yield self._body[:5]
        yield self._body[5:]


async def test_empty_chunks_are_left_out() -> None:
    response = httpx2.Response(200, stream=Packed(b"ok"))
    async with opened(replying(response)) as answer:
        chunks = [chunk async for chunk in answer.chunks()]

    assert chunks == [b"ok"]


async def test_redirect_is_an_answer() -> None:
    response = httpx2.Response(307, headers={"location": "http://elsewhere/"})
    transport = httpx2.MockTransport(lambda request: response)
    client = httpx2.AsyncClient(transport=transport, base_url=BASE, follow_redirects=True)

    assert await call(HttpxUpstream(client)) == (307, b"")


async def test_client_keeps_its_base_url_headers_and_auth_but_not_its_timeouts() -> None:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200)

    client = httpx2.AsyncClient(
        transport=httpx2.MockTransport(handle), base_url=BASE, headers={"x-team": "one"}, timeout=5
    )
    await call(HttpxUpstream(client))

    assert str(seen[0].url) == "http://model/v1/chat/completions"
    assert seen[0].headers["x-team"] == "one"
    assert seen[0].extensions["timeout"]["read"] == 600.0


@pytest.mark.parametrize(
    "target", [httpx2.AsyncClient(), httpx2.MockTransport(lambda request: httpx2.Response(200))]
)
def test_base_url_is_asked_for_where_there_is_none(
    target: httpx2.AsyncClient | httpx2.AsyncBaseTransport,
) -> None:
    with pytest.raises(ValueError, match="base URL"):
        HttpxUpstream(target)


async def test_chunk_is_there_before_the_next_is_sent(server: ScriptedUpstream) -> None:
    pauses = [Pause(), Pause()]
    server.reply(Answer(chunks=[b"one", pauses[0], b"two", pauses[1], b"three"]))
    upstream = HttpxUpstream(httpx2.AsyncHTTPTransport(), server.url)
    seen = []
    async with opened(upstream) as answer:
        async for chunk in answer.chunks():
            seen.append(chunk)
            if pauses:
                pauses.pop(0).release()
    await upstream.aclose()

    assert seen == [b"one", b"two", b"three"]


async def test_leaving_in_the_middle_of_the_body_closes_the_connection(
    server: ScriptedUpstream,
) -> None:
    server.reply(Answer(chunks=[b"ok", Hang()]))
    upstream = HttpxUpstream(httpx2.AsyncHTTPTransport(), server.url)
    async with opened(upstream) as answer:
        async for _ in answer.chunks():
            break
    request = await server.request(0)

    await request.disconnected.wait()
    await upstream.aclose()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(before=[Reset()]), "without an answer", id="RST"),
        pytest.param(Answer(chunks=[b"ok", Eof()]), "broke before", id="FIN in the body"),
        pytest.param(Answer(before=[Hang()]), "not begun its answer within 0.05 s", id="silence"),
        pytest.param(Answer(chunks=[b"ok", Hang()]), "nothing for 0.05 s", id="idle"),
    ],
)
async def test_fault_of_a_real_transport_says_what_happened(
    server: ScriptedUpstream, answer: Answer, expected: str
) -> None:
    server.reply(answer)
    upstream = HttpxUpstream(httpx2.AsyncHTTPTransport(), server.url, idle_timeout=0.05)
    with pytest.raises(UpstreamError) as caught:
        await call(upstream)
    await upstream.aclose()

    assert expected in caught.value.message
    assert isinstance(caught.value, UpstreamTimeoutError) == ("0.05" in expected)


async def test_refused_connection_names_host_and_port() -> None:
    upstream = HttpxUpstream(httpx2.AsyncHTTPTransport(), "http://127.0.0.1:1/v1")
    with pytest.raises(UpstreamError, match=r"Cannot connect to the model server at 127.0.0.1:1"):
        await call(upstream)
    await upstream.aclose()


REQUEST_ERRORS = [
    kind
    for _, kind in inspect.getmembers(httpx2, inspect.isclass)
    if issubclass(kind, httpx2.RequestError)
]


@pytest.mark.parametrize("kind", [*REQUEST_ERRORS, OSError])
async def test_every_exception_of_httpx2_has_a_meaning(kind: type[Exception]) -> None:
    timed_out = issubclass(kind, httpx2.TimeoutException)
    upstreams = [raising(kind("text")), replying(httpx2.Response(200, stream=Broken(kind("text"))))]
    for upstream in upstreams:
        with pytest.raises(UpstreamError) as caught:
            await call(upstream)

        assert isinstance(caught.value, UpstreamTimeoutError) == timed_out
        assert "model" in caught.value.message
        assert isinstance(caught.value.__cause__, kind)


async def test_closed_client_is_an_upstream_error() -> None:
    client = httpx2.AsyncClient(base_url=BASE)
    upstream = HttpxUpstream(client)
    await upstream.aclose()

    with pytest.raises(UpstreamError):
        await call(upstream)
