"""Where the routes are: mounted, as a middleware, as a sidecar; with a store and without one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from adapter import ResponsesAPI, ResponsesMiddleware
from adapter.asgi.app import make_sidecar
from adapter.config import Settings, SettingsError
from adapter.routing import RouteSettings
from adapter.store.memory import MemoryStore
from tests.asgi.chat_app import ChatApp
from tests.asgi.conftest import Stand
from tests.servers.answers import json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import Serve

pytestmark = pytest.mark.anyio

STATE = [
    ("GET", "/v1/responses/resp_x"),
    ("DELETE", "/v1/responses/resp_x"),
    ("GET", "/v1/responses/resp_x/input_items"),
    ("POST", "/v1/responses/resp_x/cancel"),
    ("POST", "/v1/conversations"),
    ("GET", "/v1/conversations/conv_x"),
    ("GET", "/v1/conversations/conv_x/items"),
    ("GET", "/v1/conversations/conv_x/items/msg_x"),
]
REQUEST = {"model": "m", "input": "Hi"}


@pytest.fixture
async def closing() -> AsyncIterator[list[Any]]:
    """Close what the test puts here."""
    opened: list[Any] = []
    yield opened
    for app in opened:
        await app.aclose()


@pytest.mark.parametrize(("method", "path"), STATE)
async def test_without_a_store_the_setting_is_named(
    serve: Serve, client: httpx2.AsyncClient, method: str, path: str
) -> None:
    serve(None)

    answer = await client.request(method, path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_store"
    assert "ADAPTER_STORE" in answer.json()["error"]["message"]


@pytest.mark.parametrize("store", [None, "none"])
async def test_without_a_store_nothing_is_said_to_be_stored(
    stand: Stand,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    closing: list[Any],
    store: str | None,
) -> None:
    stand.app = app = ResponsesAPI(upstream.url, store=store, environ={})
    closing.append(app)
    upstream.reply(text_answer("Hello"))

    response = (await client.post("/v1/responses", json=REQUEST | {"store": True})).json()
    refused = [
        (await client.post("/v1/responses", json=REQUEST | fields)).json()["error"]
        for fields in ({"previous_response_id": "resp_x"}, {"conversation": "conv_x"})
    ]

    assert response["store"] is False
    assert [error["code"] for error in refused] == ["unsupported_parameter"] * 2
    assert [error["param"] for error in refused] == ["previous_response_id", "conversation"]


async def test_store_is_a_setting(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream, closing: list[Any]
) -> None:
    stand.app = app = ResponsesAPI(upstream.url, store="memory:", environ={})
    closing.append(app)
    upstream.reply(text_answer("Hello"))

    response = (await client.post("/v1/responses", json=REQUEST)).json()

    assert response["store"] is True
    assert (await client.get(f"/v1/responses/{response['id']}")).json() == response


@pytest.mark.parametrize("url", ["somewhere", "ftp://host/", "memory:?max_bytes=none"])
def test_store_that_cannot_be_is_told_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="Invalid setting 'store'"):
        ResponsesAPI("http://host/v1", store=url, environ={})


def test_url_of_the_store_is_not_shown() -> None:
    """It may hold a password."""
    assert "secret" not in repr(Settings(store="postgresql://user:secret@host/db"))


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_mounted_app_has_the_routes_under_its_prefix(
    serve: Serve,
    stand: Stand,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    prefix: str,
) -> None:
    app = FastAPI()
    app.mount(prefix, serve())
    stand.app = app
    upstream.reply(text_answer("Hello"))
    response = (await client.post(f"{prefix}/responses", json=REQUEST)).json()

    answer = await client.get(f"{prefix}/responses/{response['id']}")

    assert answer.json() == response


async def test_middleware_has_the_routes(stand: Stand, client: httpx2.AsyncClient) -> None:
    stand.app = ResponsesMiddleware(ChatApp().app, store=MemoryStore(), environ={})
    response = (await client.post("/v1/responses", json=REQUEST)).json()
    asked = REQUEST | {"previous_response_id": response["id"]}

    second = (await client.post("/v1/responses", json=asked)).json()

    assert (await client.get(f"/v1/responses/{second['id']}")).json() == second


@pytest.mark.parametrize("store", [None, "memory:"])
async def test_middleware_without_a_store_leaves_the_routes_to_the_app(
    stand: Stand, client: httpx2.AsyncClient, store: str | None
) -> None:
    app = ChatApp().app

    @app.get("/v1/responses/{id}")
    async def find(id: str) -> dict[str, str]:
        return {"own": id}

    stand.app = ResponsesMiddleware(app, store=store, environ={})

    answer = await client.get("/v1/responses/resp_x")

    assert (answer.json() == {"own": "resp_x"}) is (store is None)


async def test_middleware_leaves_preflights_to_the_app(
    stand: Stand, client: httpx2.AsyncClient
) -> None:
    stand.app = ResponsesMiddleware(ChatApp().app, store="memory:", environ={})

    assert (await client.options("/v1/responses/resp_x")).json() == {"detail": "Not Found"}


@pytest.mark.parametrize(
    ("store", "api", "is_ours"),
    [(None, "chat", False), ("memory:", "chat", True), ("memory:", "responses", False)],
)
async def test_sidecar_asks_the_upstream_for_what_it_does_not_store(
    stand: Stand,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    closing: list[Any],
    store: str | None,
    api: Any,
    is_ours: bool,
) -> None:
    """Nothing is stored here without a store, or if the upstream has its own Responses API."""
    route = RouteSettings(upstream=upstream.url, api=api, default=True)
    stand.app = app = make_sidecar(Settings(routes={"own": route}, store=store))
    closing.append(app)
    upstream.always(json_answer(200, {"own": True}), to="/v1/responses/resp_x")

    answer = await client.get("/v1/responses/resp_x")

    assert answer.status_code == (404 if is_ours else 200)
    assert ("own" in answer.json()) is not is_ours


async def test_compaction_takes_in_what_was_said_before(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve()
    upstream.reply(text_answer("A fine name."), text_answer("A dog called Rex."))
    first = (
        await client.post("/v1/responses", json=REQUEST | {"input": "My dog is called Rex."})
    ).json()
    asked = {"model": "m", "previous_response_id": first["id"], "input": "Remember."}

    compacted = (await client.post("/v1/responses/compact", json=asked)).json()

    *kept, compaction = compacted["output"]
    assert [item["content"][0]["text"] for item in kept] == ["My dog is called Rex.", "Remember."]
    assert compaction["type"] == "compaction"
    asked_of_model = json.dumps(upstream.requests[-1].json["messages"])
    assert [text in asked_of_model for text in ("Rex.", "A fine name.", "Remember.")] == [True] * 3


async def test_compaction_of_an_unknown_response_is_refused(
    serve: Serve, client: httpx2.AsyncClient
) -> None:
    serve()

    answer = await client.post(
        "/v1/responses/compact", json={"model": "m", "previous_response_id": "resp_x"}
    )

    assert answer.json()["error"]["code"] == "previous_response_not_found"


async def test_chain_goes_on_from_a_compaction(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve()
    upstream.reply(text_answer("a"), text_answer("The summary."), text_answer("c"))
    first = (await client.post("/v1/responses", json=REQUEST)).json()
    trigger = {"input": [{"type": "compaction_trigger"}], "previous_response_id": first["id"]}
    second = (await client.post("/v1/responses", json=REQUEST | trigger)).json()

    asked = REQUEST | {"input": "C", "previous_response_id": second["id"]}
    third = await client.post("/v1/responses", json=asked)

    assert third.status_code == 200
    (message,) = upstream.requests[-1].json["messages"]
    assert message["content"].startswith("Hi\n\nSummary")
    assert "The summary." in message["content"]
    assert message["content"].endswith("C")
