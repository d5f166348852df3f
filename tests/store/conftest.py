"""Fixtures: each kind of store, empty, and twice, as two processes have it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from adapter.store import make_store
from adapter.store.base import ResponseStore
from tests.servers.postgres import PostgresServer, postgres_programs, shared_postgres
from tests.servers.redis import RedisServer, redis_binary, shared_redis
from tests.store.records import opened

__all__ = ["shared_postgres", "shared_redis"]

FOLDER = Path(__file__).parent
# The contract is held by each of them.
BACKENDS = ["memory", "sqlite", "postgres", "redis"]
NewStore = Callable[[], ResponseStore]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say once what is missing (`test_servers_installed.py`), not in every test."""
    missing = {
        name
        for name, program in {"postgres": postgres_programs(), "redis": redis_binary()}.items()
        if program is None
    }
    without = [item for item in items if FOLDER in item.path.parents and missing & _needs(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def _needs(item: pytest.Item) -> set[str]:
    """Return the servers that a test needs: its parameter and its fixtures name them."""
    callspec = getattr(item, "callspec", None)
    backend = callspec.params.get("backend") if callspec else None
    fixtures = getattr(item, "fixturenames", ())
    return {backend} | {name.removeprefix("shared_") for name in fixtures}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Return the name of the back-end under test."""
    return str(request.param)


@pytest.fixture
def store_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store."""
    match backend:
        case "memory":
            return "memory:"
        case "sqlite":
            return f"sqlite:///{tmp_path}/store.db"
        case "postgres":
            postgres: PostgresServer = request.getfixturevalue("shared_postgres")
            return postgres.new_database()
        case _:
            server: RedisServer = request.getfixturevalue("shared_redis")
            return f"{server.url}?prefix={uuid4().hex}"


@pytest.fixture
def new_store(store_url: str) -> Iterator[NewStore]:
    """Return what makes a store, not yet open, of the same content as the others.

    A memory store is its own content: that one is made once.
    """
    if not store_url.startswith("memory:"):
        yield lambda: make_store(store_url)
        return
    only = make_store(store_url)
    yield lambda: only


@pytest.fixture
async def store(new_store: NewStore) -> AsyncIterator[ResponseStore]:
    async with opened(new_store()) as store:
        yield store


@pytest.fixture
async def other(new_store: NewStore, store: ResponseStore) -> AsyncIterator[ResponseStore]:
    """Yield what another process has open."""
    async with opened(new_store()) as other:
        yield other


@pytest.fixture
async def many(new_store: NewStore) -> AsyncIterator[list[ResponseStore]]:
    """Yield what eight processes have open."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(new_store())) for _ in range(8)]
