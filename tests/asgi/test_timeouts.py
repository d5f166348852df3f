"""Limits of time: whichever is over, the client learns which, and the upstream is let go."""

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.asgi.streams import DONE, REQUEST, read_stream, types
from tests.servers.answers import Answer, Hang, chunk, stream_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("setting", "answer", "word"),
    [
        pytest.param("first_byte_timeout", Answer(before=[Hang()]), "first-byte", id="silent"),
        pytest.param(
            "first_byte_timeout", Answer(chunks=[Hang()]), "first-byte", id="headers-only"
        ),
        pytest.param(
            "idle_timeout", stream_answer(chunk({"content": "a"}), Hang()), "idle", id="idle"
        ),
        pytest.param(
            "total_timeout", stream_answer(chunk({"content": "a"}), Hang()), "total", id="total"
        ),
        pytest.param("total_timeout", Answer(400, chunks=[Hang()]), "total", id="error-body"),
    ],
)
async def test_upstream_that_takes_too_long_is_a_504_that_says_which_limit(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    setting: str,
    answer: Answer,
    word: str,
) -> None:
    start(**{setting: 0.05})
    upstream.reply(answer)

    said = await client.post("/v1/responses", json=REQUEST)
    await (await upstream.request(0)).disconnected.wait()

    assert said.status_code == 504
    assert said.json()["error"]["type"] == "server_error"
    assert word in said.json()["error"]["message"]


async def test_connection_that_is_not_to_be_had_is_a_504(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """All connections are in use: the wait for one is part of connecting."""
    start(connect_timeout=0.05, max_connections=1, start_grace=0)
    upstream.always(Answer(before=[Hang()]))

    async with client.stream("POST", "/v1/responses", json=REQUEST | {"stream": True}):
        await upstream.request(0)
        answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 504
    assert "connect timeout" in answer.json()["error"]["message"]


async def test_upstream_that_falls_silent_in_the_middle_fails_the_stream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(idle_timeout=0.05)
    upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))

    stream = await read_stream(client)
    await (await upstream.request(0)).disconnected.wait()

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert "idle timeout" in stream.events[-1]["response"]["error"]["message"]


async def test_zero_is_no_limit(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(connect_timeout=0, first_byte_timeout=0, idle_timeout=0, total_timeout=0)
    upstream.reply(stream_answer(chunk({"content": "a"}), chunk({}, "stop")))

    stream = await read_stream(client)

    assert types(stream.blocks)[-2:] == ["response.completed", DONE]
