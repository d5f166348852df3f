"""Serving a `Proxy` in a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.asgi.proxy import Proxy
from tests.asgi.conftest import Stand

PATH = "/v1/models"


@asynccontextmanager
async def put_up(stand: Stand, proxy: Proxy) -> AsyncIterator[None]:
    """Serve this proxy, and close it after the block."""
    stand.app = proxy
    yield
    await proxy.aclose()
