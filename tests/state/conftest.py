"""Fixtures: a `ResponsesAPI` with a store in memory, before a scripted model server."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from adapter.store.memory import MemoryStore
from tests.asgi.conftest import Stand, anyio_backend, client, shared_stand, stand, upstream
from tests.servers.scripted import ScriptedUpstream
from tests.state.peer import Peer

__all__ = ["anyio_backend", "client", "shared_stand", "stand", "upstream"]

Serve = Callable[..., ResponsesAPI]
KEY = {"authorization": "Bearer key-of-the-client"}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def serve(
    stand: Stand, upstream: ScriptedUpstream, store: MemoryStore
) -> AsyncIterator[Serve]:
    """Put up a `ResponsesAPI` with the store, or another one, and these settings."""
    started: list[ResponsesAPI] = []

    def put_up(store: Any = store, **options: object) -> ResponsesAPI:
        settings = Settings.load(environ={}, **options)
        stand.app = app = ResponsesAPI(upstream.url, settings=settings, store=store)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


@pytest.fixture
def peer(serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream) -> Peer:
    """A client with a key, of a server with default settings."""
    serve()
    return Peer(client, upstream, KEY)
