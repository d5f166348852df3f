"""Several upstreams behind one app: which of them is asked, and with what."""

import sys
from pathlib import Path

import httpx2
import pytest

from adapter.config import SettingsError
from tests.asgi.many_routes import ASK, Put, other, post, put, route
from tests.asgi.streams import read_stream, text_of
from tests.servers.answers import (
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream

__all__ = ["other", "put"]  # fixtures
pytestmark = pytest.mark.anyio


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
