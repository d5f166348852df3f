"""Fixtures: an adapter in front of each kind of upstream, and the SDK in both of its faces."""

from collections.abc import Iterator

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.sdk.drivers import FACES, Sdk
from tests.sdk.scenes import Upstream
from tests.servers.adapter import serve
from tests.servers.scripted import ScriptedUpstream, scripted_upstream


@pytest.fixture
def scripted() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
def scripted_url(scripted: ScriptedUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter in front of the scripted upstream."""
    with serve(make_sidecar(Settings(upstream=scripted.url))) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="session")
def demo_url(llama_url: str) -> Iterator[str]:
    """Yield the base URL of an adapter in front of the real model server, as `make run` has it."""
    with serve(make_sidecar(Settings(upstream=llama_url, dialect="llama.cpp"))) as url:
        yield f"{url}/v1"


@pytest.fixture(params=["scripted", "llama.cpp"])
def upstream(request: pytest.FixtureRequest) -> Upstream:
    """Return each kind of upstream: tests that use it hold for both."""
    if request.param == "scripted":
        return Upstream(request.getfixturevalue("scripted_url"), request.getfixturevalue("scripted"))
    return Upstream(request.getfixturevalue("demo_url"))


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sdk(face: str, upstream: Upstream) -> Iterator[Sdk]:
    """Yield the SDK, blocking and async, talking to each kind of upstream."""
    client = FACES[face](upstream.url)
    yield client
    client.close()


@pytest.fixture
def scripted_sdk(face: str, scripted_url: str) -> Iterator[Sdk]:
    """Yield the SDK, blocking and async, talking to the scripted upstream."""
    client = FACES[face](scripted_url)
    yield client
    client.close()
