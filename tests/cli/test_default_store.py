"""`serve` keeps responses without being told where, and says where that is."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from adapter.cli.default_store import default_store, is_shared
from tests.asgi.streams import REQUEST
from tests.cli.process import run, running
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        yield upstream


def test_default_is_a_file_of_the_users_own(tmp_path: Path) -> None:
    url = default_store({"XDG_STATE_HOME": str(tmp_path / "a folder")})

    assert url == f"sqlite:///{tmp_path}/a%20folder/responses-adapter/responses.db"
    assert (tmp_path / "a folder/responses-adapter").stat().st_mode & 0o777 == 0o700


def test_default_is_memory_where_nothing_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert default_store({"XDG_STATE_HOME": str(file)}) == "memory:"


@pytest.mark.parametrize(
    ("url", "shared"),
    [("memory:", False), ("sqlite:///a", True), ("redis://host", True), ("other://host", True)],
)
def test_store_in_memory_is_of_one_process(url: str, shared: bool) -> None:
    assert is_shared(url) is shared


def test_several_workers_refuse_a_store_in_memory(upstream: ScriptedUpstream) -> None:
    done = run("serve", "--upstream", upstream.url, "--workers", "2", "--store", "memory:")

    assert done.returncode == 2
    assert "Invalid setting 'store': 2 workers cannot share 'memory:'" in done.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_response_is_there_after_a_restart(
    upstream: ScriptedUpstream, tmp_path: Path, workers: int
) -> None:
    environ = {"ADAPTER_STORE": "", "XDG_STATE_HOME": str(tmp_path)}
    arguments = ("serve", "--upstream", upstream.url, "--port", "0", "--workers", str(workers))
    started = f"(?s)(Application startup complete.*){{{workers}}}"
    file = tmp_path / "responses-adapter" / "responses.db"

    with running(*arguments, environ=environ) as process:
        url = process.wait_for_url()
        process.wait_for(started)
        said = process.wait_for(r"Responses are kept in (\S+);")[1]
        response = httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=10).json()
        process.stop()
    with running(*arguments, environ=environ) as process:
        url = process.wait_for_url()
        process.wait_for(started)
        found = httpx2.get(f"{url}/v1/responses/{response['id']}", timeout=10)

    assert said == f"sqlite:///{file}"
    assert file.exists()
    assert found.json() == response
