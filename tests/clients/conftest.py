"""Fixtures: the clients, a strict upstream, and adapters in front of it.

Servers and drivers are started once; the upstream is made to forget before every test.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from adapter.routing import RouteSettings
from tests.clients.codex import PROVIDER, Codex
from tests.clients.driver import Driver, node_folder, running
from tests.clients.install import Clients
from tests.clients.upstream.coding import CODING_SCENES
from tests.clients.upstream.scenes import COMMON_SCENES
from tests.clients.upstream.server import StrictUpstream, strict_upstream
from tests.servers.adapter import serve

SEALING_KEYS = ("0123456789abcdef",)

GetDriver = Callable[[str], Driver]
NewCodex = Callable[..., Codex]


FOLDER = Path(__file__).parent
# The test that says what is missing, and those that need nothing.
NEED_NO_CLIENTS = {"test_installed.py", "test_upstream.py"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say once what is missing, not in every test."""
    if Clients().are_there:
        return
    ours = [item for item in items if FOLDER in item.path.parents]
    without = [item for item in ours if item.path.name not in NEED_NO_CLIENTS]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


@pytest.fixture(scope="session")
def clients() -> Clients:
    return Clients()


@pytest.fixture(scope="session")
def driver(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GetDriver]:
    """Return the driver of a client, by its name; each is started once."""
    folder = node_folder(tmp_path_factory.mktemp("drivers"), clients)
    started: dict[str, Driver] = {}
    with ExitStack() as stack:

        def get(name: str) -> Driver:
            if name not in started:
                started[name] = stack.enter_context(running(name, clients, folder))
            return started[name]

        yield get


@pytest.fixture(scope="session")
def strict_server() -> Iterator[StrictUpstream]:
    with strict_upstream({**COMMON_SCENES, **CODING_SCENES}) as server:
        yield server


@pytest.fixture
def upstream(strict_server: StrictUpstream) -> StrictUpstream:
    """Return the strict upstream, as if it were new."""
    strict_server.reset()
    return strict_server


@pytest.fixture(scope="session")
def url(strict_server: StrictUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter in front of the strict upstream."""
    settings = Settings(upstream=strict_server.url, sealing_keys=SEALING_KEYS)
    with serve(make_sidecar(settings)) as address:
        yield f"{address}/v1"


@pytest.fixture
def new_url(strict_server: StrictUpstream) -> Iterator[str]:
    """Yield the base URL of an adapter that has not learned anything yet."""
    settings = Settings(upstream=strict_server.url, sealing_keys=SEALING_KEYS)
    with serve(make_sidecar(settings)) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="session")
def toy_url(llama_url: str) -> Iterator[str]:
    """Yield the base URL of an adapter in front of the toy model, made to repeat itself."""
    route = RouteSettings(
        upstream=llama_url, dialect="llama.cpp", default=True, body={"temperature": 0}
    )
    with serve(make_sidecar(Settings(routes={"toy": route}, sealing_keys=SEALING_KEYS))) as address:
        yield f"{address}/v1"


@pytest.fixture
def new_codex(clients: Clients, tmp_path: Path) -> NewCodex:
    """Return what makes a Codex of the test's own.

    It takes the base URL of the adapter, and a configuration with places for that, for `top`, lines
    of it, and for `tables`, the first lines of which belong to the provider.
    """

    def make(base_url: str, config: str = PROVIDER, top: str = "", tables: str = "") -> Codex:
        text = config.format(base_url=base_url, top=top, tables=tables)
        return Codex(clients.codex, tmp_path, text)

    return make
