"""Requests for an upstream that has a Responses API of its own go on as they are, and so do answers."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from tests.asgi.conftest import Stand
from tests.servers.answers import Answer, Hang, Pause, json_answer, sse, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

Put = Callable[..., ResponsesAPI]
RESPONSES = "/v1/responses"
# Nothing that we would write so, take so, or have at all.
BODY = (
    b'{ "model":"m",\n "input" : [{"type":"new_item"}], "temperature": 9, "include":["new.thing"] }'
)
EVENTS = sse({"type": "response.created", "new": True}, {"type": "new.event"}, done=False)


@pytest.fixture
async def put(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Put]:
    """Put up an app with one route that passes on."""
    started: list[ResponsesAPI] = []

    def put_up(**more: Any) -> ResponsesAPI:
        route = {"upstream": upstream.url, "default": True, "api": "responses", **more}
        settings = Settings.load(environ={}, routes={"a": route})
        stand.app = app = ResponsesAPI(settings=settings)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


async def test_request_and_answer_are_passed_on_byte_by_byte(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(upstream_api_key="sk-own", headers={"x-team": "blue"})
    upstream.reply(
        json_answer(418, {"odd": [1]}, {"x-request-id": "theirs", "x-own": "1"}), to=RESPONSES
    )

    answer = await client.post(
        "/v1/responses?a=b",
        content=BODY,
        headers={"authorization": "Bearer sk-client", "x-mine": "2", "cookie": "c=d"},
    )

    request = upstream.requests[0]
    assert (request.method, request.target, request.body) == ("POST", f"{RESPONSES}?a=b", BODY)
    assert (request.headers["authorization"], request.headers["x-team"]) == (
        "Bearer sk-own",
        "blue",
    )
    assert (request.headers["x-mine"], "cookie" in request.headers) == ("2", False)
    assert (answer.status_code, answer.content) == (418, b'{"odd":[1]}')
    assert answer.headers["x-own"] == "1"


@pytest.mark.parametrize("model", ["fast", "a/qwen3-4b"])
async def test_only_the_name_of_the_model_is_changed(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, model: str
) -> None:
    put(aliases={"fast": "qwen3-4b"})
    upstream.reply(json_answer(200, {}), to=RESPONSES)
    body = {
        "x": 1.0,
        "model": model,
        "input": [{"type": "new", "é": "🤔"}],
        "temperature": 9,
    }

    await client.post("/v1/responses", content=json.dumps(body).encode())

    assert upstream.requests[0].json == body | {"model": "qwen3-4b"}


async def test_stream_is_passed_on_as_it_comes(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put()
    pause = Pause()
    headers = {"content-type": "text/event-stream"}
    upstream.reply(Answer(headers=headers, chunks=[EVENTS[0], pause, EVENTS[1]]), to=RESPONSES)

    async with client.stream("POST", "/v1/responses", content=BODY) as answer:
        parts = answer.aiter_raw()
        first = await anext(parts)
        assert first == EVENTS[0]
        pause.release()
        rest = b"".join([part async for part in parts])

    assert (answer.headers["content-type"], rest) == ("text/event-stream", EVENTS[1])


async def test_client_that_leaves_stops_the_upstream(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(max_concurrent=1)
    headers = {"content-type": "text/event-stream"}
    upstream.reply(Answer(headers=headers, chunks=[EVENTS[0], Hang()]), to=RESPONSES)
    upstream.always(json_answer(200, {}), to=RESPONSES)

    async with client.stream("POST", "/v1/responses", content=BODY) as answer:
        parts = answer.aiter_raw()
        assert await anext(parts) == EVENTS[0]
        busy = await client.post("/v1/responses", content=BODY)
    await (await upstream.request(0)).disconnected.wait()
    after = await client.post("/v1/responses", content=BODY)

    assert (busy.status_code, after.status_code) == (429, 200)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_json", None),
        (b"[]", "invalid_type", None),
        (b'{"model": 5}', "invalid_type", "model"),
        (b"{}", "missing_required_parameter", "model"),
        (b'{"model": " "}', "invalid_value", "model"),
        (b'{"model": "\xff"}', "invalid_json", None),
        (b'{"model": "m", "input": ' + b"[" * 100_000, "invalid_json", None),
    ],
)
async def test_request_without_a_model_goes_nowhere(
    put: Put,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    body: bytes,
    code: str,
    param: str | None,
) -> None:
    put()

    answer = await client.post("/v1/responses", content=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("dialect", "path"),
    [("openai", RESPONSES), ("azure", RESPONSES), ("vllm", "/v1/chat/completions")],
)
async def test_dialect_says_whether_there_is_such_an_api(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, dialect: str, path: str
) -> None:
    put(api="auto", dialect=dialect)
    upstream.always(json_answer(200, {}), to=RESPONSES)
    upstream.always(text_answer("Hello"))

    await client.post("/v1/responses", json={"model": "m", "input": "Hi"})

    assert [request.path for request in upstream.requests] == [path]


async def test_request_for_another_route_is_translated(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    routes = {
        "a": {"upstream": upstream.url, "models": ["a"], "api": "responses"},
        "b": {"upstream": upstream.url, "models": ["b"]},
    }
    stand.app = app = ResponsesAPI(settings=Settings.load(environ={}, routes=routes))
    upstream.always(json_answer(200, {}), to=RESPONSES)
    upstream.always(text_answer("Hello"))

    for model in ("a", "b"):
        await client.post("/v1/responses", json={"model": model, "input": "Hi"})
    wrong = await client.post("/v1/responses", json={"model": "b", "input": "Hi", "temperature": 9})
    await app.aclose()

    paths = [request.path for request in upstream.requests]
    assert paths == [RESPONSES, "/v1/chat/completions"]
    assert wrong.status_code == 400
