"""`ResponsesAPI` as an app of its own, or mounted in another, under any prefix, with and without lifespan.

Source: `design.md` §7; ASGI: mounted apps get no lifespan, and see the whole path and its root.
"""

from collections.abc import Callable

import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from adapter import ResponsesAPI
from adapter.config import SettingsError
from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.streams import REQUEST, read_stream, text_of
from tests.servers.adapter import serving
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def home(_request: object) -> PlainTextResponse:
    return PlainTextResponse("home")


def in_starlette(responses: ResponsesAPI, prefix: str) -> Starlette:
    routes = [Route("/home", home), Mount(prefix, app=responses)]
    return Starlette(routes=routes, lifespan=lambda _app: responses)


def in_fastapi(responses: ResponsesAPI, prefix: str) -> FastAPI:
    app = FastAPI(lifespan=lambda _app: responses)
    app.add_route("/home", home)
    app.mount(prefix, responses)
    return app


async def others_open(upstream: ScriptedUpstream) -> int:
    """Count connections, after a round trip, in which news of closed ones has come."""
    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
        await client.get("/models")
        return upstream.connections_open - 1


Embed = Callable[[ResponsesAPI, str], ASGIApp]
FRAMEWORKS = [pytest.param(in_starlette, id="starlette"), pytest.param(in_fastapi, id="fastapi")]


@pytest.mark.parametrize("embed", FRAMEWORKS)
@pytest.mark.parametrize("prefix", ["/v1", "/api/v1", "/a/b/c"])
async def test_mounted_app_serves_under_its_prefix(
    start: Start,
    stand: Stand,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    embed: Embed,
    prefix: str,
) -> None:
    stand.app = embed(start(), prefix)
    upstream.always(text_answer("Hello"))

    stream = await read_stream(client, path=f"{prefix}/responses")
    whole = await client.post(f"{prefix}/responses", json=REQUEST)

    assert text_of(stream.events) == "Hello"
    assert check(stream.events) == []
    assert whole.json()["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize("embed", FRAMEWORKS)
async def test_mounted_app_leaves_other_paths_to_its_host(
    start: Start, stand: Stand, client: httpx2.AsyncClient, embed: Embed
) -> None:
    stand.app = embed(start(), "/api/v1")

    assert (await client.get("/home")).text == "home"
    assert (await client.post("/v1/responses", json=REQUEST)).status_code == 404
    unknown = await client.get("/api/v1/nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_url")
    assert (await client.get("/api/v1/responses")).status_code == 405


async def test_mount_without_v1_serves_both_spellings(
    start: Start, stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    stand.app = in_starlette(start(), "/llm")
    upstream.always(text_answer("Hello"))

    answers = [
        await client.post(path, json=REQUEST) for path in ("/llm/v1/responses", "/llm/responses")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("embed", FRAMEWORKS)
async def test_lifespan_of_the_host_closes_the_connections(
    upstream: ScriptedUpstream, embed: Embed
) -> None:
    responses = ResponsesAPI(upstream.url, environ={})
    upstream.always(text_answer("Hello"))

    async with serving(embed(responses, "/v1")) as url:
        async with httpx2.AsyncClient(base_url=url, timeout=5) as client:
            stream = await read_stream(client)
        request = await upstream.request(0)
        await request.completed.wait()
        assert upstream.connections_open == 1

    assert text_of(stream.events) == "Hello"
    assert await others_open(upstream) == 0


async def test_lifespan_of_the_app_itself_closes_the_connections(
    upstream: ScriptedUpstream,
) -> None:
    upstream.always(text_answer("Hello"))

    async with serving(ResponsesAPI(upstream.url, environ={}), lifespan="on") as url:
        async with httpx2.AsyncClient(base_url=url, timeout=5) as client:
            assert (await client.post("/v1/responses", json=REQUEST)).status_code == 200
        assert upstream.connections_open == 1

    assert await others_open(upstream) == 0


async def test_app_serves_again_after_it_was_closed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start()
    upstream.always(text_answer("Hello"))

    async with app:
        first = await client.post("/v1/responses", json=REQUEST)
    second = await client.post("/v1/responses", json=REQUEST)

    assert (first.status_code, second.status_code) == (200, 200)
    assert upstream.connections_opened == 2


async def test_root_path_of_the_server_is_not_part_of_the_route(
    upstream: ScriptedUpstream,
) -> None:
    """A reverse proxy that strips `/gateway` is told to uvicorn as `--root-path /gateway`."""
    upstream.always(text_answer("Hello"))

    app = ResponsesAPI(upstream.url, environ={})
    async with (
        serving(app, root_path="/gateway") as url,
        httpx2.AsyncClient(base_url=url, timeout=5) as client,
    ):
        answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 200


async def test_client_of_the_user_is_used_as_upstream(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello"))
    headers = {"x-from": "the user's client"}

    async with httpx2.AsyncClient(base_url=upstream.url, headers=headers) as theirs:
        stand.app = ResponsesAPI(theirs, environ={})
        stream = await read_stream(client)

    assert text_of(stream.events) == "Hello"
    assert upstream.requests[0].headers["x-from"] == "the user's client"


async def test_client_without_base_url_is_refused_when_the_app_is_made() -> None:
    async with httpx2.AsyncClient() as theirs:
        with pytest.raises(SettingsError, match="base URL"):
            ResponsesAPI(theirs, environ={})


def test_app_without_upstream_is_refused_when_it_is_made() -> None:
    with pytest.raises(SettingsError, match="No upstream"):
        ResponsesAPI(environ={})
