"""`ResponsesMiddleware`: the wrapped app is the upstream, in process, and otherwise left alone.

Source: `design.md` §6 and §7 (vLLM adds `--middleware` classes without arguments).
"""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapter import ResponsesMiddleware
from adapter.stream.grammar import check
from tests.asgi.chat_app import ChatApp
from tests.asgi.conftest import Stand
from tests.asgi.streams import DONE, REQUEST, open_stream, read_stream, text_of, types
from tests.servers.adapter import serving
from tests.servers.answers import chunk, sse, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

WORD = chunk({"content": "Hello"})
ENVIRONMENT: dict[str, str] = {}  # not that of whoever runs the tests


@pytest.fixture
def chat(stand: Stand) -> ChatApp:
    """An app with the middleware, being served."""
    chat = ChatApp()
    chat.app.add_middleware(ResponsesMiddleware, environ=ENVIRONMENT)
    stand.app = chat.app
    return chat


async def test_answer_is_that_of_the_wrapped_app(chat: ChatApp, client: httpx2.AsyncClient) -> None:
    stream = await read_stream(client)
    whole = await client.post("/v1/responses", json=REQUEST)

    assert text_of(stream.events) == "Hello there"
    assert check(stream.events) == []
    assert whole.json()["output"][0]["content"][0]["text"] == "Hello there"


async def test_words_come_one_by_one(chat: ChatApp, client: httpx2.AsyncClient) -> None:
    chat.more.clear()

    async with open_stream(client) as stream:
        first = await stream.until("response.output_text.delta")
        chat.more.set()
        await stream.rest()

    assert first["delta"] == "Hello"
    assert text_of(stream.events) == "Hello there"
    assert not chat.left.is_set()


async def test_leaving_stops_the_wrapped_app(chat: ChatApp, client: httpx2.AsyncClient) -> None:
    chat.more.clear()

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
    async with asyncio.timeout(5):
        await chat.left.wait()


async def test_leaving_without_stream_stops_the_wrapped_app(
    chat: ChatApp, client: httpx2.AsyncClient
) -> None:
    chat.more.clear()

    asking = asyncio.create_task(client.post("/v1/responses", json=REQUEST))
    async with asyncio.timeout(5):
        await chat.asked.wait()
        asking.cancel()
        await chat.left.wait()


async def test_refusal_of_the_wrapped_app_keeps_its_status(
    chat: ChatApp, client: httpx2.AsyncClient
) -> None:
    answer = await client.post("/v1/responses", json=REQUEST | {"input": "refuse"})

    assert answer.status_code == 429
    assert answer.json()["error"]["message"] == "Too many."
    assert answer.headers["retry-after"] == "7"


async def test_failure_of_the_wrapped_app_is_an_error_without_its_text(
    chat: ChatApp, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    chat.failure = LookupError("a secret of the app")

    answer = await client.post("/v1/responses", json=REQUEST | {"stream": True})

    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "server_error"
    assert "secret" not in answer.text


async def test_wrapped_app_that_breaks_off_fails_the_stream(
    stand: Stand, client: httpx2.AsyncClient
) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": sse(WORD)[0], "more_body": True})
        raise LookupError("on purpose")

    stand.app = ResponsesMiddleware(app, environ=ENVIRONMENT)

    stream = await read_stream(client)

    assert types(stream.blocks)[-3:] == ["error", "response.failed", DONE]
    assert check(stream.events) == []
    assert "on purpose" not in stream.raw.decode()


async def test_other_paths_are_left_to_the_wrapped_app(
    chat: ChatApp, client: httpx2.AsyncClient
) -> None:
    models = await client.get("/v1/models")
    echo = await client.post("/echo?a=b", content=b"\x00\xff" * 100_000)
    unknown = await client.get("/v1/nothing")

    assert models.json() == {"object": "list", "data": [{"id": "m"}]}
    assert (echo.content, echo.headers["x-own"]) == (b"\x00\xff" * 100_000, "1")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Not Found"})


async def test_chat_route_is_left_to_the_wrapped_app(
    chat: ChatApp, client: httpx2.AsyncClient
) -> None:
    chat.more.clear()
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        parts = answer.aiter_raw()
        first = await anext(parts)
        chat.more.set()
        rest = b"".join([part async for part in parts])

    assert b'"content":"Hello"' in first
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_websocket_of_the_wrapped_app_is_left_to_it(chat: ChatApp, stand: Stand) -> None:
    async with connect(f"{stand.url.replace('http', 'ws', 1)}/ws", open_timeout=5) as websocket:
        await websocket.send("hello")
        said = await websocket.recv()

    assert said == "you said hello"


async def test_websocket_to_our_route_is_refused_if_it_is_switched_off(stand: Stand) -> None:
    chat = ChatApp()
    chat.app.add_middleware(ResponsesMiddleware, environ=ENVIRONMENT, websocket=False)
    stand.app = chat.app

    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"{stand.url.replace('http', 'ws', 1)}/v1/responses", open_timeout=5):
            pass

    assert caught.value.response.status_code == 426


async def test_wrong_method_on_our_route_is_ours(chat: ChatApp, client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/responses")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_authorization_reaches_the_wrapped_app_and_cookies_do_not(
    chat: ChatApp, client: httpx2.AsyncClient
) -> None:
    headers = {"authorization": "Bearer theirs", "cookie": "a=b"}

    await client.post("/v1/responses", json=REQUEST, headers=headers)

    assert chat.requests[0]["authorization"] == "Bearer theirs"
    assert "cookie" not in chat.requests[0]


async def test_lifespan_of_the_wrapped_app_runs(upstream: ScriptedUpstream) -> None:
    chat = ChatApp()
    chat.app.add_middleware(ResponsesMiddleware, environ=ENVIRONMENT)

    async with serving(chat.app):
        assert chat.is_alive

    assert not chat.is_alive


@pytest.mark.parametrize("side", ["inside", "outside"])
async def test_works_beside_a_middleware_that_wraps_streams(
    stand: Stand, client: httpx2.AsyncClient, side: str
) -> None:
    """Starlette's `BaseHTTPMiddleware` has task groups of its own, and many apps have one."""
    chat = ChatApp()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-seen"] = "1"
        return response

    classes = [(ResponsesMiddleware, {"environ": ENVIRONMENT})]
    classes.insert(0 if side == "inside" else 1, (BaseHTTPMiddleware, {"dispatch": dispatch}))
    for kind, options in classes:  # the last is the outermost
        chat.app.add_middleware(kind, **options)
    stand.app = chat.app
    chat.more.clear()

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        chat.more.set()
        await stream.rest()
    assert text_of(stream.events) == "Hello there"
    assert types(stream.blocks)[-1] == DONE

    chat.more.clear()
    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
    async with asyncio.timeout(5):
        await chat.left.wait()


async def test_app_that_is_mounted_is_found_under_its_mount(
    stand: Stand, client: httpx2.AsyncClient
) -> None:
    chat = ChatApp()
    chat.app.add_middleware(ResponsesMiddleware, environ=ENVIRONMENT)
    stand.app = Starlette(routes=[Mount("/api", app=chat.app)])

    stream = await read_stream(client, path="/api/v1/responses")

    assert text_of(stream.events) == "Hello there"


async def test_prefix_is_that_of_both_routes(stand: Stand, client: httpx2.AsyncClient) -> None:
    inner = ChatApp()
    app = FastAPI()
    app.mount("/openai", inner.app)
    app.add_middleware(ResponsesMiddleware, prefix="/openai/v1", environ=ENVIRONMENT)
    stand.app = app

    stream = await read_stream(client, path="/openai/v1/responses")

    assert text_of(stream.events) == "Hello there"
    assert (await client.post("/v1/responses", json=REQUEST)).status_code == 404


@pytest.mark.parametrize("how", ["argument", "environment"])
async def test_upstream_at_a_url_is_asked_in_place_of_the_wrapped_app(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream, how: str
) -> None:
    chat = ChatApp()
    if how == "argument":
        chat.app.add_middleware(ResponsesMiddleware, upstream.url, environ=ENVIRONMENT)
    else:
        environment = {"ADAPTER_UPSTREAM": upstream.url}
        chat.app.add_middleware(ResponsesMiddleware, environ=environment)
    stand.app = chat.app
    upstream.always(text_answer("From afar"))

    stream = await read_stream(client)

    assert text_of(stream.events) == "From afar"
    assert chat.requests == []
    assert (await client.get("/v1/models")).status_code == 200
