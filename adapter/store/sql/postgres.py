"""PostgreSQL, for any number of machines: SQLAlchemy on psycopg 3, asynchronously.

psycopg is what SQLAlchemy takes by default since 2.1. It hands the URL to libpq, so that whatever
other programs say of the server (`sslmode`, several hosts, `options`) is said here in the same
words; asyncpg reads fewer of them.

One connection writes, some read, and one listens for what other processes do to runs. A lost one is
made anew, and what was asked over it is asked again until the time limit, but a commit is not: if
its answer got lost then nobody knows, and the error says so. The listener needs a session of its
own: behind a pool of transactions (PgBouncer) followers hear of other processes late.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
import psycopg
from msgspec import Meta
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapter.errors import StoreError
from adapter.store.base import Wakeups
from adapter.store.sql.faults import may_pass_again
from adapter.store.sql.listeners import Listeners
from adapter.store.sql.notices import Notices
from adapter.store.sql.schema import is_current, migrate
from adapter.store.sql.store import SqlStore
from adapter.store.urls import StoreUrlError, split_options

T = TypeVar("T")

# Any number will do that no other program locks in the same database.
_LOCK = 0x72_65_73_70_61_64_70_74
_OPEN_SECONDS = 60.0  # another process may be changing the tables
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
# If a notice gets lost (a pool in between, a dead connection not yet noticed), followers look by
# themselves.
_LONGEST_WAIT_SECONDS = 2.0
# A network that swallows packets is noticed within half a minute, not after hours.
_CONNECTION_DEFAULTS = {
    "application_name": "responses-adapter",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class PostgresOptions(msgspec.Struct, frozen=True):
    """Our options in the query of the URL; all others are those of libpq.

    Attributes:
        time_limit: seconds that an operation may take.
        pool_size: connections that read; two more write and listen.
    """

    time_limit: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    pool_size: Annotated[int, Meta(ge=1, le=1000)] = 5


def postgres_store(url: str, clock: Callable[[], float]) -> SqlStore:
    """Return the store in a database: `postgresql://user:password@host:5432/database`.

    Raises:
        StoreUrlError: libpq does not understand the URL.
    """
    plain, options = split_options(url, PostgresOptions, keeps_others=True)
    try:
        given = conninfo_to_dict(plain)
    except psycopg.ProgrammingError:  # it may quote the password
        raise StoreUrlError("the URL of the PostgreSQL store cannot be understood") from None
    wanted: dict[str, Any] = {
        **_CONNECTION_DEFAULTS,
        "connect_timeout": max(2, math.ceil(options.time_limit)),  # 1 is taken for 2
        **given,
    }
    info = make_conninfo("", **wanted)
    return SqlStore(PostgresDatabase(info, options), clock)


class PostgresDatabase:
    """A database on a server; see `Database`.

    Args:
        info: of the connection, as libpq has it.
        options: ours.
    """

    def __init__(self, info: str, options: PostgresOptions) -> None:
        self.limit_seconds = options.time_limit
        self._info = info
        self._pool_size = options.pool_size
        self._listeners = Listeners(_LONGEST_WAIT_SECONDS)
        self._notices = Notices(info, self._listeners)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        # A write that is given up may hold its connection for some seconds more.
        self._writer = self._engine(1, 2)
        self._reader = self._engine(self._pool_size, 0, isolation_level="AUTOCOMMIT")
        try:
            await self._within(self._persist(partial(self._attempt_write, _prepare)), _OPEN_SECONDS)
        except BaseException:
            await self.close()
            raise

    def _engine(self, pool_size: int, max_overflow: int, **options: Any) -> AsyncEngine:
        return create_async_engine(
            "postgresql+psycopg://",
            async_creator=lambda: psycopg.AsyncConnection.connect(self._info),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=self.limit_seconds,
            use_native_hstore=False,
            hide_parameters=True,
            **options,
        )

    async def close(self) -> None:
        await self._notices.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.limit_seconds)
        await self._writer.dispose()
        await self._reader.dispose()

    async def read(self, act: Callable[[Connection], T]) -> T:
        attempt = partial(self._attempt_read, act)
        return await self._within(self._persist(attempt), self.limit_seconds)

    async def write(self, act: Callable[[Connection], T]) -> T:
        attempt = partial(self._attempt_write, act)
        return await self._within(self._persist(attempt), self.limit_seconds)

    async def _attempt_read(self, act: Callable[[Connection], T]) -> T:
        async with self._reader.connect() as connection:
            return await connection.run_sync(act)

    async def _attempt_write(self, act: Callable[[Connection], T]) -> T:
        async with self._writer.connect() as connection:
            result = await connection.run_sync(act)
            try:
                await connection.commit()
            except DBAPIError as exc:
                raise StoreError(
                    "The response store was lost during a write, which may have happened."
                ) from exc
            return result

    async def _persist(self, attempt: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Try until there is an answer; the time limit is the caller's."""
        pause = 0.0  # a connection of the pool may have died long ago; a new one may work at once
        until = _time() + self.limit_seconds
        while True:
            try:
                return await attempt()
            except DBAPIError as exc:
                if not may_pass_again(exc) or _time() + pause > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(max(_FIRST_PAUSE_SECONDS, 2 * pause), _LONGEST_PAUSE_SECONDS)

    async def _within(self, work: Coroutine[Any, Any, T], limit_seconds: float) -> T:
        """Wait for work until the time limit, and not for how it takes its cancellation.

        A driver whose server does not answer tries for seconds to tell it so.
        """
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task}, timeout=limit_seconds)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else may ask for it

    def wake(self, happened: Collection[bytes]) -> None:
        self._listeners.wake(happened)

    @asynccontextmanager
    async def wakeups(self, run: bytes) -> AsyncGenerator[Wakeups]:
        with self._listeners.listening(run) as listener:
            await self._notices.listen(self.limit_seconds)
            yield listener


def _time() -> float:
    return asyncio.get_running_loop().time()


def _prepare(connection: Connection) -> None:
    if is_current(connection):
        return
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    migrate(connection)
