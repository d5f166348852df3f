"""Talking to a Redis server: where it is, how long it may take, and what its failures mean.

A server closes connections, as it stops or when they were idle, and that may show only when one is
used. So what meets a lost connection is tried once more, on another one, and every step can be made
twice. What takes too long is not tried again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapter.errors import StoreError
from adapter.store.urls import StoreUrlError, split_options

logger = logging.getLogger(__name__)

_OLDEST_VERSION = (7, 0)  # see `lua`
FAULTS = (RedisError, OSError, TimeoutError)
# What the client library calls them.
_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis+unix": "unix"}


class Options(msgspec.Struct, frozen=True):
    """What the query of the URL may say; the rest of it is for the client library.

    Attributes:
        prefix: of all keys, which are `{prefix}:…`: in braces, so that a cluster keeps them together.
        time_limit: seconds that an operation may take.
        max_connections: to the server at once; one more listens for wakeups.
    """

    prefix: Annotated[str, Meta(min_length=1, pattern=r"^[^{}]*$")] = "adapter"
    time_limit: Annotated[float, Meta(gt=0)] = 5.0
    max_connections: Annotated[int, Meta(ge=1)] = 16


def to_pool(url: str) -> tuple[ConnectionPool, Options]:
    """Return connections to the server of a URL, none of them made yet.

    Raises:
        StoreUrlError: no server can be read from it.
    """
    url, options = split_options(url, Options, keeps_others=True)
    scheme, _, rest = url.partition(":")
    url = f"{_SCHEMES.get(scheme.lower(), scheme.lower())}:{rest}"
    try:
        pool = ConnectionPool.from_url(
            url,
            # Lists and bytes are the same in 2; what is new in 3 is not used here.
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            # The time limit of the whole operation ends it; another task per write would be slow.
            socket_timeout=None,
            socket_connect_timeout=options.time_limit,
        )
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError):
        # Without what the library says: it may quote a piece of the password.
        raise StoreUrlError(
            "the store URL names no Redis server, or an option that the redis library does not know"
        ) from None
    return pool, options


def check_server(info: Mapping[str, Any]) -> None:
    """Refuse a server that is too old, and warn of one that forgets.

    Args:
        info: what it says of itself (`INFO`).

    Raises:
        StoreError: it is too old.
    """
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_VERSION:
        raise StoreError(f"The Redis server is of version {version}; 7.0 is the oldest that works.")
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy != "noeviction":
        logger.warning(
            "the Redis server may forget responses early: maxmemory-policy is %s", policy
        )


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncGenerator[None]:
    """Say `StoreError` of what fails or takes longer.

    Messages of the server may quote keys and addresses, so clients get our words and the log the
    kind.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except FAULTS as exc:
        kind = kind_of(exc)
        logger.warning("the response store failed: %s", kind)
        if isinstance(exc, TimeoutError):
            raise StoreError("The response store did not answer in time.") from exc
        raise StoreError("The response store failed.") from exc


def kind_of(error: BaseException) -> str:
    """Return the kind of an error, without values: its class and the code that the server gave."""
    code = str(error).partition(" ")[0]
    name = type(error).__name__
    return f"{name} {code}" if code.isalpha() and code.isupper() else name
