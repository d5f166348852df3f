"""Following the log of a run, from any process, while it is written or later."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

from adapter.store.base import LoggedEvent, ResponseStore, Wakeups

PAGE_EVENTS = 500
# Should a store fail to wake a follower: no later than this.
LOOK_SECONDS = 2.0

Batches = AsyncGenerator[Sequence[LoggedEvent], None]


@asynccontextmanager
async def following(
    store: ResponseStore,
    owner: str,
    id: str,
    *,
    after: int = -1,
    silence_seconds: float = float("inf"),
) -> AsyncGenerator[Batches]:
    """Hand out the events of a log as they come, until the run is over or its response is gone.

    Args:
        store: where the log is.
        owner: of the response.
        id: of the response.
        after: the number of the last event that is known; -1 is none.
        silence_seconds: without an event, after which there is a batch of none.

    Raises:
        StoreError: while it is used: the store does not answer.
    """
    async with (
        store.wakeups(id) as wakeups,
        aclosing(_read(store, wakeups, owner, id, after, silence_seconds)) as batches,
    ):
        yield batches


async def _read(
    store: ResponseStore,
    wakeups: Wakeups,
    owner: str,
    id: str,
    after: int,
    silence_seconds: float,
) -> Batches:
    clock = asyncio.get_running_loop().time
    heard_at = clock()
    while True:
        page = await store.read_events(owner, id, after=after, limit=PAGE_EVENTS)
        if page is None:
            return
        silence = clock() - heard_at
        if page.events or silence >= silence_seconds:
            yield page.events
            heard_at = clock()
        if page.is_closed:
            return
        if page.events:
            after = page.events[-1].number
        else:
            await wakeups.wait(min(LOOK_SECONDS, max(0.0, silence_seconds - silence)))


async def read_log(store: ResponseStore, owner: str, id: str) -> list[LoggedEvent]:
    """Return what is in a log now."""
    events: list[LoggedEvent] = []
    while True:
        after = events[-1].number if events else -1
        page = await store.read_events(owner, id, after=after, limit=PAGE_EVENTS)
        if page is None or not page.events:
            return events
        events += page.events
