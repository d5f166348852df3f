"""Several upstreams behind one app: which of them is asked, with what, and how much at one time."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.asgi.app import make_sidecar
from adapter.config import Settings, SettingsError
from tests.asgi.conftest import Stand
from tests.asgi.streams import open_stream, read_stream, text_of
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

pytestmark = pytest.mark.anyio

Put = Callable[..., ResponsesAPI]
ASK: dict[str, Any] = {"input": "Hi"}


@pytest.fixture
async def other() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as other:
        yield other


@pytest.fixture
async def put(stand: Stand) -> AsyncIterator[Put]:
    """Put up an app of these settings alone."""
    started: list[ResponsesAPI] = []

    def put_up(make: Callable[[Settings], ResponsesAPI] | None = None, **options: Any) -> Any:
        settings = Settings.load(environ={}, **options)
        stand.app = app = make(settings) if make else ResponsesAPI(settings=settings)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


def route(upstream: ScriptedUpstream, **more: Any) -> dict[str, Any]:
    return {"upstream": upstream.url, "dialect": "generic", **more}


async def post(client: httpx2.AsyncClient, model: str, **fields: Any) -> httpx2.Response:
    return await client.post("/v1/responses", json={**ASK, "model": model, **fields})


@pytest.mark.parametrize(
    ("model", "is_other", "named"),
    [
        ("qwen3", False, "qwen3"),
        ("fast", False, "qwen3-4b"),
        ("b/qwen3", True, "qwen3"),
        ("unheard-of", True, "unheard-of"),
    ],
)
async def test_request_goes_to_the_route_of_its_model(
    put: Put,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    model: str,
    is_other: bool,
    named: str,
) -> None:
    first = route(upstream, models=["qwen*"], aliases={"fast": "qwen3-4b"})
    put(routes={"a": first, "b": route(other, default=True)})
    asked, spared = (other, upstream) if is_other else (upstream, other)
    asked.always(text_answer("Hello"))

    answer = await post(client, model)
    stream = await read_stream(client, model=model)

    assert answer.json()["model"] == model  # the client's own name
    assert text_of(stream.events) == "Hello"
    assert [request.json["model"] for request in asked.requests] == [named, named]
    assert spared.requests == []


async def test_model_of_no_route_is_not_found(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": route(upstream, models=["qwen*"])})

    answer = await post(client, "gpt-5")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert upstream.requests == []


async def test_route_has_its_own_key_headers_and_fields(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    own = route(
        upstream,
        models=["a"],
        upstream_api_key="sk-own",
        headers={"X-Team": "blue", "openai-project": "ours"},
        body={"provider": {"order": ["x"]}, "temperature": 0.1},
    )
    put(routes={"a": own, "b": route(other, models=["b"])})
    upstream.always(text_answer("Hello"))
    other.always(text_answer("Hello"))
    headers = {"authorization": "Bearer sk-client", "openai-project": "theirs", "x-team": "red"}

    for fields in ({}, {"temperature": 1}):
        for model in ("a", "b"):
            body = {**ASK, "model": model, **fields}
            assert (await client.post("/v1/responses", json=body, headers=headers)).is_success

    first, second = upstream.requests
    assert (first.headers["authorization"], first.headers["x-team"]) == ("Bearer sk-own", "blue")
    assert first.headers["openai-project"] == "ours"
    assert (first.json["provider"], first.json["temperature"]) == ({"order": ["x"]}, 0.1)
    assert second.json["temperature"] == 1  # the client's own
    plain = other.requests[0]
    assert (plain.headers["authorization"], "x-team" in plain.headers) == (
        "Bearer sk-client",
        False,
    )
    assert plain.headers["openai-project"] == "theirs"
    assert "provider" not in plain.json


async def test_route_passes_on_the_fields_that_it_lists(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """And they are what a client picks a provider's own options with."""
    put(
        routes={
            "some": route(upstream, pass_fields=["provider", "user", "metadata"]),
            "all": route(upstream, pass_fields=["*"]),
            "none": route(upstream),
        }
    )
    upstream.always(text_answer("Hello"))
    fields = {
        "provider": {"only": ["x"]},
        "transforms": [1],
        "user": "u",
        "metadata": {"a": "b"},
        "messages": [{"role": "user", "content": "Not this."}],
        "n": 2,
    }

    dropped = {}
    for name in ("some", "all", "none"):
        answer = await post(client, f"{name}/m", **fields)
        dropped[name] = set(answer.headers["x-adapter-dropped"].split(", "))

    some, every, none = (request.json for request in upstream.requests)
    assert dropped == {
        "some": {"transforms", "messages", "n"},
        "all": {"user", "messages", "n"},
        "none": {"provider", "transforms", "user", "messages", "n"},
    }
    for sent, name in ((some, "some"), (every, "all"), (none, "none")):
        assert (fields.keys() & sent.keys()) - {"messages"} == fields.keys() - dropped[name] - (
            {"metadata"} if name != "some" else set()  # which is ours to echo
        )
        assert sent["messages"] == [{"role": "user", "content": "Hi"}]


async def test_what_a_route_passes_on_is_passed_on_whatever_its_dialect_knows(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """Mistral's row has a list of all that it knows."""
    put(
        routes={
            "a": route(upstream, dialect="mistral", pass_fields=["new_option"], body={"own": 1}),
            "b": route(upstream, dialect="mistral", pass_fields=["*"]),
            "c": route(upstream, dialect="mistral"),
        }
    )
    upstream.always(text_answer("Hello"))

    dropped = [
        (await post(client, f"{name}/m", new_option=1, top_k=5)).headers.get("x-adapter-dropped")
        for name in "abc"
    ]

    sent = [
        {name: request.json.get(name) for name in ("new_option", "own", "top_k")}
        for request in upstream.requests
    ]
    assert sent == [
        {"new_option": 1, "own": 1, "top_k": None},
        {"new_option": 1, "own": None, "top_k": 5},
        {"new_option": None, "own": None, "top_k": None},
    ]
    assert dropped == ["top_k", None, "new_option, top_k"]


async def test_field_that_passes_on_and_is_refused_is_learned_like_any_other(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": route(upstream, pass_fields=["*"])})
    upstream.reply(json_answer(400, {"error": {"message": "Unknown parameter: 'new_option'."}}))
    upstream.always(text_answer("Hello"))

    for _ in range(2):
        answer = await post(client, "a/m", new_option=1)
        assert (answer.status_code, answer.headers["x-adapter-dropped"]) == (200, "new_option")

    assert ["new_option" in request.json for request in upstream.requests] == [True, False, False]


async def test_route_has_its_own_dialect(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """One of ours, one of the settings, and one of the settings that builds on it."""
    put(
        routes={
            "ours": route(upstream, dialect="openai"),
            "mine": route(upstream, dialect="mine"),
            "more": route(upstream, dialect="more"),
        },
        dialects={
            "mine": {"base": "vllm", "output_limit": "max_completion_tokens", "refuses": ["top_k"]},
            "more": {"base": "mine", "refuses": ["seed"]},
        },
    )
    upstream.always(text_answer("Hello"))

    for name in ("ours", "mine", "more"):
        await post(client, f"{name}/m", instructions="Be.", max_output_tokens=9, top_k=1, seed=1)

    assert [
        (
            request.json["messages"][0]["role"],
            request.json["max_completion_tokens"],
            {"top_k", "seed"} & request.json.keys(),
        )
        for request in upstream.requests
    ] == [
        ("developer", 9, {"top_k", "seed"}),
        ("system", 9, {"seed"}),
        ("system", 9, {"top_k"}),
    ]


async def test_dialect_of_another_package_serves_a_route(
    put: Put,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is installed as any package is: by files on the path."""
    (tmp_path / "foreign_dialects.py").write_text(
        "from adapter import Dialect\n"
        "FOREIGN = Dialect(name='foreign', source='a test', refuses=frozenset({'top_k'}))\n"
    )
    info = tmp_path / "foreign_dialects-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-dialects\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[adapter.dialects]\nforeign = foreign_dialects:FOREIGN\nbroken = foreign_dialects:NONE\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    put(routes={"a": route(upstream, dialect="foreign")})
    upstream.always(text_answer("Hello"))

    answer = await post(client, "a/m", top_k=1)

    assert answer.headers["x-adapter-dropped"] == "top_k"
    with pytest.raises(
        SettingsError, match=r"'routes\.a\.dialect': The dialect 'broken' of foreign"
    ):
        put(routes={"a": route(upstream, dialect="broken")})
    sys.modules.pop("foreign_dialects", None)


async def test_first_answer_tells_the_dialect_of_a_route_for_its_next_request(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": {"upstream": upstream.url}})
    upstream.always(stream_answer(chunk({"content": "Hi"}, "stop", system_fingerprint="fp_ollama")))
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}

    for _ in range(2):
        await post(client, "a/m", tools=[tool], tool_choice="required")

    assert [request.json.get("tool_choice") for request in upstream.requests] == ["required", None]


async def test_list_of_models_tells_the_dialect_too(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": {"upstream": upstream.url}})
    models = {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "library"}]}
    upstream.always(json_answer(200, models), to=MODELS_PATH)
    upstream.always(text_answer("Hello"))
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}

    assert (await client.get("/v1/models")).is_success
    await post(client, "a/m", tools=[tool], tool_choice="required")

    assert "tool_choice" not in upstream.requests[-1].json


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
