"""`HttpUpstream` over real sockets: what it sends, how it reads, what it keeps and when it closes."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.http import DEFAULT_USER_AGENT, HttpUpstream
from tests.servers.answers import Answer, Eof, Hang, Pause, Reset, json_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream
from tests.upstream.calls import call, opened

pytestmark = pytest.mark.anyio

OK = Answer(chunks=[b"ok"])


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture
async def upstream(server: ScriptedUpstream) -> AsyncIterator[HttpUpstream]:
    upstream = HttpUpstream(server.url)
    yield upstream
    await upstream.aclose()


async def test_posts_body_with_its_headers_and_no_others(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(OK)
    async with opened(upstream, b'{"model":"m"}', {"authorization": "Bearer key"}):
        pass
    request = await server.request(0)

    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    assert request.body == b'{"model":"m"}'
    assert request.headers == {
        "host": server.url.removeprefix("http://").removesuffix("/v1"),
        "user-agent": DEFAULT_USER_AGENT,
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": "13",
        "authorization": "Bearer key",
    }


async def test_given_headers_win_over_defaults_but_not_over_content_type(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(OK)
    await call(upstream, {"user-agent": "codex", "content-type": "text/plain"})
    headers = (await server.request(0)).headers

    assert headers["user-agent"] == "codex"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("suffix", "target"),
    [
        pytest.param("", "/v1/chat/completions", id="plain"),
        pytest.param("/", "/v1/chat/completions", id="trailing slash"),
        pytest.param("?api-version=1", "/v1/chat/completions?api-version=1", id="query"),
        pytest.param("/a%2Fb", "/v1/a%2Fb/chat/completions", id="encoded slash"),
        pytest.param("#here", "/v1/chat/completions", id="fragment"),
    ],
)
async def test_route_is_appended_to_path_of_base_url(
    server: ScriptedUpstream, suffix: str, target: str
) -> None:
    server.always(OK)
    upstream = HttpUpstream(server.url + suffix)
    await call(upstream)
    await upstream.aclose()

    assert (await server.request(0)).target == target


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://host/v1",
        "http:///v1",
        "",
        "http://user:secret@host/v1",
        "http://host/v1/chat/completions/?key=secret",
    ],
)
def test_unusable_base_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="base URL") as caught:
        HttpUpstream(url)

    assert "secret" not in str(caught.value)


async def test_answer_has_status_and_headers_in_lower_case(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(Answer(429, {"Retry-After": "7", "X-One": "1", "x-one": "2"}, [b"slow down"]))
    async with opened(upstream) as answer:
        status, headers = answer.status, answer.headers
        body = [chunk async for chunk in answer.chunks()]

    assert status == 429
    assert headers == {"retry-after": "7", "x-one": "2", "transfer-encoding": "chunked"}
    assert body == [b"slow down"]


async def test_chunk_is_there_before_the_next_is_sent(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    pauses = [Pause(), Pause()]
    server.reply(Answer(chunks=[b"one", pauses[0], b"two", pauses[1], b"three"]))
    seen = []
    async with opened(upstream) as answer:
        async for chunk in answer.chunks():
            seen.append(chunk)
            if pauses:
                pauses.pop(0).release()

    assert seen == [b"one", b"two", b"three"]


async def test_empty_body_yields_nothing(server: ScriptedUpstream, upstream: HttpUpstream) -> None:
    server.reply(Answer(204, framing="length"), Answer(200, framing="chunked"))

    assert await call(upstream) == (204, b"")
    assert await call(upstream) == (200, b"")


async def test_compressed_body_is_decoded_though_not_asked_for(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    packed = gzip.compress(b"data: {}\n\n")
    server.reply(Answer(headers={"content-encoding": "gzip"}, chunks=[packed[:9], packed[9:]]))

    assert await call(upstream) == (200, b"data: {}\n\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_an_answer(
    server: ScriptedUpstream, upstream: HttpUpstream, status: int
) -> None:
    server.reply(json_answer(status, {}, {"location": server.url + "/elsewhere"}))

    assert await call(upstream) == (status, b"{}")
    assert len(server.requests) == 1


async def test_cookies_are_not_kept(server: ScriptedUpstream, upstream: HttpUpstream) -> None:
    server.reply(Answer(headers={"set-cookie": "id=1"}, chunks=[b"ok"]), OK)
    await call(upstream)
    await call(upstream)

    assert "cookie" not in (await server.request(1)).headers


async def test_proxies_of_the_environment_are_not_used(
    server: ScriptedUpstream, upstream: HttpUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.reply(OK)

    assert await call(upstream) == (200, b"ok")


async def test_connection_is_used_again_after_the_whole_body(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.always(OK)
    for _ in range(3):
        await call(upstream)

    assert server.connections_opened == 1


async def test_more_calls_than_any_default_limit_run_at_once(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    pause = Pause()
    server.always(Answer(chunks=[pause, b"ok"]))
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(upstream)) for _ in range(150)]
        await server.request(149)
        pause.release()

    assert server.connections_opened == 150
    assert [task.result() for task in calls] == [(200, b"ok")] * 150


async def test_call_over_the_limit_waits_for_a_connection(server: ScriptedUpstream) -> None:
    server.always(OK)
    upstream = HttpUpstream(server.url, max_connections=1)
    async with opened(upstream):
        waiting = asyncio.create_task(call(upstream))
    result = await waiting
    await upstream.aclose()

    assert result == (200, b"ok")


async def test_call_over_the_limit_fails_when_no_connection_gets_free(
    server: ScriptedUpstream,
) -> None:
    server.always(Answer(chunks=[b"ok", Hang()]))
    upstream = HttpUpstream(server.url, max_connections=1, connect_timeout=0.05)
    async with opened(upstream):
        with pytest.raises(UpstreamTimeoutError, match="limit of connections"):
            await call(upstream)
    await upstream.aclose()


async def test_leaving_in_the_middle_of_the_body_closes_the_connection(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(Answer(chunks=[b"ok", Hang()]))
    async with opened(upstream) as answer:
        async for _ in answer.chunks():
            break
    request = await server.request(0)

    await request.disconnected.wait()


async def test_cancelling_before_the_headers_closes_the_connection(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(Answer(before=[Hang()]))
    task = asyncio.create_task(call(upstream))
    request = await server.request(0)
    task.cancel()

    await request.disconnected.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("end", [Eof(), Reset()], ids=["FIN", "RST"])
async def test_request_on_a_dead_kept_connection_is_sent_again(
    server: ScriptedUpstream, upstream: HttpUpstream, end: Eof | Reset
) -> None:
    """RFC 9112 §9.3.1; uvicorn, llama.cpp and node close idle connections after 5 s."""
    server.reply(OK, Answer(before=[end]), OK)
    await call(upstream)

    assert await call(upstream) == (200, b"ok")
    assert len(server.requests) == 3
    assert server.connections_opened == 2


async def test_request_is_sent_again_only_once(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(OK, Answer(before=[Eof()]), Answer(before=[Eof()]), OK)
    await call(upstream)

    with pytest.raises(UpstreamError):
        await call(upstream)
    assert len(server.requests) == 3


async def test_request_is_sent_again_over_a_new_connection_and_no_other_kept_one(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    """A server that restarts leaves many dead ones; the soak met two in a row."""
    mark = Pause()
    server.reply(Answer(chunks=[b"ok", mark]), OK, Answer(before=[Eof()]), Answer(before=[Eof()]))
    first = asyncio.create_task(call(upstream))
    await mark.reached.wait()
    await call(upstream)
    mark.release()
    await first

    with pytest.raises(UpstreamError, match="without an answer"):
        await call(upstream)
    assert len(server.requests) == 4
    assert server.connections_opened == 3


async def test_request_that_kills_a_fresh_connection_is_not_sent_again(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(Answer(before=[Eof()]), OK)

    with pytest.raises(UpstreamError):
        await call(upstream)
    assert len(server.requests) == 1


async def test_request_is_not_sent_again_once_an_answer_has_begun(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(OK, Answer(before=[b"HTTP/1.1 200 OK\r\nser", Eof()]), OK)
    await call(upstream)

    with pytest.raises(UpstreamError):
        await call(upstream)
    assert len(server.requests) == 2


async def test_reading_is_held_back_while_nobody_reads(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    """No queue: the server's writes block once the buffers of both sides are full."""
    marks = [Pause() for _ in range(64)]
    for mark in marks:
        mark.release()
    server.reply(Answer(chunks=[step for mark in marks for step in (b"x" * 1_000_000, mark)]))
    async with opened(upstream) as answer:
        for _ in range(200):  # turns of the loop in which the server could write on
            await asyncio.sleep(0)
        written = sum(mark.reached.is_set() for mark in marks)
        size = sum([len(chunk) async for chunk in answer.chunks()])

    assert written < 64
    assert size == 64_000_000


async def test_closing_the_upstream_breaks_open_calls_off(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.reply(Answer(chunks=[b"ok", Hang()]))
    async with opened(upstream) as answer:
        chunks = answer.chunks()
        await anext(chunks)
        await upstream.aclose()

        with pytest.raises(UpstreamError):
            await anext(chunks)


async def test_closed_upstream_opens_again_with_the_next_call(
    server: ScriptedUpstream, upstream: HttpUpstream
) -> None:
    server.always(OK)
    await call(upstream)
    await upstream.aclose()

    assert await call(upstream) == (200, b"ok")


def test_upstream_works_in_one_loop_after_the_other() -> None:
    """A Starlette TestClient without `with` runs every request in a loop of its own."""
    with scripted_upstream() as server:
        server.always(Answer(chunks=[b"ok"], framing="close"))
        upstream = HttpUpstream(server.url)
        results = [asyncio.run(call(upstream)) for _ in range(3)]
        asyncio.run(upstream.aclose())

    assert results == [(200, b"ok")] * 3
