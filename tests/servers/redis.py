"""A private Redis (or Valkey) server, on a Unix socket in a folder of its own.

    with redis_server() as server:
        server.url      redis+unix:///…/redis.sock

A `conftest.py` makes the fixture known: `from tests.servers.redis import shared_redis`.
"""

import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STOP_SECONDS = 10.0
MISSING = (
    "There is no redis-server or valkey-server, so the tests that need one were left out. On "
    "Debian and Ubuntu: apt install redis-server"
)


def redis_binary() -> str | None:
    """Return the server's program, or None if it is not installed."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A server that can be stopped and started again.

    Args:
        folder: for its socket and its data; the path must be short, as that of any socket.
        options: more of its command line.

    Attributes:
        socket: its path.
        url: for the store.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "redis.sock"
        place = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder)]
        # What was answered is in a file, so that it outlives the process, not the machine.
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        self._options = [*place, *durable, *options]
        self._process: subprocess.Popen[str] | None = None
        self._drain: threading.Thread | None = None
        self.url = f"redis+unix://{self.socket}"

    def start(self) -> None:
        """Start it, and return when it can be talked to."""
        binary = redis_binary()
        assert binary is not None, MISSING
        process = subprocess.Popen(
            [binary, *self._options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "eady to accept connections" in line:
                break
        else:
            raise AssertionError(f"the Redis server did not start: {''.join(said)}")
        self._process = process
        # It would stop if nobody read what it says.
        self._drain = threading.Thread(target=process.stdout.read, daemon=True)
        self._drain.start()

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._reap()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def freeze(self) -> None:
        """Let it keep its connections and do nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _reap(self) -> None:
        assert self._process is not None
        assert self._drain is not None
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._drain.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = self._drain = None


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Start a server, and stop it and remove its data in the end."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """Yield a server for many tests, which keep apart by their key prefixes."""
    with redis_server() as server:
        yield server
