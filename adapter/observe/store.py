"""A store whose answers are timed. A row for each operation; what it does is the store's business."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final, Protocol, cast

from adapter.store.base import ResponseStore

# What is asked of a store on behalf of somebody; not `open`, `aclose`, `check` and `wakeups`.
OPERATIONS: Final = (
    "purge",
    "save",
    "get",
    "chain",
    "delete",
    "find_items",
    "create_conversation",
    "get_conversation",
    "update_conversation",
    "delete_conversation",
    "add_items",
    "list_items",
    "get_item",
    "delete_item",
    "lock_conversation",
    "unlock_conversation",
    "start_run",
    "append_events",
    "finish",
    "update_run",
    "read_events",
    "orphans",
    "take_over",
)


class TellsOfStore(Protocol):
    """Is told what the store was asked for, and how long that took."""

    def __call__(self, operation: str, seconds: float, *, failed: bool) -> None: ...


class _Observed:
    """Stands for a store: its own attributes are the timed operations, all others are the store's."""

    def __init__(self, store: ResponseStore, tell: TellsOfStore) -> None:
        self._store = store
        for operation in OPERATIONS:
            setattr(self, operation, _timed(operation, getattr(store, operation), tell))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def observed_store(store: ResponseStore, tell: TellsOfStore) -> ResponseStore:
    """Return a store whose answers are timed.

    Args:
        store: that is asked.
        tell: is told.
    """
    return cast("ResponseStore", _Observed(store, tell))  # by its attributes, which no checker sees


def _timed(
    operation: str, ask: Callable[..., Awaitable[Any]], tell: TellsOfStore
) -> Callable[..., Awaitable[Any]]:
    async def timed(*arguments: Any, **named: Any) -> Any:
        started = perf_counter()
        failed = True
        try:
            answer = await ask(*arguments, **named)
            failed = False
            return answer
        finally:
            tell(operation, perf_counter() - started, failed=failed)

    return timed
