"""WebSocket handshakes: accepted, or refused at once with a status that clients act on.

Source: `clients.md` §0.8: Codex tries a WebSocket first, and only 426 sends it to HTTP at once.
"""

import json
import logging
from collections.abc import Mapping

import pytest
from starlette.types import Message, Scope
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapter import ResponsesAPI
from adapter.asgi.denial import deny_upgrade
from adapter.asgi.socket_origin import is_foreign
from adapter.config import Settings
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def refusal(
    stand: Stand, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Return status and message of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(
            f"{stand.url.replace('http', 'ws', 1)}{path}",
            open_timeout=5,
            additional_headers=headers,
        ):
            pass
    answer = caught.value.response
    assert answer.headers["content-type"] == "application/json"
    error = json.loads(answer.body or b"")["error"]
    assert error["type"] == "invalid_request_error"
    return answer.status_code, error["message"]


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/v1/responses/"])
async def test_handshake_is_accepted(start: Start, stand: Stand, path: str) -> None:
    start()

    async with open_socket(stand.url, path=path, headers={"x-request-id": "mine"}) as socket:
        answer = socket.connection.response

    assert answer is not None
    assert answer.headers["x-request-id"] == "mine"


@pytest.mark.parametrize("path", ["/v1/responses", "/responses"])
async def test_handshake_is_answered_with_426_if_it_is_switched_off(
    start: Start, stand: Stand, upstream: ScriptedUpstream, path: str
) -> None:
    start(websocket=False)

    status, message = await refusal(stand, path)

    assert status == 426
    assert "WebSocket is switched off" in message
    assert upstream.requests == []


@pytest.mark.parametrize("path", ["/v1/realtime", "/", "/v1/models"])
async def test_no_other_path_has_a_websocket(start: Start, stand: Stand, path: str) -> None:
    start()

    assert (await refusal(stand, path))[0] == 404


async def test_list_of_models_has_no_websocket_where_it_is_ours(
    stand: Stand, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "aliases": {"fast": "m"}, "default": True}
    stand.app = ResponsesAPI(settings=Settings.load(environ={}, routes={"a": route}))

    assert (await refusal(stand, "/v1/models"))[0] == 404


async def test_handshake_is_answered_with_426_if_every_request_is_passed_on(
    stand: Stand, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "api": "responses", "default": True}
    stand.app = ResponsesAPI(settings=Settings.load(environ={}, routes={"a": route}))

    assert (await refusal(stand, "/v1/responses"))[0] == 426


async def test_refusal_is_no_error_in_the_log(
    start: Start, stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    start(websocket=False)

    await refusal(stand, "/v1/responses")

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_page_of_another_site_is_refused(start: Start, stand: Stand) -> None:
    start()

    status, message = await refusal(stand, "/v1/responses", {"origin": "https://evil.example"})

    assert status == 403
    assert "another site" in message


async def test_page_of_the_same_host_is_served(
    start: Start, stand: Stand, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    async with open_socket(stand.url, headers={"origin": stand.url}) as socket:
        response = await socket.ask()

    assert response["status"] == "completed"


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        pytest.param({"host": "a"}, False, id="no-page"),
        pytest.param({"host": "a:9000", "origin": "http://a:9000"}, False, id="same"),
        pytest.param({"host": "A", "origin": "https://a"}, False, id="case"),
        pytest.param({"host": "a:80", "origin": "http://a"}, False, id="default-port"),
        pytest.param({"host": "a", "origin": "https://a:443"}, False, id="default-tls-port"),
        pytest.param({"host": "a:9000", "origin": "http://a:9001"}, True, id="other-port"),
        pytest.param({"host": "a", "origin": "http://b"}, True, id="other-host"),
        pytest.param({"host": "a", "origin": "null"}, True, id="sandboxed"),
        pytest.param({"host": "a", "origin": "file://"}, True, id="file"),
        pytest.param({"host": "a", "origin": "http://[a"}, True, id="malformed"),
        pytest.param({"origin": "http://a"}, True, id="no-host"),
        pytest.param(
            {"host": "a", "origin": "http://b", "authorization": "Bearer k"}, False, id="key"
        ),
        pytest.param(
            # A page can make a browser send this, with a user and a password in the URL.
            {"host": "a", "origin": "http://b", "authorization": "Basic YTpi"},
            True,
            id="password",
        ),
    ],
)
def test_pages_of_other_sites_are_told_from_clients(headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(headers) is foreign


async def test_server_without_the_denial_extension_gets_a_close() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "websocket", "path": "/v1/responses", "headers": []}
    await deny_upgrade(scope, receive, send, status=426)

    assert sent == [{"type": "websocket.close", "code": 1000}]
