"""The real model server of the demo, once for a whole test session.

A `conftest.py` makes the fixture known: `from tests.servers.llama import llama_url`.
"""

from collections.abc import Iterator

import pytest

from adapter.demo.llama import demo_upstream


@pytest.fixture(scope="session")
def llama_url() -> Iterator[str]:
    """Yield the base URL of llama.cpp's server with the toy model, ending in `/v1`."""
    with demo_upstream() as url:
        yield url
