"""`serve --ui`: there when it is asked for, refused where others could see it, and gone in time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from adapter.asgi.access.hashes import to_sha256
from tests.cli.process import clean_environment, run, running
from tests.inspector.viewer import API, UI
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

ROOT = Path(__file__).parent.parent.parent
NOWHERE = ("serve", "--ui", "--upstream", "http://127.0.0.1:9/v1", "--port", "0")


@pytest.fixture
def answering() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        yield upstream


def test_ui_shows_what_is_asked_and_does_not_keep_the_server_from_stopping(
    answering: ScriptedUpstream,
) -> None:
    with running("serve", "--ui", "--upstream", answering.url, "--port", "0") as process:
        url = process.wait_for_url()
        page = httpx2.get(f"{url}{UI}/", timeout=5)
        httpx2.post(f"{url}/v1/responses", json={"model": "m", "input": "Hi"}, timeout=5)
        detail = httpx2.get(f"{url}{API}/requests/1", timeout=5).json()
        with httpx2.stream("GET", f"{url}{API}/feed", timeout=5) as feed:
            code = process.stop()
            rest = feed.read()

    assert "<title>Inspector" in page.text
    assert detail["summary"]["state"] == "completed"
    assert b"event: all" in rest
    assert code in {0, -15}
    assert "The inspector is at /adapter/ui/" in process.output
    assert "Traceback" not in process.output


def test_without_ui_the_path_is_the_upstreams(answering: ScriptedUpstream) -> None:
    with running("serve", "--upstream", answering.url, "--port", "0") as process:
        httpx2.get(f"{process.wait_for_url()}{UI}/", timeout=5)

    assert answering.requests[0].path == f"{UI}/"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_addresses_are_refused_without_keys(host: str) -> None:
    done = run(*NOWHERE, "--host", host)

    assert done.returncode == 2
    assert f"{host} is not loopback: listen on 127.0.0.1, or set `api_keys`" in done.stderr


def test_other_addresses_are_served_with_keys() -> None:
    key = f"alice={to_sha256(b'sk-ra-alice-0123456789')}"

    with running(*NOWHERE, "--host", "0.0.0.0", "--api-keys", key) as process:
        url = process.wait_for_url().replace("0.0.0.0", "127.0.0.1")
        about = httpx2.get(f"{url}{API}/about", timeout=5).json()

    assert about["needs_key"] is True


def test_several_processes_are_refused() -> None:
    done = run(*NOWHERE, "--workers", "2")

    assert done.returncode == 2
    assert "shows the requests of one process: use --workers 1" in done.stderr


def test_nothing_of_it_is_there_when_it_is_off() -> None:
    """No module, and so no wrapper around anything."""
    program = (
        "import sys; from adapter.cli.serve import make_app, stopping; "
        "from adapter.config import Settings; "
        "app = make_app(Settings(upstream='http://127.0.0.1:9/v1', store='none'), '::', 1, ui=False);"
        "stopping(app); print(*(name for name in sys.modules if 'inspector' in name))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("\n", "")
