"""The authorization of a wrapped app holds for what never reaches it.

Source: vLLM 0.32 checks `--api-key` in a middleware that the classes of `--middleware` stand before.
"""

from typing import Any

import httpx2
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from adapter import ResponsesMiddleware
from adapter.asgi.access.app_auth import MAX_REMEMBERED, REMEMBER_SECONDS, AppAuth
from adapter.asgi.access.hashes import to_sha256
from adapter.config import Settings
from adapter.errors import AdapterError
from tests.asgi.chat_app import ChatApp
from tests.asgi.conftest import Stand
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST

pytestmark = pytest.mark.anyio

KEY = {"authorization": "Bearer the-key"}
STATE_REQUESTS = [
    ("GET", "/v1/responses/resp_1"),
    ("DELETE", "/v1/responses/resp_1"),
    ("GET", "/v1/responses/resp_1/input_items"),
    ("POST", "/v1/responses/resp_1/cancel"),
    ("POST", "/v1/conversations"),
    ("GET", "/v1/conversations/conv_1"),
    ("GET", "/v1/conversations/conv_1/items"),
    ("GET", "/v1/conversations/conv_1/items/msg_1"),
]


class WithKey:
    """Checks a key, as vLLM's middleware does, within ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "/v1/" in scope["path"]:
            self.asked.append(f"{scope['method']} {scope['path']}")
            if (b"authorization", b"Bearer the-key") not in scope["headers"]:
                refusal = JSONResponse(
                    {"error": "Unauthorized"}, 401, {"www-authenticate": "Bearer"}
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)


@pytest.fixture
def guarded(stand: Stand) -> Any:
    def put_up(**options: Any) -> WithKey:
        inner = WithKey(ChatApp().app)
        settings = Settings.load(environ={}, **{"store": "memory:", **options})
        stand.app = ResponsesMiddleware(inner, settings=settings)
        return inner

    return put_up


@pytest.mark.parametrize(("method", "path"), STATE_REQUESTS)
async def test_what_is_stored_wants_what_the_app_wants(
    guarded: Any, client: httpx2.AsyncClient, method: str, path: str
) -> None:
    guarded()

    refused = await client.request(method, path)
    wrong = await client.request(method, path, headers={"authorization": "Bearer wrong"})
    let_in = await client.request(method, path, headers=KEY)

    assert (refused.status_code, wrong.status_code) == (401, 401)
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused.headers["www-authenticate"] == "Bearer"
    assert let_in.status_code in (200, 404)


async def test_nothing_is_stored_for_who_is_refused(
    guarded: Any, client: httpx2.AsyncClient
) -> None:
    inner = guarded()

    answer = await client.post("/v1/responses", json=REQUEST | {"background": True})

    assert answer.status_code == 401
    assert inner.asked == ["GET /v1/models"]


async def test_response_is_made_and_found_again(guarded: Any, client: httpx2.AsyncClient) -> None:
    inner = guarded()

    made = await client.post("/v1/responses", json=REQUEST, headers=KEY)
    found = await client.get(f"/v1/responses/{made.json()['id']}", headers=KEY)

    assert (made.status_code, found.status_code) == (200, 200)
    assert inner.asked == ["GET /v1/models", "POST /v1/chat/completions"]


async def test_websocket_wants_what_the_app_wants(guarded: Any, stand: Stand) -> None:
    guarded()

    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(stand.url):
            pass
    async with open_socket(stand.url, headers=KEY) as socket:
        response = await socket.ask()

    assert refused.value.response.status_code == 401
    assert response["status"] == "completed"


async def test_app_may_be_asked_elsewhere_or_not_at_all(
    guarded: Any, client: httpx2.AsyncClient
) -> None:
    inner = guarded(app_auth_path="/me")
    assert (await client.post("/v1/conversations", headers=KEY)).status_code == 200
    assert inner.asked == ["GET /v1/me"]

    inner = guarded(app_auth_path="none")
    assert (await client.post("/v1/conversations")).status_code == 200
    assert inner.asked == []


async def test_with_own_keys_the_app_is_not_asked(guarded: Any, client: httpx2.AsyncClient) -> None:
    inner = guarded(api_keys=[f"alice={to_sha256(b'own-key')}"], upstream_api_key="the-key")
    own = {"authorization": "Bearer own-key"}

    refused = await client.post("/v1/conversations", headers=KEY)
    let_in = await client.post("/v1/conversations", headers=own)
    made = await client.post("/v1/responses", json=REQUEST, headers=own)

    assert refused.status_code == 401
    assert (let_in.status_code, made.status_code) == (200, 200)
    assert inner.asked == ["POST /v1/chat/completions"]


async def test_app_that_fails_lets_nobody_in(stand: Stand, client: httpx2.AsyncClient) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    settings = Settings.load(environ={}, store="memory:")
    stand.app = ResponsesMiddleware(failing, settings=settings)

    assert (await client.post("/v1/conversations")).status_code == 502


class Asked:
    """An app behind `AppAuth`, and its time."""

    def __init__(self) -> None:
        self.inner = WithKey(ChatApp().app)
        self.now = 100.0
        self.auth = AppAuth(self.inner, "/v1/models", lambda: self.now)

    async def check(self, *headers: tuple[bytes, bytes], **others: Any) -> None:
        key = (b"authorization", b"Bearer the-key")
        scope = {"type": "http", "path": "/v1/responses", "headers": [key, *headers], **others}
        await self.auth.check(scope)

    @property
    def times(self) -> int:
        return len(self.inner.asked)


async def test_who_was_let_in_is_asked_about_again_after_some_seconds() -> None:
    app = Asked()

    await app.check()
    app.now += REMEMBER_SECONDS - 0.1
    await app.check()
    assert app.times == 1

    app.now += 0.2
    await app.check()
    assert app.times == 2


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            {"headers": [(b"authorization", b"Bearer the-key"), (b"x-team", b"b")]}, id="header"
        ),
        pytest.param({"client": ("192.0.2.1", 1234)}, id="address"),
        pytest.param({"root_path": "/other", "path": "/other/v1/responses"}, id="mount point"),
        pytest.param({"extensions": {"tls": {}}}, id="certificate"),
        pytest.param({"user": "bob"}, id="user of an outer middleware"),
    ],
)
async def test_whatever_else_an_app_can_go_by_is_asked_about(other: dict[str, Any]) -> None:
    app = Asked()
    await app.check()

    await app.auth.check(
        {
            "type": "http",
            "path": "/v1/responses",
            "headers": [(b"authorization", b"Bearer the-key")],
            **other,
        }
    )

    assert app.times == 2


async def test_what_differs_in_each_request_is_not_asked_about() -> None:
    app = Asked()

    await app.check((b"x-request-id", b"1"), (b"content-length", b"10"))
    await app.check((b"x-request-id", b"2"), (b"content-length", b"20"))

    assert app.times == 1


async def test_no_is_asked_for_again() -> None:
    inner = WithKey(ChatApp().app)
    auth = AppAuth(inner, "/v1/models")
    scope = {"type": "http", "path": "/v1/responses", "headers": []}

    for _ in range(2):
        with pytest.raises(AdapterError):
            await auth.check(scope)

    assert len(inner.asked) == 2


async def test_only_so_many_are_remembered() -> None:
    app = Asked()

    for number in range(MAX_REMEMBERED + 1):
        await app.check((b"x-team", b"%d" % number))
    await app.check((b"x-team", b"%d" % MAX_REMEMBERED))
    assert app.times == MAX_REMEMBERED + 1

    await app.check((b"x-team", b"0"))
    assert app.times == MAX_REMEMBERED + 2
