"""What importing the SDK does to the process, and when it is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(
            "import uvicorn; was = uvicorn.Server.handle_exit\n"
            "import adapter.runners.mcp.transports\n"
            "import sse_starlette.sse\n"  # which replaces it
            "assert uvicorn.Server.handle_exit is was",
            id="uvicorn_keeps_its_handler",
        ),
        pytest.param(
            "import sys, adapter.runners.mcp.runner, adapter.runners.mcp.settings\n"
            "adapter.runners.mcp.runner.McpClient()\n"
            "assert not {'mcp', 'httpx2', 'aiohttp', 'pydantic'} & set(sys.modules), 'too early'",
            id="a_client_that_speaks_to_none_imports_nothing",
        ),
    ],
)
def test_import(claim: str) -> None:
    command = [sys.executable, "-W", "error", "-c", claim]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
