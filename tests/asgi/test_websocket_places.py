"""The WebSocket mode wherever the API is: mounted, before an app in process, and as a sidecar."""

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from adapter import ResponsesMiddleware
from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.asgi.chat_app import ChatApp
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import text_of
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


@pytest.fixture
def chat(stand: Stand) -> ChatApp:
    """An app with the middleware, being served."""
    chat = ChatApp()
    chat.app.add_middleware(ResponsesMiddleware, environ={})
    stand.app = chat.app
    return chat


@pytest.mark.parametrize("framework", ["starlette", "fastapi"])
@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_mounted_app_serves_sockets(
    start: Start, stand: Stand, upstream: ScriptedUpstream, framework: str, prefix: str
) -> None:
    responses = start()
    if framework == "starlette":
        stand.app = Starlette(routes=[Mount(prefix, app=responses)])
    else:
        stand.app = app = FastAPI()
        app.mount(prefix, responses)
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url, path=f"{prefix}/responses") as socket:
        first = await socket.ask()
        second = await socket.ask(previous_response_id=first["id"])

    assert second["status"] == "completed"


async def test_sidecar_serves_sockets(stand: Stand, upstream: ScriptedUpstream) -> None:
    stand.app = sidecar = make_sidecar(Settings(upstream=upstream.url))
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        first = await socket.ask()
        second = await socket.ask(previous_response_id=first["id"])
    await sidecar.aclose()

    assert second["status"] == "completed"


async def test_wrapped_app_answers_sockets_in_process(chat: ChatApp, stand: Stand) -> None:
    headers = {"authorization": "Bearer mine", "cookie": "a=b"}

    async with open_socket(stand.url, headers=headers) as socket:
        await socket.create()
        events = await socket.turn()
        again = await socket.ask(previous_response_id=events[-1]["response"]["id"])

    assert text_of(events) == "Hello there"
    assert again["status"] == "completed"
    for request in chat.requests:
        assert request["authorization"] == "Bearer mine"
        assert not {"upgrade", "sec-websocket-key", "cookie"} & request.keys()


async def test_leaving_stops_the_wrapped_app(chat: ChatApp, stand: Stand) -> None:
    chat.more.clear()

    async with open_socket(stand.url) as socket:
        await socket.create()
        await socket.until("response.output_text.delta")

    await chat.left.wait()


async def test_refusal_of_the_wrapped_app_is_a_frame(chat: ChatApp, stand: Stand) -> None:
    async with open_socket(stand.url) as socket:
        frame = await socket.refused(input="refuse")

    assert (frame["status"], frame["headers"]["retry-after"]) == (429, "7")


async def test_sockets_of_the_wrapped_app_are_left_alone(chat: ChatApp, stand: Stand) -> None:
    async with open_socket(stand.url, path="/ws") as socket:
        await socket.send("hi")

        assert await socket.connection.recv() == "you said hi"
