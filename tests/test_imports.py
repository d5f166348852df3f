"""What `import adapter` brings in: the public names, and nothing that is heavy or optional."""

import subprocess
import sys
from pathlib import Path

import pytest

import adapter

ROOT = Path(__file__).parent.parent

# Extras, which may be missing; `mcp` also replaces a method of uvicorn as it is imported.
OPTIONAL = [
    "backports.zstd",
    "brotli",
    "cryptography",
    "mcp",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "redis",
    "sqlalchemy",
    "xllamacpp",
]
# Needed to run, not to import: the command line, the servers and the clients.
HEAVY = ["aiohttp", "click", "httpx2", "starlette", "uvicorn"]


@pytest.fixture(scope="module")
def modules_after_import() -> set[str]:
    """Return what a new interpreter holds after `import adapter`, with warnings as errors."""
    program = "import adapter, sys; print(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


@pytest.mark.parametrize("name", OPTIONAL + HEAVY)
def test_import_leaves_out(name: str, modules_after_import: set[str]) -> None:
    assert name not in modules_after_import


def test_public_names_are_sorted_and_unique() -> None:
    assert adapter.__all__ == sorted(set(adapter.__all__))


@pytest.mark.parametrize("name", adapter.__all__)
def test_public_name_can_be_imported(name: str) -> None:
    assert getattr(adapter, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        adapter.nothing  # noqa: B018  # reading it is the test
