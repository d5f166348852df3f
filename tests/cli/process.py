"""A command of ours in a process of its own, as a user starts and stops it."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager

# Python, uvicorn and aiohttp take one second to import, and several on a machine with much to do.
START_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 5.0

MODULE = (sys.executable, "-m", "adapter")


class Process:
    """A running command.

    Attributes:
        lines: what it printed so far, both outputs together.
    """

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self.lines: list[str] = []
        self._popen = popen
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the match of a pattern in the output, once it is there.

        Raises:
            AssertionError: the command ended without it.
        """
        while not (found := re.search(pattern, self.output)):
            line = self._queue.get(timeout=START_LIMIT_SECONDS)
            assert line is not None, f"{pattern!r} is not in:\n{self.output}"
            self.lines.append(line)
        return found

    def wait_for_url(self) -> str:
        """Return the base URL that uvicorn says it listens on."""
        return self.wait_for(r"Uvicorn running on (http://\S+)")[1]

    def send_signal(self, number: int) -> None:
        """Send a signal, and go on."""
        self._popen.send_signal(number)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code once the command has ended."""
        self.send_signal(with_signal)
        code = self._popen.wait(STOP_LIMIT_SECONDS)
        while (line := self._queue.get(timeout=STOP_LIMIT_SECONDS)) is not None:
            self.lines.append(line)
        return code

    def join(self) -> None:
        """Return when all that the command said is read, so that its pipe can be closed."""
        self._reader.join(STOP_LIMIT_SECONDS)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._queue.put(line)
        self._queue.put(None)


@contextmanager
def running(
    *arguments: str, command: Sequence[str] = MODULE, environ: Mapping[str, str] | None = None
) -> Generator[Process]:
    """Run a command; it is ended when the context is left, if it has not ended itself."""
    popen = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=clean_environment(environ),
    )
    with popen:
        process = Process(popen)
        try:
            yield process
        finally:
            popen.terminate()
            try:
                popen.wait(STOP_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                popen.kill()
            process.join()


def run(
    *arguments: str, command: Sequence[str] = MODULE, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=START_LIMIT_SECONDS,
        env=clean_environment(environ),
        check=False,
    )


def clean_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment with these variables, and else no settings of the adapter.

    But for the store: by default `serve` would write to the folder of whoever runs the tests.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    return ours | {"PYTHONUNBUFFERED": "1", "ADAPTER_STORE": "none"} | dict(environ or {})


def free_port() -> int:
    """Return a port that nobody listens on, for commands that cannot choose one."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def taken_port() -> Iterator[int]:
    """Hold a port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]
