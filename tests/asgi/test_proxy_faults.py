"""`Proxy` when its upstream fails: an error before the answer, a visible break within it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from adapter.asgi.proxy import Proxy
from adapter.errors import UpstreamError, UpstreamTimeoutError
from tests.asgi.conftest import Stand
from tests.asgi.proxies import PATH, put_up
from tests.servers.answers import Answer, Eof, Hang, Pause, Reset, json_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def test_unreachable_upstream_is_a_502_with_an_error_body(
    stand: Stand, client: httpx2.AsyncClient
) -> None:
    async with put_up(stand, Proxy("http://127.0.0.1:1/v1")):
        response = await client.get(PATH)

    assert response.status_code == 502
    assert response.headers["content-type"] == "application/json"
    message = response.json()["error"]["message"]
    assert message.startswith("Cannot connect to the model server at 127.0.0.1:1 (")
    assert response.json() == UpstreamError(message).body()


async def test_silent_upstream_is_a_504(
    stand: Stand, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(Answer(before=[Hang()]), to=PATH)
    async with put_up(stand, Proxy(upstream.url, first_byte_timeout=0.05)):
        response = await client.get(PATH)

    assert response.status_code == 504
    message = response.json()["error"]["message"]
    assert "0.05 s (first-byte timeout)" in message
    assert response.json() == UpstreamTimeoutError(message).body()


@pytest.mark.parametrize(
    ("headers", "framing", "first", "end"),
    [
        pytest.param({}, "chunked", b"ok", Eof(), id="FIN in chunks"),
        pytest.param({}, "chunked", b"ok", Reset(), id="RST in chunks"),
        pytest.param({"content-length": "9"}, "close", b"ok", Eof(), id="FIN before the length"),
        pytest.param({}, "close", b"ok", Reset(), id="RST of an unframed body"),
        pytest.param(
            {"transfer-encoding": "chunked"}, "close", b"2\r\nok\r\n", b"zz\r\n", id="bad chunk"
        ),
        pytest.param({}, "chunked", b"ok", Hang(), id="silence"),
    ],
)
async def test_answer_that_breaks_off_does_not_look_complete(
    stand: Stand,
    upstream: ScriptedUpstream,
    client: httpx2.AsyncClient,
    headers: dict[str, str],
    framing: str,
    first: bytes,
    end: Eof | Reset | Hang | bytes,
) -> None:
    pause = Pause()
    chunks = [first, pause, end, Hang()]
    upstream.reply(Answer(headers=headers, chunks=chunks, framing=framing), to=PATH)  # type: ignore[arg-type]
    seen = []
    proxy = Proxy(upstream.url, idle_timeout=0.05)
    async with put_up(stand, proxy), client.stream("GET", PATH) as response:
        with pytest.raises(httpx2.RemoteProtocolError):  # noqa: PT012  # the loop raises
            async for chunk in response.aiter_raw():
                seen.append(chunk)
                pause.release()

    assert response.status_code == 200
    assert seen == [b"ok"]


@pytest.mark.parametrize("end", [Eof(), Reset()], ids=["FIN", "RST"])
async def test_whole_body_is_sent_again_on_a_fresh_connection(
    stand: Stand, upstream: ScriptedUpstream, client: httpx2.AsyncClient, end: Eof | Reset
) -> None:
    ok = json_answer(200, {})
    upstream.reply(ok, Answer(before=[end]), ok, to=PATH)
    async with put_up(stand, Proxy(upstream.url)):
        responses = [await client.post(PATH, content=b"body") for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]
    assert [request.body for request in upstream.requests] == [b"body"] * 3


async def test_streamed_body_on_a_dead_connection_is_gone(
    stand: Stand, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        await (await upstream.request(0)).completed.wait()  # which lets the first part go alone
        yield b"second"

    upstream.reply(json_answer(200, {}), Answer(before=[Eof()]), to=PATH)
    async with put_up(stand, Proxy(upstream.url)):
        await client.get(PATH)
        response = await client.post(PATH, content=parts())

    assert response.status_code == 502
    assert len(upstream.requests) == 2
