"""Processes under measurement: started on one core, stopped for certain, their CPU time read.

Linux only: `/proc`, CPU affinity, CPU clocks of other processes.
"""

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

ROOT = Path(__file__).parent.parent

START_LIMIT_SECONDS = 60.0  # LiteLLM takes 10 s where nothing else runs
STOP_LIMIT_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CPUCLOCK_SCHED = 2  # kernel/time/posix-cpu-timers.c: time on a CPU, in nanoseconds


class StartError(Exception):
    """A server ended, or did not listen in time; the message is the end of what it wrote."""


class Running(msgspec.Struct, frozen=True):
    """A server that listens on `port`."""

    process: "subprocess.Popen[bytes]"
    port: int

    def cpu_seconds(self) -> float:
        """Return the CPU time, user and system, of the process and its living descendants."""
        return sum(map(_cpu_seconds, self.pids()))

    def pids(self) -> list[int]:
        """Return the process and its living descendants."""
        return _tree(self.process.pid)


def choose_cores() -> tuple[int, int]:
    """Return the core for the server under test and the one for what loads it.

    They are the same one where there is no other; then only CPU times mean anything.
    """
    cores = sorted(os.sched_getaffinity(0))
    return cores[-1], cores[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], port: int, core: int) -> Generator[Running]:
    """Run a server on one core from when it listens until the context is left.

    Raises:
        StartError: it did not come to listen.
    """
    libc = ctypes.CDLL(None)

    def die_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    with tempfile.TemporaryFile() as log:
        with pinned_to(core):
            process = subprocess.Popen(  # noqa: S603  # commands of our own tables
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        try:
            _wait_until_listening(process, port, log)
            yield Running(process, port)
        finally:
            _stop(process)


@contextmanager
def pinned_to(core: int) -> Generator[None]:
    """Run on one core, with the processes that are started meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    raise StartError(lines[-1] if lines else "it wrote nothing")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in _tree(process.pid):  # workers, too
            os.kill(pid, signal.SIGKILL)
        process.wait()


def _cpu_seconds(pid: int) -> float:
    # The CPU clock of another process, as clock_getcpuclockid(3) makes its id. /proc/PID/stat has
    # the same time, but in ticks of 10 ms, which is as long as a whole measurement.
    try:
        return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:  # it has ended since it was listed
        return 0.0


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended since it was listed
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    tree = [root]
    for pid in tree:
        tree += children.get(pid, [])
    return tree
