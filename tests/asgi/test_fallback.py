"""A route that is down: its fallback is asked, if there is one; else it is left alone for a while."""

from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings, SettingsError
from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.many_routes import Put, other, post, put, route
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST, open_stream, read_stream, text_of
from tests.servers.answers import (
    Answer,
    Eof,
    Hang,
    Pause,
    Reset,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)
from tests.servers.scripted import ScriptedUpstream

__all__ = ["other", "put"]  # fixtures
pytestmark = pytest.mark.anyio

NOBODY = {"upstream": "http://127.0.0.1:1/v1", "dialect": "generic"}
DOWN = [
    pytest.param(json_answer(500, {"error": {"message": "no"}}), id="500"),
    pytest.param(json_answer(503, {}), id="503"),
    pytest.param(Answer(before=[Eof()]), id="closed"),
    pytest.param(Answer(before=[Reset()]), id="reset"),
    pytest.param(Answer(before=[Hang()]), id="silent"),
    pytest.param(Answer(chunks=[Hang()]), id="headers-only"),
    pytest.param(Answer(200, {"content-type": "text/html"}, [b"<html>"]), id="web-page"),
]


@pytest.fixture
def pair(put: Put, upstream: ScriptedUpstream, other: ScriptedUpstream) -> Any:
    """Put up a route `a` with the fallback `b`."""

    def start(first: Any = None, second: Any = None, **options: Any) -> None:
        other.always(text_answer("from the other one"))
        a = route(upstream, fallback="b", models=["m"], first_byte_timeout=0.05)
        b = route(other, upstream_api_key="sk-b")
        put(routes={"a": a | (first or {}), "b": b | (second or {})}, **options)

    return start


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("answer", DOWN)
async def test_fallback_is_asked_when_the_first_is_down(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, answer: Answer, stream: bool
) -> None:
    pair()
    upstream.always(answer)

    if stream:
        events = (await read_stream(client)).events
        assert check(events) == []
        assert text_of(events) == "from the other one"
    else:
        whole = (await client.post("/v1/responses", json=REQUEST)).json()
        assert whole["output"][0]["content"][0]["text"] == "from the other one"


async def test_fallback_is_asked_when_nobody_listens(pair: Any, client: httpx2.AsyncClient) -> None:
    pair(first=NOBODY)

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.json()["status"] == "completed"
    assert answer.json()["model"] == "m"


async def test_fallback_is_asked_even_if_the_stream_has_begun(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """The start grace was over; what the client saw is its own request."""
    pair(start_grace=0)
    pause = Pause()
    upstream.reply(Answer(before=[pause, Eof()]))

    async with open_stream(client) as stream:
        await stream.until("response.created")
        pause.release()
        await stream.rest()

    assert check(stream.events) == []
    assert text_of(stream.events) == "from the other one"


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429])
async def test_refusal_is_no_absence(
    pair: Any,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    status: int,
) -> None:
    pair()
    upstream.always(json_answer(status, {"error": {"message": "no such thing as 'it'"}}))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == status
    assert other.requests == []


async def test_answer_that_breaks_off_is_not_begun_anew(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    pair()
    upstream.always(stream_answer(chunk({"content": "Hel"}), Eof()))

    stream = await read_stream(client)

    assert stream.events[-1]["type"] == "response.failed"
    assert other.requests == []


async def test_key_of_the_client_is_for_the_first_alone(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    upstream.always(json_answer(503, {}))
    headers = {"authorization": "Bearer sk-client"}

    pair()
    await client.post("/v1/responses", json=REQUEST, headers=headers)
    pair(second={"upstream_api_key": None})
    await client.post("/v1/responses", json=REQUEST, headers=headers)

    assert upstream.requests[0].headers["authorization"] == "Bearer sk-client"
    assert other.requests[0].headers["authorization"] == "Bearer sk-b"
    assert "authorization" not in other.requests[1].headers


async def test_model_has_the_name_of_the_fallback(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    upstream.always(json_answer(503, {}))
    pair(first={"aliases": {"fast": "qwen"}}, second={"aliases": {"qwen": "vendor/qwen"}})

    answers = [await post(client, name) for name in ("fast", "a/qwen", "a/other")]

    assert [answer.json()["model"] for answer in answers] == ["fast", "a/qwen", "a/other"]
    assert [request.json["model"] for request in other.requests] == [
        "vendor/qwen",
        "vendor/qwen",
        "other",
    ]


async def test_fallback_that_is_full_is_as_good_as_down(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    pair(second={"max_concurrent": 1})
    upstream.always(json_answer(503, {"error": {"message": "the first is down"}}))
    pause = Pause()
    other.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))

    async with open_stream(client) as running:
        await running.until("response.created")
        refused = await client.post("/v1/responses", json=REQUEST)
        pause.release()

    assert refused.status_code == 503
    assert "Too many requests" in refused.json()["error"]["message"]


async def test_fallbacks_make_a_chain_that_ends(
    put: Put, client: httpx2.AsyncClient, other: ScriptedUpstream
) -> None:
    put(
        routes={
            "a": NOBODY | {"fallback": "b", "default": True},
            "b": NOBODY | {"fallback": "a"},
        }
    )
    ring = await client.post("/v1/responses", json=REQUEST)

    other.always(text_answer("Hello"))
    put(
        routes={
            "a": NOBODY | {"fallback": "b", "default": True},
            "b": NOBODY | {"fallback": "c"},
            "c": route(other),
        }
    )
    chain = await client.post("/v1/responses", json=REQUEST)

    assert ring.status_code == 502
    assert chain.status_code == 200


async def test_websocket_falls_back_too(
    pair: Any, stand: Stand, upstream: ScriptedUpstream
) -> None:
    pair()
    upstream.always(json_answer(503, {}))

    async with open_socket(stand.url) as socket:
        response = await socket.ask()

    assert response["output"][0]["content"][0]["text"] == "from the other one"


def test_fallback_that_is_no_route_is_told_at_the_start() -> None:
    settings = Settings.load(environ={}, routes={"a": NOBODY | {"fallback": "b"}})

    with pytest.raises(SettingsError, match=r"'routes\.a\.fallback': there is no route 'b'"):
        ResponsesAPI(settings=settings)


async def test_upstream_that_is_down_is_left_alone(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(breaker_failures=2)
    upstream.always(json_answer(503, {}))

    answers = [await client.post("/v1/responses", json=REQUEST) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [503] * 4
    assert len(upstream.requests) == 2
    assert "left alone" in answers[-1].json()["error"]["message"]
    assert answers[-1].headers["retry-after"] == "5"


async def test_route_that_is_left_alone_has_a_fallback_at_once(
    pair: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    pair(breaker_failures=1)
    upstream.always(json_answer(503, {}))

    statuses = [(await client.post("/v1/responses", json=REQUEST)).status_code for _ in range(3)]

    assert statuses == [200] * 3
    assert (len(upstream.requests), len(other.requests)) == (1, 3)


async def test_request_is_sent_again_when_the_upstream_says_so(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(json_answer(503, {}, {"retry-after": "0"}), text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 200


async def test_retries_end_before_a_stream_would_begin_without_the_upstream(
    put: Put, client: httpx2.AsyncClient
) -> None:
    """So what nobody answers is an HTTP error, which clients and balancers understand."""
    put(routes={"a": NOBODY | {"default": True}})

    answer = await client.post("/v1/responses", json=REQUEST | {"stream": True})

    assert answer.status_code == 502


async def test_answer_without_end_is_cut(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(max_stream_bytes=2000)
    pause, word = Pause(), chunk({"content": "x" * 100})
    upstream.reply(stream_answer(word, pause, *[word] * 50, Hang()))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        pause.release()
        await stream.rest()
    await (await upstream.request(0)).disconnected.wait()

    assert check(stream.events) == []
    assert stream.events[-1]["type"] == "response.failed"
    assert "longer than what is accepted" in stream.events[-1]["response"]["error"]["message"]
