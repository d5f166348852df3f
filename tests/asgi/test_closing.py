"""The end of the server: what still runs then has a last word."""

import asyncio

import httpx2
import pytest

from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import DONE, REQUEST, open_stream, types
from tests.servers.answers import Answer, Hang, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def test_stream_ends_with_its_last_events(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start(store="memory:")
    upstream.reply(stream_answer(chunk({"content": "Hel"}), Hang()))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        app.interrupt()
        rest = await stream.rest()
    await (await upstream.request(0)).disconnected.wait()
    id = stream.events[0]["response"]["id"]
    stored = (await client.get(f"/v1/responses/{id}")).json()

    assert check(stream.events) == []
    assert types(rest)[-3:] == ["error", "response.failed", DONE]
    assert "stopped" in stream.events[-1]["response"]["error"]["message"]
    assert stored["status"] == "failed"


async def test_stream_that_has_said_nothing_is_a_503(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start(start_grace=30)
    upstream.reply(Answer(before=[Hang()]))

    asked = asyncio.create_task(client.post("/v1/responses", json=REQUEST | {"stream": True}))
    await upstream.request(0)
    app.interrupt()
    answer = await asked

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_stream_that_began_without_the_upstream_fails(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start(start_grace=0)
    upstream.reply(Answer(before=[Hang()]))

    async with open_stream(client) as stream:
        await stream.until("response.created")
        await upstream.request(0)
        app.interrupt()
        await stream.rest()

    assert check(stream.events) == []
    assert stream.events[-1]["type"] == "response.failed"


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/compact"])
async def test_request_without_a_stream_is_a_503(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    app = start()
    upstream.reply(stream_answer(chunk({"content": "Hel"}), Hang()))

    asked = asyncio.create_task(client.post(path, json=REQUEST))
    await upstream.request(0)
    app.interrupt()
    answer = await asked
    await (await upstream.request(0)).disconnected.wait()

    assert answer.status_code == 503
    assert "stopped" in answer.json()["error"]["message"]


async def test_turn_of_a_websocket_ends_with_its_last_events(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    app = start()
    upstream.reply(stream_answer(chunk({"content": "Hel"}), Hang()))

    async with open_socket(stand.url) as socket:
        await socket.create()
        await upstream.request(0)
        asyncio.get_running_loop().call_later(0.05, app.interrupt)
        events = await socket.turn()

    assert events[-1]["type"] == "response.failed"


async def test_what_has_ended_is_not_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start()
    upstream.always(text_answer("Hello"))
    for fields in ({"stream": True}, {}):
        assert (await client.post("/v1/responses", json=REQUEST | fields)).is_success

    app.interrupt()

    assert app._service.closing.running == 0


async def test_client_that_leaves_is_no_end_of_the_server(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start()
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "Hel"}), pause, Hang()))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
    await (await upstream.request(0)).disconnected.wait()

    assert app._service.closing.running == 0
