"""`Proxy` between real sockets: uvicorn before it, a scripted upstream behind it."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.types import Message

from adapter.asgi.proxy import Proxy
from tests.asgi.conftest import Stand
from tests.asgi.proxies import PATH, put_up
from tests.servers.answers import Answer, Hang, Pause, json_answer, raw
from tests.servers.scripted import ScriptedUpstream
from tests.upstream.calls import soon

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _proxy(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[None]:
    async with put_up(stand, Proxy(upstream.url)):
        yield


async def exchange(client: httpx2.AsyncClient, request: bytes) -> bytes:
    """Send raw bytes; return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(request)
    try:
        return await soon(reader.read(-1))
    finally:
        writer.close()


async def test_request_arrives_as_it_was_sent(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.always(json_answer(200, {}), to="/v1/a%2Fb")
    head = b"PUT /v1/a%2Fb?x=%20+&y HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nx-one: 1\r\n"
    await exchange(client, head + b"connection: close\r\n\r\n\x00\xff")
    request = await upstream.request(0)

    assert (request.method, request.target) == ("PUT", "/v1/a%2Fb?x=%20+&y")
    assert request.body == b"\x00\xff"
    assert request.headers == {
        "host": upstream.url.removeprefix("http://").removesuffix("/v1"),
        "content-length": "2",
        "x-one": "1",
    }


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PROPFIND"])
async def test_request_without_body_has_none(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient, method: str
) -> None:
    upstream.always(json_answer(200, {}), to=PATH)
    await client.request(method, PATH)
    request = await upstream.request(0)

    assert request.method == method
    assert request.body == b""
    assert "transfer-encoding" not in request.headers


async def test_answer_comes_as_it_was_given(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    given = {"Content-Type": "text/plain", "X-One": "1", "Server": "x", "Set-Cookie": "a=b"}
    upstream.reply(Answer(418, given, [b"tea"], framing="length"), to=PATH)
    response = await client.get(PATH)

    names_of_uvicorn = {"date", "server"}
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in names_of_uvicorn]

    assert response.status_code == 418
    assert response.content == b"tea"
    assert headers == [("content-type", "text/plain"), ("x-one", "1"), ("content-length", "3")]
    assert response.headers.get_list("server") == ["uvicorn"]


async def test_compressed_body_is_passed_on_as_it_is(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    packed = gzip.compress(b"text")
    upstream.reply(Answer(200, {"content-encoding": "gzip"}, [packed], framing="length"), to=PATH)
    async with client.stream("GET", PATH, headers={"accept-encoding": "gzip"}) as response:
        body = b"".join([chunk async for chunk in response.aiter_raw()])

    assert response.headers["content-encoding"] == "gzip"
    assert body == packed
    assert (await upstream.request(0)).headers["accept-encoding"] == "gzip"


async def test_redirect_is_not_followed(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(json_answer(307, {}, {"location": "/elsewhere"}), to=PATH)
    response = await client.get(PATH)

    assert (response.status_code, response.headers["location"]) == (307, "/elsewhere")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        pytest.param("HEAD", Answer(200, {"content-length": "9"}, framing="close"), id="HEAD"),
        pytest.param("GET", raw(b"HTTP/1.1 204 No Content\r\n\r\n"), id="204"),
        pytest.param(
            "GET", raw(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"), id="304"
        ),
    ],
)
async def test_answer_without_body_ends_with_its_headers(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient, method: str, answer: Answer
) -> None:
    upstream.reply(answer, to=PATH)
    request = f"{method} {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    head, _, body = (await exchange(client, request.encode())).partition(b"\r\n\r\n")

    assert body == b""
    assert (b"content-length: 9" in head) == (method == "HEAD")
    assert b"transfer-encoding" not in head


async def test_interim_answers_are_not_taken_for_the_answer(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    upstream.reply(raw(interim + final), to=PATH)

    assert (await client.get(PATH)).content == b"ok"


async def test_chunk_is_there_before_the_next_is_sent(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pauses = [Pause(), Pause()]
    upstream.reply(Answer(chunks=[b"one", pauses[0], b"two", pauses[1], b"three"]), to=PATH)
    seen = []
    async with client.stream("GET", PATH) as response:
        async for chunk in response.aiter_raw():
            seen.append(chunk)
            if pauses:
                pauses.pop(0).release()

    assert seen == [b"one", b"two", b"three"]


async def test_upstream_is_held_back_by_a_client_that_does_not_read(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    marks = [Pause() for _ in range(64)]
    for mark in marks:
        mark.release()
    steps = [step for mark in marks for step in (b"x" * 1_000_000, mark)]
    upstream.reply(Answer(chunks=steps), to=PATH)
    async with client.stream("GET", PATH) as response:
        for _ in range(2000):  # turns of the loop in which the upstream could write on
            await asyncio.sleep(0)
        written = sum(mark.reached.is_set() for mark in marks)
        size = sum([len(chunk) async for chunk in response.aiter_raw()])

    assert written < 64
    assert size == 64_000_000


async def test_expectation_is_met_here(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.always(json_answer(200, {}), to=PATH)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    interim = await soon(reader.readuntil(b"\r\n\r\n"))
    writer.write(b"{}")
    answer = await soon(reader.readuntil(b"{}"))
    writer.close()

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert "expect" not in (await upstream.request(0)).headers


@pytest.mark.parametrize(
    "answer",
    [Answer(before=[Hang()]), Answer(chunks=[b"ok", Hang()])],
    ids=["before the headers", "in the body"],
)
async def test_client_that_leaves_ends_the_upstream_request(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient, answer: Answer
) -> None:
    upstream.reply(answer, to=PATH)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}".encode())
    request = await upstream.request(0)
    if answer.chunks:
        await soon(reader.readuntil(b"ok"))
    writer.close()

    await request.disconnected.wait()


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
async def test_methods_that_are_not_for_origins_are_refused(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient, method: str
) -> None:
    response = await client.request(method, PATH)

    assert response.status_code == 405
    assert upstream.requests == []


async def test_path_with_dot_segments_is_refused(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    request = b"GET /v1/%2e%2e/admin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answer = await exchange(client, request)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"type":"invalid_request_error"' in answer
    assert upstream.requests == []


async def test_own_headers_and_chosen_ones_are_sent(
    stand: Stand, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.always(Answer(200, {"set-cookie": "c=d"}, [b"ok"], framing="length"), to=PATH)
    proxy = Proxy(
        upstream.url,
        headers={"Authorization": "Bearer upstream"},
        forward_headers=["Cookie", "Set-Cookie"],
    )
    headers = {"authorization": "Bearer client", "cookie": "a=b", "x-forwarded-for": "x"}
    async with put_up(stand, proxy):
        response = await client.get(PATH, headers=headers)
    request = await upstream.request(0)

    assert request.headers["authorization"] == "Bearer upstream"
    assert request.headers["cookie"] == "a=b"
    assert "x-forwarded-for" not in request.headers
    assert response.headers["set-cookie"] == "c=d"


async def test_websocket_is_refused(upstream: ScriptedUpstream, client: httpx2.AsyncClient) -> None:
    request = (
        b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    answer = await exchange(client, request)

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert upstream.requests == []


async def test_client_that_leaves_before_its_body_is_not_passed_on(
    upstream: ScriptedUpstream,
) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("nobody to answer")

    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": []}
    await Proxy(upstream.url)(scope, receive, send)

    assert upstream.connections_opened == 0
