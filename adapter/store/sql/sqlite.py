"""SQLite in a file, for one machine: the driver of the standard library, in threads of its own.

One thread writes, some read; WAL lets them do it at once. A group of writes is one visit to the
thread: an asynchronous driver would go there and back for every statement. Other processes may have
the same file open; a network file system will not do (https://www.sqlite.org/wal.html).

`synchronous=normal` (the default) keeps what was acknowledged through any end of the process, but
after a power loss the last commits may be missing; the file stays whole. `synchronous=full` waits
for the disk on every commit.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Meta
from sqlalchemy import URL, Connection, Engine, create_engine, event

from adapter.store.base import Wakeups
from adapter.store.sql import runs
from adapter.store.sql.listeners import Listeners
from adapter.store.sql.polling import Poll
from adapter.store.sql.schema import migrate
from adapter.store.sql.store import SqlStore
from adapter.store.urls import StoreUrlError, split_options

T = TypeVar("T")

_READERS = 4
# Of another process a follower hears within this time, and what a read takes.
_POLL_SECONDS = 0.04
_LONGEST_WAIT_SECONDS = 60.0  # word of one's own process does not get lost, and the poll has no gap
_PRIVATE = 0o600  # conversations of people are in it
_MAX_WAL_BYTES = 64 * 1024 * 1024  # what a busy hour left behind is cut down to this


class SqliteOptions(msgspec.Struct, frozen=True):
    """Options in the query of the URL.

    Attributes:
        time_limit: seconds that an operation may take.
        synchronous: what is on disk when a write is acknowledged; see above.
    """

    time_limit: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    synchronous: Literal["normal", "full"] = "normal"


def sqlite_store(url: str, clock: Callable[[], float]) -> SqlStore:
    """Return the store in a file: `sqlite:///relative/path` or `sqlite:////absolute/path`.

    Raises:
        StoreUrlError: the URL has no path.
    """
    plain, options = split_options(url, SqliteOptions)
    scheme, _, path = plain.partition("///")
    if scheme.lower() != "sqlite:" or path in ("", ":memory:"):
        raise StoreUrlError(
            "expected sqlite:///path or sqlite:////absolute/path; "
            "memory: is the store that keeps nothing"
        )
    return SqlStore(SqliteDatabase(Path(unquote(path)), options), clock)


class SqliteDatabase:
    """A file that is read and written in threads; see `Database`."""

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        self.limit_seconds = options.time_limit
        self._path = path
        self._options = options
        self._listeners = Listeners(_LONGEST_WAIT_SECONDS)
        self._poll = Poll(self._listeners, self._progress, _POLL_SECONDS)

    async def open(self) -> None:
        self._writing = ThreadPoolExecutor(1, "store-write")
        self._reading = ThreadPoolExecutor(_READERS, "store-read")
        self._writer = self._engine(1, "BEGIN IMMEDIATE")
        self._reader = self._engine(_READERS, "BEGIN")
        try:
            await self._within(self._writing, self._prepare)
        except BaseException:
            await self.close()
            raise

    def _engine(self, connections: int, begin: str) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=self.limit_seconds,
            connect_args={"timeout": self.limit_seconds, "isolation_level": None},
            hide_parameters=True,
        )
        event.listen(engine, "connect", self._set_up)
        # Transactions begin as we say, not as the driver guesses. A writer that takes its lock at
        # once is queued; one that has read before may only fail.
        event.listen(engine, "begin", partial(_begin, begin))
        return engine

    def _set_up(self, connection: sqlite3.Connection, _: Any) -> None:
        connection.execute(f"PRAGMA synchronous={self._options.synchronous}")
        connection.execute(f"PRAGMA journal_size_limit={_MAX_WAL_BYTES}")

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, _PRIVATE))
        self._use_wal()
        with self._writer.begin() as connection:
            migrate(connection)

    def _use_wal(self) -> None:
        """Switch to write-ahead logging, which SQLite does not wait for when others open the file."""
        until = time.monotonic() + self.limit_seconds
        while True:
            connection = sqlite3.connect(self._path, timeout=self.limit_seconds)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_POLL_SECONDS / 4)
            else:
                return
            finally:
                connection.close()

    async def close(self) -> None:
        await self._poll.stop()
        ending = asyncio.create_task(asyncio.to_thread(self._end))
        await asyncio.wait({ending}, timeout=self.limit_seconds)

    def _end(self) -> None:
        for threads, engine in ((self._reading, self._reader), (self._writing, self._writer)):
            threads.shutdown(wait=True, cancel_futures=True)
            engine.dispose()

    async def read(self, act: Callable[[Connection], T]) -> T:
        return await self._within(self._reading, partial(_run, self._reader, act))

    async def write(self, act: Callable[[Connection], T]) -> T:
        return await self._within(self._writing, partial(_run, self._writer, act))

    async def _within(self, threads: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        """Run a function in a thread; one that takes too long is left alone there."""
        async with asyncio.timeout(self.limit_seconds):
            return await asyncio.get_running_loop().run_in_executor(threads, act)

    def wake(self, happened: Collection[bytes]) -> None:
        self._listeners.wake(happened)

    @asynccontextmanager
    async def wakeups(self, run: bytes) -> AsyncGenerator[Wakeups]:
        with self._listeners.listening(run) as listener:
            await self._poll.watch(run)
            yield listener

    async def _progress(self, watched: Collection[bytes]) -> dict[bytes, object]:
        return await self.read(partial(runs.progress, watched=watched))


def _begin(how: str, connection: Connection) -> None:
    connection.exec_driver_sql(how)


def _run(engine: Engine, act: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return act(connection)
