"""The sidecar: our route before an upstream, and every other path passed through to it.

What becomes of single headers and bodies on the way is tested with the proxy; here is the whole.
"""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapter.asgi.app import make_sidecar
from adapter.config import Settings, SettingsError
from adapter.stream.grammar import check
from tests.asgi.conftest import Stand
from tests.asgi.streams import REQUEST, read_stream, text_of
from tests.servers.adapter import serving
from tests.servers.answers import (
    Answer,
    Hang,
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
Start = Callable[..., None]


@pytest.fixture
async def start(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Start]:
    """Put up the sidecar before the scripted upstream, with these settings."""
    started = []

    def put_up(**options: object) -> None:
        settings = Settings.load(environ={}, upstream=upstream.url, **options)
        stand.app = app = make_sidecar(settings)
        started.append(app)

    yield put_up
    for app in started:
        await app.aclose()


async def test_our_route_is_served(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    stream = await read_stream(client)

    assert text_of(stream.events) == "Hello"
    assert check(stream.events) == []
    assert upstream.requests[0].path == "/v1/chat/completions"


async def test_list_of_models_is_passed_through(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()

    answer = await client.get("/v1/models")

    assert answer.json()["data"][0]["id"] == "scripted"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
async def test_any_other_path_is_passed_through_with_its_method_query_and_body(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, method: str
) -> None:
    start()
    upstream.reply(
        json_answer(207, {"said": "it"}, {"x-own": "1", "allow": "GET"}), to="/tokenize/%20x"
    )

    answer = await client.request(method, "/tokenize/%20x?a=b&a=%2F", content=b"\x00body")

    (request,) = upstream.requests
    assert (request.method, request.target) == (method, "/tokenize/%20x?a=b&a=%2F")
    assert request.body == b"\x00body"
    assert (answer.status_code, answer.json()) == (207, {"said": "it"})
    assert (answer.headers["x-own"], answer.headers["allow"]) == ("1", "GET")


async def test_head_is_passed_through(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(json_answer(200, "body"), to="/health")

    answer = await client.head("/health")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "6"


async def test_chat_completions_are_streamed_through(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({"content": "b"}, "stop")))

    async with client.stream("POST", "/v1/chat/completions", json=CHAT) as answer:
        parts = answer.aiter_raw()
        first = await anext(parts)
        pause.release()
        rest = b"".join([part async for part in parts])

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert b'"content":"a"' in first
    assert rest.endswith(b"data: [DONE]\n\n")
    assert upstream.requests[0].json == CHAT


async def test_leaving_a_passed_stream_stops_the_upstream(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))

    async with client.stream("POST", "/v1/chat/completions", json=CHAT) as answer:
        await anext(answer.aiter_raw())
    await (await upstream.request(0)).disconnected.wait()


async def test_error_of_the_upstream_is_passed_through_as_it_is(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(json_answer(404, {"detail": "Not Found"}), to="/v1/files")

    answer = await client.get("/v1/files")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("path", ["/v1/models", "/v1/responses"])
async def test_configured_key_replaces_that_of_the_client_on_every_path(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start(upstream_api_key="ours")
    upstream.always(text_answer("Hello"))

    method = "POST" if path == "/v1/responses" else "GET"
    await client.request(method, path, json=REQUEST, headers={"authorization": "Bearer theirs"})

    assert upstream.requests[0].headers["authorization"] == "Bearer ours"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/responses"])
async def test_authorization_of_the_client_is_passed_on_every_path_and_cookies_on_none(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start()
    upstream.always(text_answer("Hello"))
    headers = {"authorization": "Bearer theirs", "cookie": "a=b", "x-forwarded-for": "10.0.0.1"}

    method = "POST" if path == "/v1/responses" else "GET"
    await client.request(method, path, json=REQUEST, headers=headers)

    (request,) = upstream.requests
    assert request.headers["authorization"] == "Bearer theirs"
    assert not {"cookie", "x-forwarded-for"} & request.headers.keys()


@pytest.mark.parametrize("path", ["/v1/models", "/v1/responses"])
async def test_listed_header_is_passed_on_every_path(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start(forward_headers=["X-Forwarded-For"])
    upstream.always(text_answer("Hello"))

    method = "POST" if path == "/v1/responses" else "GET"
    await client.request(method, path, json=REQUEST, headers={"x-forwarded-for": "10.0.0.1"})

    assert upstream.requests[0].headers["x-forwarded-for"] == "10.0.0.1"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/responses"])
async def test_time_limits_hold_on_every_path(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start(first_byte_timeout=0.05)
    upstream.always(Answer(before=[Hang()]))
    upstream.always(Answer(before=[Hang()]), to="/v1/models")

    method = "POST" if path == "/v1/responses" else "GET"
    answer = await client.request(method, path, json=REQUEST)

    assert answer.status_code == 504
    assert answer.json()["error"]["type"] == "server_error"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/responses"])
async def test_refused_connection_is_a_502_on_every_path(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start()
    await upstream.__aexit__(None, None, None)

    method = "POST" if path == "/v1/responses" else "GET"
    answer = await client.request(method, path, json=REQUEST)

    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "server_error"


@pytest.mark.parametrize(("path", "status"), [("/v1/responses", 426), ("/v1/realtime", 404)])
async def test_websocket_is_refused_if_it_is_switched_off(
    start: Start, stand: Stand, path: str, status: int
) -> None:
    start(websocket=False)

    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"{stand.url.replace('http', 'ws', 1)}{path}", open_timeout=5):
            pass

    assert caught.value.response.status_code == status


async def test_lifespan_closes_the_connections_of_both(upstream: ScriptedUpstream) -> None:
    upstream.always(text_answer("Hello"))

    app = make_sidecar(Settings(upstream=upstream.url))
    async with serving(app, lifespan="on") as url:
        async with httpx2.AsyncClient(base_url=url, timeout=5) as client:
            await client.post("/v1/responses", json=REQUEST)
            await client.get("/v1/models")
        assert upstream.connections_open == 2
    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
        await client.get("/models")  # in whose round trip the news has come

        assert upstream.connections_open == 1


def test_sidecar_without_upstream_is_refused() -> None:
    with pytest.raises(SettingsError, match="No upstream"):
        make_sidecar(Settings())


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host/v1", "http://", "http:///v1"])
def test_sidecar_with_a_bad_upstream_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"Invalid setting .upstream.|No upstream"):
        make_sidecar(Settings(upstream=url))
