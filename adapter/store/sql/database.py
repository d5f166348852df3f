"""What a `SqlStore` needs of a database: to run functions of a connection, and to tell of runs."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from adapter.store.base import Wakeups

T = TypeVar("T")


class Database(Protocol):
    """Runs functions of a connection, and tells when something happens to a run.

    Attributes:
        limit_seconds: for each call; it raises TimeoutError when it takes longer.
    """

    limit_seconds: float

    async def open(self) -> None:
        """Connect, and bring the tables up to date."""
        ...

    async def close(self) -> None: ...

    async def read(self, act: Callable[[Connection], T]) -> T:
        """Return what the function returns. It may be called again if a connection was lost."""
        ...

    async def write(self, act: Callable[[Connection], T]) -> T:
        """Run the function in a transaction, and return what it returns once that is committed."""
        ...

    def wake(self, happened: Collection[bytes]) -> None:
        """Wake the followers of runs in this process, after a commit."""
        ...

    def wakeups(self, run: bytes) -> AbstractAsyncContextManager[Wakeups]: ...
