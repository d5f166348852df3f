"""A world's store as one process has it: counted, held up, failing."""

import asyncio
from collections.abc import Collection
from typing import Any

from adapter.errors import StoreError
from tests.background.world import World


class View:
    """A world's store."""

    def __init__(self, world: World) -> None:
        self._store = world.store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class CountingStore(View):
    """A store whose appends are counted.

    Attributes:
        appends: how many there were.
        gate: appends wait until it is set.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.appends = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def append_events(self, *args: Any, **options: Any) -> bool:
        self.appends += 1
        await self.gate.wait()
        done: bool = await self._store.append_events(*args, **options)
        return done


class FailingStore(View):
    """A store that fails so many times.

    Attributes:
        failures: how many are left.
        failing: the operations that fail.
    """

    def __init__(self, world: World, failures: int, failing: Collection[str]) -> None:
        super().__init__(world)
        self.failures = failures
        self.failing = failing

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)
        if name not in self.failing:
            return operation

        async def fail_after(*args: Any, **options: Any) -> Any:
            done = await operation(*args, **options)
            if self.failures:
                self.failures -= 1
                raise StoreError("The store does not answer.")  # it has happened: nobody can tell
            return done

        return fail_after
