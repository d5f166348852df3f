"""Fixtures: an adapter in front of each kind of upstream, and the SDK in both of its faces.

Servers and clients are made once, scripts for every test.
"""

import asyncio
from collections.abc import Iterator

import openai
import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.sdk.drivers import OPTIONS, AsyncSdk, Sdk, SyncSdk
from tests.sdk.scenes import Script, Upstream
from tests.servers.adapter import serve
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def scripted_url(scripted_server: ScriptedUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter in front of the scripted upstream."""
    with serve(make_sidecar(Settings(upstream=scripted_server.url))) as url:
        yield f"{url}/v1"


@pytest.fixture
def script(scripted_server: ScriptedUpstream) -> Script:
    """Return what the scripted upstream says in this test."""
    script = Script(scripted_server.url)
    scripted_server.always(script.answer)
    return script


@pytest.fixture(params=["scripted", "llama.cpp"])
def upstream(request: pytest.FixtureRequest) -> Upstream:
    """Return each kind of upstream: tests that use it hold for both."""
    if request.param == "scripted":
        url, script = (request.getfixturevalue(name) for name in ("scripted_url", "script"))
        return Upstream(url, script)
    return Upstream(request.getfixturevalue("demo_url"))


@pytest.fixture(scope="session")
def sync_sdk() -> Iterator[SyncSdk]:
    with openai.OpenAI(base_url=NOWHERE, **OPTIONS) as client:
        yield SyncSdk(client)


@pytest.fixture(scope="session")
def async_sdk() -> Iterator[AsyncSdk]:
    with asyncio.Runner() as runner:
        client = openai.AsyncOpenAI(base_url=NOWHERE, **OPTIONS)
        yield AsyncSdk(client, runner)
        runner.run(client.close())


@pytest.fixture(params=["sync_sdk", "async_sdk"], ids=["sync", "async"])
def any_sdk(request: pytest.FixtureRequest) -> Sdk:
    """Return the SDK, blocking and async, to be pointed at a server of the test's own."""
    sdk: Sdk = request.getfixturevalue(request.param)
    return sdk


@pytest.fixture
def sdk(any_sdk: Sdk, upstream: Upstream) -> Sdk:
    """Return the SDK, blocking and async, talking to each kind of upstream."""
    return any_sdk.at(upstream.url)


@pytest.fixture
def scripted_sdk(any_sdk: Sdk, scripted_url: str) -> Sdk:
    """Return the SDK, blocking and async, talking to the scripted upstream."""
    return any_sdk.at(scripted_url)
