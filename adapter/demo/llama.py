"""Start and stop llama.cpp's own HTTP server with the toy model beside this file.

It is for the demo, the examples and the tests; it is not a way to serve models. The server runs in
a child process because its native threads cannot be stopped from Python: when the process goes,
they go. `llama_process.py` is that process; it ends when the pipe to its standard input closes,
which happens however its parent ends.
"""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from adapter.errors import UpstreamError

MODEL_NAME = "tiny"

_FOLDER = Path(__file__).parent

# Loading takes under two seconds on a slow machine; a minute means that something hangs.
_START_LIMIT_SECONDS = 60.0
_STOP_LIMIT_SECONDS = 5.0


@contextmanager
def demo_upstream(*, port: int = 0) -> Generator[str]:
    """Run the demo model server and yield its base URL, such as `http://127.0.0.1:8080/v1`.

    The server listens on loopback only, and answers from the moment the URL is yielded until the
    context is left or this process ends. To talk to it without the adapter:

        with demo_upstream() as url:
            client = openai.OpenAI(base_url=url, api_key="none")

    Args:
        port: where to listen; 0, the default, takes a free one.

    Raises:
        ModuleNotFoundError: the extra `demo` is not installed.
        UpstreamError: the server did not start; it wrote the reason to standard error.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModuleNotFoundError(
            "the demo needs llama.cpp's server: pip install 'responses-adapter[demo]'",
            name="xllamacpp",
        )
    # By path and with -P: the child imports neither this package nor what lies beside it, and
    # starts as fast as llama.cpp does.
    command = [sys.executable, "-P", str(_FOLDER / "llama_process.py")]
    command += [str(_FOLDER / "tiny.gguf"), MODEL_NAME, str(port)]
    with (
        # Its errors go to our standard error: a pipe that nobody reads would stop it when full.
        subprocess.Popen(  # noqa: S603  # our own script, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
        stopping(process),
    ):
        yield f"{_wait_for_address(process)}/v1"


@contextmanager
def stopping(
    process: "subprocess.Popen[str]", limit_seconds: float = _STOP_LIMIT_SECONDS
) -> Generator[None]:
    """Tell a child to end, at the end, by closing its standard input; kill it if it does not."""
    try:
        yield
    finally:
        _pipe(process.stdin).close()
        try:
            process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for_address(process: "subprocess.Popen[str]") -> str:
    """Return the first line that the child prints, once it answers."""
    limit = threading.Timer(_START_LIMIT_SECONDS, process.kill)
    limit.start()
    try:
        address = _pipe(process.stdout).readline().strip()
    finally:
        limit.cancel()
    if not address:
        raise UpstreamError(
            "the demo model server ended before it listened; standard error has its reason"
        )
    return address


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # both were asked for
    return stream
