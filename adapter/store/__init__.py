"""Where responses, conversations and event logs are kept: a contract, and a row per back-end.

`make_store` chooses the back-end by the scheme of a URL. A back-end is imported when it is chosen,
and its libraries are extras.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from adapter.store.base import ResponseStore
from adapter.store.urls import StoreUrlError, split_options

__all__ = ["STORE_SCHEMES", "StoreUrlError", "make_store", "open_store"]

Clock = Callable[[], float]


class _Row(NamedTuple):
    """A back-end.

    Attributes:
        make: (URL, clock) to the store.
        example: a URL of it.
        extra: what to install for it.
        is_shared: other processes can see what is in it.
    """

    make: Callable[[str, Clock], ResponseStore]
    example: str
    extra: str | None
    is_shared: bool


def _memory(url: str, clock: Clock) -> ResponseStore:
    from adapter.store.memory import MAX_BYTES, MAX_ENTRIES, MemoryStore

    class Options(msgspec.Struct, frozen=True):
        max_bytes: Annotated[int, Meta(ge=1)] = MAX_BYTES
        max_entries: Annotated[int, Meta(ge=1)] = MAX_ENTRIES

    _, options = split_options(url, Options)
    return MemoryStore(options.max_bytes, options.max_entries, clock=clock)


def _sqlite(url: str, clock: Clock) -> ResponseStore:
    from adapter.store.sql.sqlite import sqlite_store

    return sqlite_store(url, clock)


def _postgres(url: str, clock: Clock) -> ResponseStore:
    from adapter.store.sql.postgres import postgres_store

    return postgres_store(url, clock)


def _redis(url: str, clock: Clock) -> ResponseStore:
    from adapter.store.redis import RedisStore

    return RedisStore(url)  # the server has the clock


_POSTGRES = _Row(_postgres, "postgresql://user:password@host:5432/database", "postgres", True)
_REDIS = _Row(_redis, "redis://host:6379/0", "redis", True)

STORE_SCHEMES = {
    "memory": _Row(_memory, "memory:", None, False),
    "sqlite": _Row(_sqlite, "sqlite:///responses.db", "sqlite", True),
    "postgresql": _POSTGRES,
    "postgres": _POSTGRES,
    "redis": _REDIS,
    "rediss": _REDIS,
    "redis+unix": _REDIS,
    "valkey": _REDIS,
    "valkeys": _REDIS,
    "unix": _REDIS,
}


def make_store(url: str, *, clock: Clock = time.time) -> ResponseStore:
    """Return the store at a URL, not yet open.

    Args:
        url: such as `memory:`, `sqlite:///responses.db` or `postgresql://host/database`.
        clock: seconds since the epoch, where the server of the store does not have its own.

    Raises:
        StoreUrlError: the URL names no store.
        ModuleNotFoundError: the extra of the back-end is not installed.
    """
    scheme = url.partition(":")[0].lower()
    row = STORE_SCHEMES.get(scheme) if ":" in url else None
    if row is None:
        known = ", ".join(sorted({row.example for row in STORE_SCHEMES.values()}))
        # Without the URL itself: it may hold a password.
        raise StoreUrlError(f"the store URL has a scheme of no store; expected one such as {known}")
    try:
        return row.make(url, clock)
    except ImportError as exc:
        if row.extra is None:
            raise
        raise ModuleNotFoundError(
            f"A store at {row.example} needs libraries that are not installed: "
            f"pip install 'responses-adapter[{row.extra}]'",
            name=exc.name,
        ) from exc


@asynccontextmanager
async def open_store(url: str, *, clock: Clock = time.time) -> AsyncGenerator[ResponseStore]:
    """Open the store at a URL, and close it in the end; see `make_store`."""
    store = make_store(url, clock=clock)
    try:
        await store.open()
        yield store
    finally:
        await store.aclose()
