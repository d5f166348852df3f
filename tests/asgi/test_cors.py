"""Web pages of other sites: nothing is allowed unless their origin is named."""

import httpx2
import pytest

from adapter.asgi.app import make_sidecar
from tests.asgi.conftest import Stand
from tests.asgi.many_routes import Put, put
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST
from tests.servers.answers import json_answer, text_answer
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream

__all__ = ["put"]  # a fixture
pytestmark = pytest.mark.anyio

APP = "https://app.example"
PREFLIGHT = {
    "origin": APP,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def test_without_the_setting_no_page_may_ask(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, upstream=upstream.url)
    upstream.always(text_answer("Hello"))

    preflight = await client.options("/v1/responses", headers=PREFLIGHT)
    answer = await client.post("/v1/responses", json=REQUEST, headers={"origin": APP})

    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/models"])
async def test_page_of_a_named_origin_may_ask(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    put(make_sidecar, upstream=upstream.url, cors_origins=[APP])
    upstream.always(text_answer("Hello"))

    preflight = await client.options(path, headers=PREFLIGHT)
    method = "POST" if path == "/v1/responses" else "GET"
    answer = await client.request(method, path, json=REQUEST, headers={"origin": APP})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == APP
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == APP
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_page_of_another_origin_may_not(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, upstream=upstream.url, cors_origins=[APP])

    answer = await client.options(
        "/v1/responses", headers=PREFLIGHT | {"origin": "https://evil.example"}
    )

    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_origin_of_a_websocket_may_be_named_too(
    put: Put, stand: Stand, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, upstream=upstream.url, cors_origins=[APP])
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url, headers={"origin": APP}) as socket:
        response = await socket.ask()

    assert response["status"] == "completed"


async def test_upstream_injects_no_header(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, upstream=upstream.url)
    upstream.always(json_answer(200, {}, {"access-control-allow-origin": "*"}), to=MODELS_PATH)
    upstream.always(json_answer(429, {}, {"retry-after": "1", "set-cookie": "a=b"}))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.headers["retry-after"] == "1"
    assert "set-cookie" not in answer.headers
