"""When nothing is told, nothing stands in the way; when something is, the garbage collector has rest."""

import gc
from typing import Any

import httpx2
import pytest

from adapter.asgi.service import Service
from adapter.config import Settings
from adapter.upstream.guarded import GuardedUpstream
from adapter.upstream.http import HttpUpstream
from tests.asgi.conftest import Start
from tests.asgi.streams import read_stream
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

REQUESTS = 20


async def test_without_settings_nobody_stands_in_the_way() -> None:
    service = Service("http://127.0.0.1:1/v1", Settings.load(environ={}, store="memory:"))

    (route,) = service.routes

    assert service.observer is None
    assert isinstance(route.guarded, GuardedUpstream)
    assert isinstance(route.guarded.upstream, HttpUpstream)
    assert route.guarded.retries.on_retry is None
    assert service.state is not None
    assert type(await service.state.store()).__module__ == "adapter.store.memory"
    await service.aclose()


@pytest.mark.parametrize(
    "options", [{}, {"server_timing": True}, {"metrics": True}, {"traces": True}]
)
async def test_a_request_leaves_no_circles(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    exporter: object,
    options: dict[str, Any],
) -> None:
    """Only the garbage collector would find them: late, and at a price for all requests."""
    start(**options)
    upstream.always(text_answer("Hello there"))
    await read_stream(client)  # what is made once

    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            await read_stream(client)
        found = gc.collect()
    finally:
        gc.enable()

    assert found < REQUESTS
