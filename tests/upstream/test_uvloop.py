"""The upstreams under uvloop, the loop that uvicorn runs them in."""

import pytest
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.upstream.asgi import AsgiUpstream
from adapter.upstream.base import Upstream
from adapter.upstream.http import HttpUpstream
from tests.servers.answers import Answer, Eof, Hang, Reset
from tests.servers.scripted import scripted_upstream
from tests.upstream.calls import call, opened

CHUNKS = [b"data: 1\n\n", b"data: 2\n\n"]


async def body_of(upstream: Upstream) -> bytes:
    try:
        return (await call(upstream))[1]
    finally:
        await upstream.aclose()


def test_app_in_process_streams() -> None:
    async def chat(request: Request) -> Response:
        return StreamingResponse(iter(CHUNKS))

    app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])

    assert uvloop.run(body_of(AsgiUpstream(app))) == b"".join(CHUNKS)


def test_http_streams() -> None:
    with scripted_upstream() as server:
        server.reply(Answer(chunks=CHUNKS))

        assert uvloop.run(body_of(HttpUpstream(server.url))) == b"".join(CHUNKS)


@pytest.mark.parametrize(
    ("answer", "timed_out"),
    [
        pytest.param(Answer(before=[Eof()]), False, id="FIN before the head"),
        pytest.param(Answer(before=[Reset()]), False, id="RST before the head"),
        pytest.param(Answer(chunks=[*CHUNKS, Eof()]), False, id="FIN in the body"),
        pytest.param(
            Answer(
                headers={"transfer-encoding": "chunked"},
                chunks=[b"2\r\nok\r\n", b"zz\r\n", Hang()],
                framing="close",
            ),
            False,
            id="malformed chunk",
        ),
        pytest.param(Answer(chunks=[*CHUNKS, Hang()]), True, id="silence"),
    ],
)
def test_http_fault_is_an_upstream_error(answer: Answer, timed_out: bool) -> None:
    with scripted_upstream() as server:
        server.reply(answer)
        with pytest.raises(UpstreamError) as caught:
            uvloop.run(body_of(HttpUpstream(server.url, idle_timeout=0.05)))

    assert isinstance(caught.value, UpstreamTimeoutError) == timed_out


def test_dead_kept_connection_is_replaced() -> None:
    async def call_twice(upstream: HttpUpstream) -> list[int]:
        statuses = []
        for _ in range(2):
            async with opened(upstream) as answer:
                statuses.append(answer.status)
                assert [chunk async for chunk in answer.chunks()] == [b"ok"]
        await upstream.aclose()
        return statuses

    ok = Answer(chunks=[b"ok"])
    with scripted_upstream() as server:
        server.reply(ok, Answer(before=[Reset()]), ok)

        assert uvloop.run(call_twice(HttpUpstream(server.url))) == [200, 200]
