"""Fixtures: an app with the inspector before a scripted model server, on a real socket."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapter.config import Settings
from adapter.inspector.app import Inspector, make_inspected
from adapter.inspector.recorder import Bounds
from tests.asgi.conftest import Stand, anyio_backend, client, shared_stand, stand, upstream
from tests.inspector.page import browser, chromium, demo_page, page
from tests.inspector.viewer import Viewer
from tests.servers.scripted import ScriptedUpstream

__all__ = [
    "anyio_backend",
    "browser",
    "client",
    "demo_page",
    "page",
    "shared_stand",
    "stand",
    "upstream",
]

Inspect = Callable[..., Inspector]
NEEDS_BROWSER = Path(__file__).parent / "test_page.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say once that the browser is missing, not in every test."""
    without = [item for item in items if item.path == NEEDS_BROWSER and chromium() is None]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


@pytest.fixture
async def inspect(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Inspect]:
    """Put up an app with the inspector, with these settings."""
    started: list[Inspector] = []

    def put_up(bounds: Bounds | None = None, **options: Any) -> Inspector:
        given = {"upstream": upstream.url, "dialect": "generic", "store": "none", **options}
        settings = Settings.load(environ={}, **given)
        stand.app = app = make_inspected(settings, "127.0.0.1", bounds)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


@pytest.fixture
def viewer(inspect: Inspect, client: httpx2.AsyncClient) -> Viewer:
    """Who looks at the requests of an app with default settings."""
    inspect()
    return Viewer(client)
