"""Fixtures of all tests."""

import pytest

from tests.servers.demo import demo_url
from tests.servers.llama import llama_url

__all__ = ["anyio_backend", "demo_url", "llama_url"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write tests/transcripts anew")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether reviewed files are to be replaced by what is made now."""
    return bool(request.config.getoption("--update"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
