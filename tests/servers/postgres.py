"""A private PostgreSQL server, on a Unix socket in a folder of its own.

    with postgres_server() as server:
        server.new_database()       postgresql://adapter@/store_…?host=…

It runs as a user without rights when the tests run as root, which PostgreSQL refuses. A
`conftest.py` makes the fixture known: `from tests.servers.postgres import shared_postgres`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

STOP_SECONDS = 20.0
USER = "adapter"
NOBODY = 65534  # the user without rights, on every Linux
MISSING = (
    "There is no PostgreSQL server, so the tests that need one were left out. On Debian and "
    "Ubuntu: apt install postgresql"
)
# What was committed outlives the server's processes all the same; only not the machine.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "max_worker_processes": "0",
}


def postgres_programs() -> Path | None:
    """Return the folder of the server's programs, or None if it is not installed."""
    # Debian leaves them off the PATH.
    versions = list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if versions:
        return max(versions, key=lambda path: float(path.parts[-3])).parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


class PostgresServer:
    """A server that can be stopped and started again.

    Args:
        folder: for its socket and its data; the path must be short, as that of any socket.
    """

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        assert programs is not None, MISSING
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[str] | None = None
        self._drain: threading.Thread | None = None

    def url(self) -> str:
        return f"postgresql://{USER}@/postgres?host={quote(str(self._folder))}"

    def new_database(self) -> str:
        """Return the URL of an empty schema: as good as a database, and a hundredth of the files."""
        name = f"store_{uuid4().hex}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}&options={quote(f'-csearch_path={name}')}"

    def connect(self, url: str | None = None) -> psycopg.Connection[Any]:
        """Return a connection of the test's own, without transactions around statements."""
        return psycopg.connect(url or self.url(), autocommit=True)

    def create(self) -> None:
        """Make its files."""
        if os.geteuid() == 0:
            os.chown(self._folder, NOBODY, NOBODY)
        options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        subprocess.run(
            [self._programs / "initdb", "-D", self._data, "--no-sync", *options],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **_without_rights(),
        )

    def start(self) -> None:
        """Start it, and return when it can be talked to."""
        place = {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
        options = [f"--{name}={value}" for name, value in (FAST | place).items()]
        process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            **_without_rights(),
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError(f"the PostgreSQL server did not start: {''.join(said)}")
        self._process = process
        # It would stop if nobody read what it says.
        self._drain = threading.Thread(target=_read_all, args=[process.stderr], daemon=True)
        self._drain.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it say nothing more for a while, on any connection."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        pids = [parent, *map(int, children.split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it, if it runs; SIGINT breaks all connections, SIGQUIT is a crash."""
        if self._process is None:
            return
        assert self._drain is not None
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._drain.join()
            self._process = self._drain = None


def _read_all(pipe: IO[str]) -> None:
    with pipe:
        for _ in pipe:
            pass


def _without_rights() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server, and stop it and remove its data in the end."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = PostgresServer(Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """Yield a server for many tests, which make a database each."""
    with postgres_server() as server:
        yield server
