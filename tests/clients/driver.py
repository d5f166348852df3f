"""A driver: a program in a client's own language that plays one scene after the other."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.install import Clients

SOURCES = Path(__file__).parent / "drivers"
LIMIT_SECONDS = 60.0  # the first scene waits until the client's packages are loaded
STOP_LIMIT_SECONDS = 5.0

# name of the client → its driver and arguments
DRIVERS: dict[str, tuple[str, ...]] = {
    "openai-node": ("openai_node.mjs",),
    "agents-python": ("agents_python.py",),
    "agents-js": ("agents_js.mjs",),
    "ai-sdk": ("ai_sdk.mjs", "openai"),
    "ai-sdk-open-responses": ("ai_sdk.mjs", "open-responses"),
    "langchain": ("langchain_python.py",),
    "pydantic-ai": ("pydantic_ai_python.py",),
}


class Driver:
    """A running driver."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def play(self, scene: str, url: str) -> dict[str, Any]:
        """Return what came of a scene.

        Args:
            scene: its name.
            url: base URL of the adapter.

        Raises:
            AssertionError: it failed, or the driver ended.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"scene": scene, "url": url}) + "\n")
        self._process.stdin.flush()
        line = self._answers.get(timeout=LIMIT_SECONDS)
        assert line, "the driver ended"
        said = json.loads(line)
        assert "error" not in said, f"{said['error']}\n{said['stack']}"
        result: dict[str, Any] = said["result"]
        return result

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")


@contextmanager
def running(name: str, clients: Clients, folder: Path) -> Iterator[Driver]:
    """Start the driver of a client.

    Args:
        name: of the client.
        clients: the installed ones.
        folder: see `node_folder`.
    """
    source, *arguments = DRIVERS[name]
    program = clients.python if source.endswith(".py") else clients.node
    with subprocess.Popen(
        [program, source, *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Driver(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def node_folder(folder: Path, clients: Clients, source: Path = SOURCES) -> Path:
    """Put programs where they find the Node clients, which is at or above where they are."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(clients.node_modules)
    return folder


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return ours | {"OPENAI_AGENTS_DISABLE_TRACING": "1", "LANGSMITH_TRACING": "false"}
