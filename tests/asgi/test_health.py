"""Liveness, readiness and the version; the upstream's own `/health` stays where it was."""

from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI, __version__
from adapter.asgi.access.hashes import to_sha256
from adapter.asgi.app import make_sidecar
from adapter.asgi.health import FRESH_SECONDS, Health
from adapter.config import Settings
from adapter.errors import StoreError
from adapter.store.memory import MemoryStore
from tests.asgi.conftest import Stand, Start
from tests.asgi.many_routes import Put, other, put, route
from tests.servers.answers import Answer, Hang, json_answer
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream

__all__ = ["other", "put"]  # fixtures
pytestmark = pytest.mark.anyio

NOBODY = {"upstream": "http://127.0.0.1:1/v1", "connect_timeout": 1}


@pytest.fixture
def sidecar(put: Put, upstream: ScriptedUpstream) -> Any:
    return lambda **options: put(make_sidecar, upstream=upstream.url, **options)


async def test_server_that_can_serve_is_ready(sidecar: Any, client: httpx2.AsyncClient) -> None:
    sidecar(store="memory:")

    live, ready = await client.get("/health/live"), await client.get("/health/ready")
    version = await client.get("/version")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "upstream": "ok", "store": "ok"}
    assert ready.headers["cache-control"] == "no-store"
    assert version.json() == {"name": "responses-adapter", "version": __version__}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (json_answer(200, {"data": []}), 200),
        (json_answer(401, {}), 200),
        (json_answer(404, {}), 200),
        (json_answer(500, {}), 503),
        (json_answer(503, {}), 503),
        (Answer(before=[Hang()]), 503),
    ],
)
async def test_upstream_has_to_answer(
    sidecar: Any,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    status: int,
) -> None:
    upstream.always(answer, to=MODELS_PATH)
    sidecar(first_byte_timeout=0.05)

    ready = await client.get("/health/ready")

    assert ready.status_code == status
    assert ready.json()["upstream"] == ("ok" if status == 200 else "down")
    assert ready.json()["store"] == "none"
    assert (await client.get("/health/live")).status_code == 200


async def test_one_upstream_of_several_is_enough(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    put(routes={"a": route(upstream), "b": NOBODY})
    assert (await client.get("/health/ready")).status_code == 200

    put(routes={"b": NOBODY, "c": NOBODY})
    assert (await client.get("/health/ready")).status_code == 503


async def test_store_has_to_answer(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    class Broken(MemoryStore):
        async def get(self, owner: str, id: str) -> Any:
            raise StoreError("no")

    async with ResponsesAPI(upstream.url, settings=Settings(), store=Broken()) as _:
        pass
    stand.app = app = ResponsesAPI(upstream.url, settings=Settings(), store=Broken())
    ready = await client.get("/health/ready")
    await app.aclose()

    assert ready.status_code == 503
    assert ready.json() == {"status": "not_ready", "upstream": "ok", "store": "down"}


async def test_server_on_its_way_out_is_not_ready_but_serves(
    sidecar: Any, client: httpx2.AsyncClient
) -> None:
    sidecar().close_soon()

    ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()["status"]) == (503, "closing")
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/v1/models")).status_code == 200


async def test_health_is_open_and_the_version_is_not(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    key = "a-key"
    sidecar(api_keys=[f"a={to_sha256(key.encode())}"], upstream_api_key="sk-upstream")

    opened = [await client.get(path) for path in ("/health/live", "/health/ready")]
    refused = await client.get("/version")
    shown = await client.get("/version", headers={"authorization": f"Bearer {key}"})
    head = await client.head("/health/live")

    assert [answer.status_code for answer in opened] == [200, 200]
    assert (refused.status_code, shown.status_code, head.status_code) == (401, 200, 200)
    assert upstream.requests[0].headers["authorization"] == "Bearer sk-upstream"


async def test_health_of_the_upstream_is_passed_on(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.always(json_answer(200, {"theirs": True}), to="/health")
    upstream.always(json_answer(200, {"theirs": True}), to="/health/other")
    upstream.always(json_answer(200, {"theirs": True}), to="/health/ready")
    sidecar()

    assert (await client.get("/health")).json() == {"theirs": True}
    assert (await client.get("/health/other")).json() == {"theirs": True}
    assert (await client.post("/health/ready")).json() == {"theirs": True}


async def test_other_app_keeps_its_own(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    async def theirs(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    stand.app = app = ResponsesAPI(upstream.url, settings=Settings(), other=theirs)

    assert (await client.get("/health/live")).status_code == 204
    await app.aclose()


async def test_who_asks_often_does_not_make_the_upstream_work(
    start: Start, upstream: ScriptedUpstream
) -> None:
    now = 0.0
    service = start()._service
    health = Health(service.routes, None, service.closing, clock=lambda: now)

    for _ in range(5):
        await health.look()
    asked = len(upstream.requests)
    now = FRESH_SECONDS
    await health.look()

    assert (asked, len(upstream.requests)) == (1, 2)
