"""Fixtures: a store in a server, and a plain client to look behind it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from adapter.store.base import ResponseStore
from adapter.store.redis import RedisStore
from tests.servers.redis import RedisServer, redis_server
from tests.store.records import opened


class Inspector:
    """Looks at what a store has in its server.

    Args:
        server: of the store.
        prefix: of the store.
    """

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self.client: Any = redis.Redis(unix_socket_path=str(server.socket))
        self._prefix = b"{%s}:" % prefix.encode()

    def keys(self) -> set[bytes]:
        """Return all keys, without the prefix."""
        found = self.client.scan_iter(self._prefix + b"*", count=10_000)
        return {key.removeprefix(self._prefix) for key in found}

    def seconds_left(self) -> dict[bytes, float | None]:
        """Return how long each key stays; None is for ever."""
        left = {key: self.client.pttl(self._prefix + key) for key in self.keys()}
        return {key: None if one == -1 else one / 1000 for key, one in left.items()}


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


@pytest.fixture
def inspector(shared_redis: RedisServer, prefix: str) -> Iterator[Inspector]:
    inspector = Inspector(shared_redis, prefix)
    yield inspector
    inspector.client.close()


@pytest.fixture
async def store(shared_redis: RedisServer, prefix: str) -> AsyncIterator[ResponseStore]:
    async with opened(RedisStore(f"{shared_redis.url}?prefix={prefix}")) as store:
        yield store


@pytest.fixture
def own_redis(shared_redis: RedisServer) -> Iterator[RedisServer]:
    """Yield a server that the test may stop, break and start again.

    The shared one is asked for only so that it is known what the test needs.
    """
    with redis_server() as server:
        yield server
