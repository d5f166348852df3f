"""What background runs may take, and what they do when their store lags behind or fails."""

import asyncio

import pytest

from adapter.errors import AdapterError
from tests.background.views import CountingStore, FailingStore
from tests.background.world import World, check_log, play, types, words


def test_more_runs_than_allowed_are_refused() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", pause=10), max_runs=3, max_owner_runs=2)
        await process.start("resp_1")
        await process.start("resp_2")
        with pytest.raises(AdapterError, match="the limit of one owner is 2") as of_owner:
            await process.start("resp_3")
        await process.start("resp_4", owner="other")
        with pytest.raises(AdapterError, match="the limit is 3") as of_all:
            await process.start("resp_5", owner="third")

        assert [of_owner.value.status, of_all.value.status] == [429, 429]
        assert process.released == ["resp_3", "resp_5"]
        await world.follow("resp_1")
        await asyncio.sleep(1)
        await process.start("resp_6")
        await world.follow("resp_6")
        await asyncio.sleep(1)

    play(test())


def test_run_that_takes_too_long_fails() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=40), max_seconds=60)
        await process.start()
        events = await world.follow("resp_1")

        check_log(events)
        assert types(events)[-2:] == ["error", "failed"]
        assert "the limit is 60 seconds" in events[-1]["response"]["error"]["message"]
        assert [item["status"] for item in events[-1]["response"]["output"]] == ["incomplete"]
        assert process.upstream.open_calls == 0
        assert world.now() < 61

    play(test())


def test_run_that_says_too_much_fails() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words(*["word "] * 1000), max_log_bytes=50_000)
        await process.start()
        events = await world.follow("resp_1")

        check_log(events)
        assert types(events)[-2:] == ["error", "failed"]
        assert "the limit is 50000 bytes" in events[-1]["response"]["error"]["message"]
        assert process.upstream.open_calls == 0

    play(test())


def test_upstream_is_not_read_while_a_store_lags_behind() -> None:
    async def test() -> None:
        world = World()
        store = CountingStore(world)
        process = world.process(words(*["word "] * 1000), store=store, group_bytes=5_000)
        store.gate.clear()
        await process.start()
        await asyncio.sleep(10)
        waiting = max(run._log._waiting_bytes for run, _ in process.runs._runs.values())
        store.gate.set()
        events = await world.follow("resp_1")

        assert waiting < 10_000
        check_log(events)
        assert types(events)[-1] == "completed"

    play(test())


# Stores that fail


def test_run_outlives_a_store_that_fails() -> None:
    async def test() -> None:
        world = World()
        store = FailingStore(world, 0, {"append_events"})
        process = world.process(words(*["word"] * 20, pause=0.2), store=store)
        await process.start()
        await asyncio.sleep(1)
        store.failures = 4
        events = await world.follow("resp_1")

        check_log(events)
        assert store.failures == 0
        assert types(events)[-1] == "completed"

    play(test())


def test_end_of_a_run_outlives_a_store_that_fails() -> None:
    async def test() -> None:
        world = World()
        store = FailingStore(world, 3, {"finish"})
        process = world.process(words("Hello"), store=store)
        await process.start()
        events = await world.follow("resp_1")
        await asyncio.sleep(60)

        check_log(events)
        assert types(events)[-1] == "completed"
        assert await world.log("resp_1") == events
        assert process.released == ["resp_1"]

    play(test())


def test_store_that_fails_at_the_start_keeps_nothing_back() -> None:
    async def test() -> None:
        world = World()
        store = FailingStore(world, 1, {"start_run"})
        process = world.process(words("Hello"), store=store, max_runs=1)
        with pytest.raises(AdapterError, match="does not answer"):
            await process.start("resp_1")
        await process.start("resp_2")
        await world.follow("resp_2")

        assert process.released[0] == "resp_1"

    play(test())


def test_look_for_lost_runs_outlives_a_store_that_fails() -> None:
    async def test() -> None:
        world = World()
        lost = world.process([1000.0])
        await lost.start()
        await lost.die()
        store = FailingStore(world, 5, {"orphans", "update_run", "append_events"})
        other = world.process(words("Hello"), store=store)
        other.runs.open()
        events = await world.follow("resp_1")

        check_log(events)
        assert types(events)[-1] == "completed"
        assert store.failures == 0
        await other.runs.aclose()

    play(test())


def test_stopping_process_does_not_wait_for_a_store_that_fails() -> None:
    async def test() -> None:
        world = World()
        store = FailingStore(world, 1_000_000, {"append_events", "finish"})
        process = world.process(words("Hello", pause=100), store=store)
        await process.start("resp_1")
        await process.start("resp_2", request=b"")
        await asyncio.sleep(1)
        await process.runs.aclose()

        assert world.now() < 20
        assert process.upstream.open_calls == 0

    play(test())
