"""Fixtures of the tests of runners."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.servers.scripted import ScriptedUpstream


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream, asyncio.timeout(20):
        yield upstream
