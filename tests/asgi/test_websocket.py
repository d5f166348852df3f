"""WebSocket handshakes are refused at once, with a status that clients act on.

Source: `clients.md` §0.8: Codex tries a WebSocket first, and only 426 sends it to HTTP at once.
"""

import json

import pytest
from starlette.types import Message, Scope
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapter.asgi.websocket import deny_upgrade
from tests.asgi.conftest import Stand, Start
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/responses", 426), ("/responses", 426), ("/v1/realtime", 404), ("/", 404)],
)
async def test_handshake_is_refused(
    start: Start, stand: Stand, upstream: ScriptedUpstream, path: str, status: int
) -> None:
    start()

    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"{stand.url.replace('http', 'ws', 1)}{path}", open_timeout=5):
            pass

    answer = caught.value.response
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = json.loads(answer.body or b"")["error"]
    assert error["type"] == "invalid_request_error"
    assert "WebSocket" in error["message"]
    assert upstream.requests == []


async def test_server_without_the_denial_extension_gets_a_close() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "websocket", "path": "/v1/responses", "headers": []}
    await deny_upgrade(scope, receive, send, status=426)

    assert sent == [{"type": "websocket.close", "code": 1000}]
