"""Fixtures of the tests of fetching."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.servers.scripted import ScriptedUpstream


@pytest.fixture
async def server() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server, asyncio.timeout(5):
        yield server
