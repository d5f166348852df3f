"""What time does to state, in virtual time: locks are renewed and run out, and what is old goes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adapter.errors import InvalidRequestError, StoreError
from adapter.state import State, StateOptions
from adapter.state.base import PURGE_SECONDS
from adapter.state.locks import LOCK_SECONDS
from adapter.store.base import ConversationRecord
from adapter.store.memory import MemoryStore
from adapter.types.request import ResponseRequest
from tests.asgi.virtual_time import VirtualLoop

LONG = 10 * LOCK_SECONDS
OWNER = "owner"


class WatchedStore(MemoryStore):
    """Counts purges, and fails to lock when it is told to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.purges = 0
        self.hang = asyncio.Event()
        self.hang.set()
        self.locks: bool | None = None  # what becomes of locks, if not what should

    async def lock_conversation(self, *args: Any) -> bool:
        if self.locks is None:
            return await super().lock_conversation(*args)
        if self.locks:
            raise StoreError("No answer.")
        return False

    async def purge(self, now: float) -> int:
        self.purges += 1
        await self.hang.wait()
        return await super().purge(now)


Scene = Callable[[State, WatchedStore], Coroutine[Any, Any, None]]


def play(scene: Scene, **options: Any) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        store = WatchedStore(clock)
        state = State(
            store, StateOptions(**options), new_id=lambda prefix: f"{prefix}_1", now=clock
        )
        record = ConversationRecord(id="conv_1", owner=OWNER, created_at=0)
        await store.create_conversation(record)
        await scene(state, store)
        await state.aclose()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def asking(**fields: Any) -> ResponseRequest:
    return ResponseRequest(model="m", **fields)


def in_conversation(state: State) -> Any:
    return state.prior(asking(conversation="conv_1"), lambda: OWNER)


def test_lock_is_renewed_for_as_long_as_a_response_takes() -> None:
    async def scene(state: State, store: WatchedStore) -> None:
        async with in_conversation(state):
            await asyncio.sleep(LONG)
            assert not await store.lock_conversation(OWNER, "conv_1", "other", 1)

        assert await store.lock_conversation(OWNER, "conv_1", "other", 1)

    play(scene)


def test_lock_of_a_process_that_died_runs_out() -> None:
    async def scene(state: State, store: WatchedStore) -> None:
        await store.lock_conversation(OWNER, "conv_1", "dead", LOCK_SECONDS)
        with pytest.raises(InvalidRequestError, match="currently operating"):
            await in_conversation(state).__aenter__()
        await asyncio.sleep(LOCK_SECONDS)
        async with in_conversation(state) as prior:
            assert prior.history() is not None

    play(scene)


@pytest.mark.parametrize(
    ("fault", "said"), [(False, "was lost while a response was made"), (True, "was not renewed")]
)
def test_lock_that_cannot_be_renewed_is_only_logged(
    fault: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(state: State, store: WatchedStore) -> None:
        async with in_conversation(state):
            store.locks = fault
            await asyncio.sleep(LONG)

    play(scene)

    assert said in caplog.text


def test_what_has_expired_is_deleted_now_and_then() -> None:
    async def scene(state: State, store: WatchedStore) -> None:
        for _ in range(3):
            await state.store()
        await asyncio.sleep(PURGE_SECONDS)
        assert store.purges == 1
        await state.store()
        await asyncio.sleep(0)

        assert store.purges == 2

    play(scene)


def test_closing_does_not_wait_for_a_purge() -> None:
    async def scene(state: State, store: WatchedStore) -> None:
        store.hang.clear()
        await state.store()
        await asyncio.sleep(0)
        assert store.purges == 1

    play(scene)


@pytest.mark.parametrize(("ttl", "expires"), [(0.0, None), (60.0, 60.0)])
def test_what_is_kept_has_its_time(ttl: float, expires: float | None) -> None:
    async def scene(state: State, _store: WatchedStore) -> None:
        now = asyncio.get_running_loop().time()
        async with state.prior(asking(), lambda: OWNER) as prior:
            assert prior.is_stored
            assert prior.keeping is not None
            assert prior.keeping.expires_at == (None if expires is None else now + expires)

    play(scene, ttl_seconds=ttl)


def test_request_that_needs_nothing_does_not_ask_who_it_is() -> None:
    def nobody() -> str:
        raise AssertionError("asked")

    async def scene(state: State, _store: WatchedStore) -> None:
        async with state.prior(asking(store=False), nobody) as prior:
            assert (prior.keep, prior.history(), prior.is_stored) == (None, None, False)
            assert prior.joined() is prior.request

    play(scene)
