"""Apps with several routes, put up by tests."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from tests.asgi.conftest import Stand
from tests.servers.scripted import ScriptedUpstream

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
