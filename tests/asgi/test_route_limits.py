"""Several upstreams behind one app: what they list together, and what each may do at one time."""

from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.asgi.app import make_sidecar
from adapter.config import Settings, SettingsError
from tests.asgi.many_routes import Put, other, post, put, route
from tests.asgi.streams import open_stream, text_of
from tests.servers.answers import (
    MODEL,
    Answer,
    Hang,
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream

__all__ = ["other", "put"]  # fixtures
pytestmark = pytest.mark.anyio


async def test_models_of_all_routes_are_one_list(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    second = {"id": "gpt-5", "object": "model", "created": 7, "owned_by": "them"}
    other.always(json_answer(200, {"data": [second, second, {"id": 5}, 6]}), to=MODELS_PATH)
    put(
        routes={
            "a": route(upstream, aliases={"fast": MODEL}, upstream_api_key="sk-own"),
            "b": route(other, models=["gpt-*"]),
        }
    )

    answer = await client.get("/v1/models", headers={"authorization": "Bearer sk-client"})

    listed = answer.json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == [f"a/{MODEL}", "fast", "gpt-5"]
    assert listed["data"][2] == second
    assert all(model.keys() >= {"id", "object", "created", "owned_by"} for model in listed["data"])
    assert upstream.requests[0].headers["authorization"] == "Bearer sk-own"
    assert other.requests[0].headers["authorization"] == "Bearer sk-client"
    upstream.always(text_answer("Hello"))
    for name in (f"a/{MODEL}", "fast"):
        assert (await post(client, name)).is_success
        assert upstream.requests[-1].json["model"] == MODEL


@pytest.mark.parametrize(
    "broken",
    [
        json_answer(500, {}),
        json_answer(404, {"detail": "Not Found"}),
        Answer(200, {"content-type": "application/json"}, [b"{"]),
        Answer(chunks=[b"<html>"]),
        json_answer(200, 5),
        json_answer(200, {"data": 5}),
    ],
)
async def test_models_of_an_upstream_that_is_down_are_left_out(
    put: Put,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    broken: Answer,
) -> None:
    other.always(broken, to=MODELS_PATH)
    put(
        routes={
            "a": route(upstream, default=True),
            "b": route(other),
            "c": {"upstream": "http://127.0.0.1:1/v1", "connect_timeout": 1},
        }
    )

    answer = await client.get("/v1/models")

    assert [model["id"] for model in answer.json()["data"]] == [MODEL]


async def test_models_of_upstreams_that_are_all_down_are_an_error(
    put: Put, client: httpx2.AsyncClient
) -> None:
    put(routes={"a": {"upstream": "http://127.0.0.1:1/v1", "models": ["m"], "connect_timeout": 1}})

    answer = await client.get("/v1/models")

    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "server_error")


@pytest.mark.parametrize("stream", [True, False])
async def test_more_requests_than_a_route_may_have_are_refused(
    put: Put,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    stream: bool,
) -> None:
    put(routes={"a": route(upstream, max_concurrent=1), "b": route(other)})
    pause = Pause()
    upstream.reply(
        stream_answer(chunk({"content": "Hel"}), pause, chunk({"content": "lo"}, "stop"))
    )
    upstream.always(text_answer("Hello"))
    other.always(text_answer("Hello"))

    async with open_stream(client, model="a/m") as running:
        await running.until("response.created")
        refused = await post(client, "a/m", stream=stream)
        spared = await post(client, "b/m", stream=stream)
        pause.release()
        await running.rest()
    after = await post(client, "a/m", stream=stream)

    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (429, "rate_limit_exceeded")
    assert error["type"] == "too_many_requests"
    assert refused.headers["retry-after"] == "1"
    assert (spared.status_code, after.status_code) == (200, 200)


async def test_place_of_a_client_that_leaves_is_free_again(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": route(upstream, max_concurrent=1)})
    upstream.reply(stream_answer(chunk({"content": "Hel"}), Hang()))
    upstream.always(text_answer("Hello"))

    async with open_stream(client, model="a/m") as running:
        await running.until("response.created")
    await (await upstream.request(0)).disconnected.wait()

    assert (await post(client, "a/m")).status_code == 200


async def test_place_of_a_request_that_failed_is_free_again(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": route(upstream, max_concurrent=1)})
    upstream.reply(json_answer(500, {}), json_answer(401, {}))
    upstream.always(text_answer("Hello"))

    statuses = [(await post(client, "a/m")).status_code for _ in range(3)]

    assert statuses == [502, 401, 200]


async def test_route_has_its_own_timeouts(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(
        routes={
            "quick": route(upstream, first_byte_timeout=0.05),
            "patient": route(upstream, first_byte_timeout=0),
        },
        first_byte_timeout=30,
    )
    pause = Pause()
    upstream.reply(Answer(before=[Hang()]))
    upstream.reply(Answer(200, text_answer("a").headers, text_answer("Hello").chunks, [pause]))

    slow = await post(client, "quick/m")
    async with open_stream(client, model="patient/m") as stream:
        pause.release()
        await stream.rest()

    assert slow.status_code == 504
    assert text_of(stream.events) == "Hello"


async def test_other_paths_go_to_the_default_route(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    put(
        make_sidecar,
        routes={
            "a": route(upstream),
            "b": route(other, default=True, upstream_api_key="sk-b", headers={"x-team": "b"}),
        },
    )
    other.always(json_answer(200, {"ok": True}), to="/health")

    answer = await client.get("/health")

    assert answer.json() == {"ok": True}
    assert other.requests[0].headers["authorization"] == "Bearer sk-b"
    assert other.requests[0].headers["x-team"] == "b"


async def test_without_a_default_route_other_paths_lead_nowhere(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(make_sidecar, routes={"a": route(upstream, models=["m"])})
    upstream.always(text_answer("Hello"))

    assert (await client.get("/health")).status_code == 404
    assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == [
        f"a/{MODEL}"
    ]
    assert (await post(client, "m")).status_code == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upstream": "http://x/v1", "routes": {"a": {"default": True}}}, "Two default routes"),
        ({"routes": {"a": {"default": True}, "b": {"default": True}}}, "Two default routes"),
        ({"upstream": "http://x/v1", "routes": {"default": {}}}, "Two default routes"),
        ({"routes": {"a": {"upstream": "nowhere"}}}, r"'routes\.a\.upstream': the base URL"),
        ({"routes": {"a": {"upstream": ""}}}, r"No routes\.a\.upstream: expected the base URL"),
        ({}, "No upstream: expected the base URL"),
    ],
)
def test_routes_that_cannot_be_are_told_at_the_start(options: Any, message: str) -> None:
    for name, given in options.get("routes", {}).items():
        options["routes"][name] = {"upstream": f"http://{name}/v1", **given}

    with pytest.raises(SettingsError, match=message):
        ResponsesAPI(settings=Settings.load(environ={}, **options))
