"""Fixtures of the tests of the test servers."""

import pytest

from tests.servers.llama import llama_url

__all__ = ["anyio_backend", "llama_url"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
