"""WebSockets under both servers: uvicorn as it is, where apps are mounted, and what `serve` runs."""

from collections.abc import Iterator

import pytest

from tests.asgi.conftest import Stand


@pytest.fixture(params=["uvicorn", "serve"])
def stand(
    request: pytest.FixtureRequest, shared_stand: Stand, shared_socket_stand: Stand
) -> Iterator[Stand]:
    """The server under test, see `conftest.stand`."""
    chosen = shared_stand if request.param == "uvicorn" else shared_socket_stand
    yield chosen
    chosen.app = None
