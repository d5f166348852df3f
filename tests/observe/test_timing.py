"""`server-timing`: what is known when the headers leave."""

import re

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.asgi.streams import REQUEST, open_stream
from tests.servers.answers import Answer, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

BOTH = r"adapter;dur=\d+\.\d, upstream;dur=\d+\.\d"


async def test_a_whole_answer_has_both_times(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(server_timing=True)
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert re.fullmatch(BOTH, answer.headers["server-timing"])


@pytest.mark.parametrize("grace", [0.0, 30.0])
async def test_a_stream_has_the_times_until_its_headers(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, grace: float
) -> None:
    """Until the first event of the upstream, or as long as it was waited for."""
    start(server_timing=True, start_grace=grace)
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))

    async with open_stream(client) as stream:
        pause.release()
        await stream.rest()

    told = stream.answer.headers["server-timing"]
    assert re.fullmatch(BOTH if grace else rf"adapter;dur=\d+\.\d|{BOTH}", told)


async def test_it_is_off_by_default(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    upstream.always(text_answer("Hello"))

    assert "server-timing" not in (await client.post("/v1/responses", json=REQUEST)).headers


async def test_a_request_that_is_refused_has_no_times_of_an_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(server_timing=True, store="memory:")
    upstream.always(Answer(500))

    answer = await client.post("/v1/conversations", json={})

    assert answer.status_code == 200
    assert "upstream" not in answer.headers.get("server-timing", "")
