"""Calls of an upstream as tests make them: none waits longer than the limit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from adapter.upstream.base import Upstream, UpstreamAnswer

T = TypeVar("T")
LIMIT_SECONDS = 5


async def soon(awaitable: Awaitable[T]) -> T:
    """Wait, but not longer than the limit."""
    async with asyncio.timeout(LIMIT_SECONDS):
        return await awaitable


@asynccontextmanager
async def opened(
    upstream: Upstream, body: bytes = b"{}", headers: Mapping[str, str] | None = None
) -> AsyncIterator[UpstreamAnswer]:
    """Open a call; the block must end within the limit."""
    async with asyncio.timeout(LIMIT_SECONDS), upstream.open(body, headers or {}) as answer:
        yield answer


async def call(
    upstream: Upstream, headers: Mapping[str, str] | None = None, *, body: bytes = b"{}"
) -> tuple[int, bytes]:
    """Return the status and the body of a call."""
    async with opened(upstream, body, headers) as answer:
        return answer.status, b"".join([chunk async for chunk in answer.chunks()])
