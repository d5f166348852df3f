"""The adapter in front of the demo's model, as `make run` has it, once for a whole test session.

A `conftest.py` makes the fixture known: `from tests.servers.demo import demo_url`.
"""

from collections.abc import Iterator

import pytest

from tests.servers.adapter import serve


@pytest.fixture(scope="session")
def demo_url(llama_url: str) -> Iterator[str]:
    """Yield the base URL of the adapter, ending in `/v1`."""
    # Here, as every test loads this module and few need the app.
    from adapter.asgi.app import make_sidecar
    from adapter.config import Settings

    with serve(make_sidecar(Settings(upstream=llama_url, dialect="llama.cpp"))) as url:
        yield f"{url}/v1"
