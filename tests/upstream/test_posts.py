"""What is posted besides chat requests: to which path, over each kind of upstream."""

from collections.abc import Callable

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from adapter.upstream.asgi import AsgiUpstream
from adapter.upstream.base import Poster, path_under
from adapter.upstream.http import HttpUpstream
from adapter.upstream.httpx import HttpxUpstream
from tests.servers.answers import json_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/v1", "embeddings", "/v1/embeddings"),
        ("/v1/", "embeddings", "/v1/embeddings"),
        ("", "embeddings", "/embeddings"),
        ("/", "embeddings", "/embeddings"),
        ("/v1", "/tokenize", "/tokenize"),
        ("/v1/", "/tokenize", "/tokenize"),
        ("/models/qwen/v1", "/tokenize", "/models/qwen/tokenize"),
        ("/v1beta", "/tokenize", "/tokenize"),
        ("/openai", "/tokenize", "/openai/tokenize"),
        ("", "/tokenize", "/tokenize"),
    ],
)
def test_path_stands_under_the_base_or_beside_its_version(
    base: str, path: str, expected: str
) -> None:
    assert path_under(base, path) == expected


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(HttpUpstream, id="http"),
        pytest.param(
            lambda url: HttpxUpstream(httpx2.AsyncClient(base_url=url, verify=False)), id="client"
        ),
        pytest.param(
            lambda url: HttpxUpstream(httpx2.AsyncHTTPTransport(verify=False), url), id="transport"
        ),
    ],
)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("chat/completions/input_tokens", "/v1/chat/completions/input_tokens"),
        ("/tokenize", "/tokenize"),
    ],
)
async def test_json_is_posted_with_the_query_of_the_base_url(
    make: Callable[[str], HttpUpstream | HttpxUpstream], path: str, expected: str
) -> None:
    async with ScriptedUpstream() as server:
        server.reply(json_answer(200, {"count": 1}), to=expected)
        upstream = make(f"{server.url}?version=1")
        assert isinstance(upstream, Poster)
        try:
            async with upstream.post(path, b'{"a": 1}', {"authorization": "Bearer k"}) as answer:
                body = b"".join([chunk async for chunk in answer.chunks()])
        finally:
            await upstream.aclose()

    (request,) = server.requests
    assert (answer.status, body) == (200, b'{"count":1}')
    assert (request.method, request.path, request.json) == ("POST", expected, {"a": 1})
    assert request.headers["authorization"] == "Bearer k"
    assert request.headers["content-type"] == "application/json"
    assert request.query.removesuffix("/") == "version=1"  # httpx2's client adds a slash


@pytest.mark.parametrize(
    ("path", "expected"), [("embeddings", "/app/v1/embeddings"), ("/tokenize", "/app/tokenize")]
)
async def test_wrapped_app_is_posted_to_under_its_mount_point(path: str, expected: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        assert (await receive())["body"] == b"{}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"count": 1}'})

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/app/v1/responses",
        "root_path": "/app",
        "headers": [(b"host", b"a")],
    }
    upstream = AsgiUpstream(app).for_scope(scope)

    async with upstream.post(path, b"{}", {}) as answer:
        body = b"".join([chunk async for chunk in answer.chunks()])

    assert (answer.status, body) == (200, b'{"count": 1}')
    assert [(each["method"], each["path"]) for each in seen] == [("POST", expected)]
