"""vLLM with the toy model on CPU, with the adapter as its middleware or as a sidecar before it.

Each server is a tree of processes that ends with its context, however that ends.
"""

import os
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

import httpx2
import msgspec

ROOT = Path(__file__).parent.parent.parent
MODEL = Path(__file__).parent / "model"
KEY = "key-of-the-operator"
MOUNT = "/llm"
MAX_MODEL_LEN = 4096  # all that the model was trained for

LIMIT_SECONDS = 60.0  # for one request
START_LIMIT_SECONDS = 180.0  # vLLM takes 20 to 70 s, by what else the machine has to do
LIFE_LIMIT_SECONDS = 900  # for all tests of one server
STOP_LIMIT_SECONDS = 30  # from being told to stop to being killed
LOG_TAIL_CHARS = 4000

_VLLM_IS_UP = re.compile(r"Application startup complete\.")
_SIDECAR_IS_UP = re.compile(r"Uvicorn running on (http://\S+)")

_VLLM_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),  # where `--middleware` finds the adapter; vLLM looks in no other place
    "PYTHONUNBUFFERED": "1",  # else a log is not complete when it is needed
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_HOST_IP": "127.0.0.1",  # of the sockets between its processes
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; the default is a share of all memory
    "TORCH_COMPILE_DISABLE": "1",  # else the first request with logprobs compiles for 15 s
}
_ADAPTER_SETTINGS = {
    "dialect": "vllm",
    # vLLM sends its headers before it looks at a request. On a slow machine a refusal could come
    # after the usual quarter of a second, and then in the stream.
    "start_grace": "30",
}


class Server(msgspec.Struct, frozen=True):
    """The adapter with a vLLM.

    Attributes:
        root: where it listens.
        base_urls: every place of its API; all of them are the same.
    """

    root: str
    base_urls: tuple[str, ...]

    @property
    def url(self) -> str:
        return self.base_urls[0]


@contextmanager
def vllm_with_middleware(folder: Path) -> Iterator[Server]:
    """Run `vllm serve --middleware adapter.ResponsesMiddleware`; its log is kept in the folder."""
    with _vllm(folder, "--middleware", "adapter.ResponsesMiddleware") as root:
        yield Server(root, (f"{root}/v1", f"{root}{MOUNT}/v1"))


@contextmanager
def vllm_behind_sidecar(folder: Path) -> Iterator[Server]:
    """Run `vllm serve` and `responses-adapter serve`; their logs are kept in the folder.

    vLLM joins up to ten tokens in a chunk: reasoning with text, names of calls with arguments.
    """
    with _vllm(folder, "--stream-interval", "10") as upstream:
        options = _ADAPTER_SETTINGS | {"upstream": f"{upstream}{MOUNT}/v1", "port": "0"}
        command = [sys.executable, "-m", "adapter", "serve", "--store", "none"]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", value]
        with _running(command, {}, folder / "sidecar.log", _SIDECAR_IS_UP) as told:
            yield Server(told[1], (f"{told[1]}/v1",))


SERVERS: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "middleware": vllm_with_middleware,
    "sidecar": vllm_behind_sidecar,
}


@contextmanager
def _vllm(folder: Path, *arguments: str) -> Iterator[str]:
    """Run vLLM, and yield where it listens."""
    with (
        socket.socket() as port_holder,
        # It leaves sockets behind, and the path of a socket has to be short.
        tempfile.TemporaryDirectory(prefix="vllm-") as temporary,
    ):
        # Bound and never listening, with the same option as vLLM's own: nobody else is given it.
        port_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port_holder.bind(("127.0.0.1", 0))
        port = port_holder.getsockname()[1]
        command = [_vllm_command(), "serve", str(MODEL), "--served-model-name", "tiny"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        command += ["--max-model-len", str(MAX_MODEL_LEN), "--dtype", "float32", "--enforce-eager"]
        command += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        command += ["--reasoning-parser", "qwen3", "--api-key", KEY, "--root-path", MOUNT]
        # Without it, a stream that is open when vLLM stops may stay open for ever.
        command += ["--shutdown-timeout", "10", *arguments]
        settings = {f"ADAPTER_{name.upper()}": value for name, value in _ADAPTER_SETTINGS.items()}
        environment = _VLLM_ENVIRONMENT | settings | {"TMPDIR": temporary}
        with _running(command, environment, folder / "vllm.log", _VLLM_IS_UP):
            root = f"http://127.0.0.1:{port}"
            _wait_until_healthy(root)
            yield root


def _vllm_command() -> str:
    command = Path(os.environ.get("VLLM_VENV", "")) / "bin" / "vllm"
    if "VLLM_VENV" not in os.environ or not command.exists():
        raise RuntimeError("VLLM_VENV has to name an environment with vLLM: use tests/vllm/run.sh")
    return str(command)


def _wait_until_healthy(root: str) -> None:
    """The log line comes a moment before vLLM listens: connect again until it does."""
    transport = httpx2.HTTPTransport(retries=8)
    with httpx2.Client(transport=transport, timeout=LIMIT_SECONDS) as client:
        client.get(f"{root}/health").raise_for_status()


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], log: Path, ready: re.Pattern[str]
) -> Iterator[re.Match[str]]:
    """Run a server; yield the line of its log that says it is ready.

    `timeout` gives it a process group of its own, passes on the signal to stop to all of it, and
    kills what is left some time after that. `setpriv` sends that signal if these tests are killed.

    Raises:
        RuntimeError: it did not start, or a process of its own outlived it.
    """
    keeper = ["setpriv", "--pdeathsig=TERM", "timeout", f"--kill-after={STOP_LIMIT_SECONDS}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    with subprocess.Popen(
        [*keeper, str(LIFE_LIMIT_SECONDS), *command],
        cwd=ROOT,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        found: queue.SimpleQueue[re.Match[str] | None] = queue.SimpleQueue()
        assert process.stdout is not None
        copier = threading.Thread(
            target=_copy, args=(process.stdout, log, ready, found), daemon=True
        )
        copier.start()
        try:
            yield _wait_until_ready(found, log)
        finally:
            process.terminate()
            process.wait()
            copier.join(STOP_LIMIT_SECONDS)  # it ends when no process holds the pipe any more
    if copier.is_alive():
        raise RuntimeError(f"a process outlived the server that started it: {command[0]}")


def _copy(
    output: IO[str],
    log: Path,
    ready: re.Pattern[str],
    found: "queue.SimpleQueue[re.Match[str] | None]",
) -> None:
    """Copy what a server prints to its log, and tell when it is ready, and when it has ended."""
    with log.open("w") as file:
        for line in output:
            file.write(line)
            file.flush()
            if match := ready.search(line):
                found.put(match)
    found.put(None)


def _wait_until_ready(found: "queue.SimpleQueue[re.Match[str] | None]", log: Path) -> re.Match[str]:
    try:
        match = found.get(timeout=START_LIMIT_SECONDS)
    except queue.Empty:
        match = None
    if match is None:
        tail = log.read_text()[-LOG_TAIL_CHARS:]
        raise RuntimeError(f"the server did not start; the end of {log}:\n{tail}")
    return match
