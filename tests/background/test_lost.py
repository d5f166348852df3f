"""Runs whose process was killed, and those of a process that stops: taken over, or ended as failed."""

import asyncio

import msgspec
import pytest

from adapter.background.follow import read_log
from adapter.store.base import LoggedEvent
from tests.background.views import CountingStore
from tests.background.world import OWNER, World, check_log, play, text, types, words


def test_run_of_which_nothing_was_said_is_taken_over() -> None:
    async def test() -> None:
        world = World()
        lost = world.process(words("Never", pause=50))
        await lost.start()
        await asyncio.sleep(20)
        await lost.die()
        died_at = world.now()
        other = world.process(words("Hello"))
        other.runs.open()
        events = await world.follow("resp_1")

        assert world.now() - died_at < 30
        check_log(events)
        assert types(events)[-1] == "completed"
        assert text(events) == "Hello"
        assert (await world.record("resp_1")).status == "completed"
        await other.runs.aclose()

    play(test())


@pytest.mark.parametrize("said", [0, 1, 2, 3])
def test_log_goes_on_from_where_a_lost_process_left_it(said: int) -> None:
    async def test() -> None:
        world = World()
        process = world.process([1000.0])
        await process.start("resp_0")
        await asyncio.sleep(1)
        await process.die()
        log = await read_log(world.store, OWNER, "resp_0")
        record = msgspec.structs.replace(await world.record("resp_0"), id="resp_1")
        await world.store.delete(OWNER, "resp_0")
        begun = [
            LoggedEvent(event.number, event.data.replace(b"resp_0", b"resp_1")) for event in log
        ]
        await world.store.start_run(record, "lost", 1)
        await world.store.append_events("resp_1", begun[:said], holder="lost", seconds=1)
        other = world.process(words("Hello"))
        other.runs.open()
        events = await world.follow("resp_1")

        check_log(events)
        assert types(events)[:3] == ["created", "queued", "in_progress"]
        assert types(events)[-1] == "completed"
        await other.runs.aclose()

    play(test())


def test_lost_run_that_had_begun_to_speak_ends_as_failed() -> None:
    async def test() -> None:
        world = World()
        lost = world.process(words("Hello", " there", pause=10))
        await lost.start()
        await asyncio.sleep(15)
        await lost.die()
        died_at = world.now()
        others = [world.process(words("Never")) for _ in range(3)]
        for other in others:
            other.runs.open()
        events = await world.follow("resp_1")

        assert world.now() - died_at < 30
        check_log(events)
        assert types(events)[-2:] == ["error", "failed"]
        assert text(events) == "Hello"
        response = await world.response("resp_1")
        assert response == events[-1]["response"]
        assert "was lost" in response["error"]["message"]
        assert [other.upstream.calls for other in others] == [0, 0, 0]
        for other in others:
            await other.runs.aclose()

    play(test())


def test_lost_run_that_needs_a_secret_ends_as_failed() -> None:
    async def test() -> None:
        world = World()
        lost = world.process([1000.0])
        await lost.start(request=b"")
        await lost.die()
        other = world.process(words("Never"))
        other.runs.open()
        events = await world.follow("resp_1")

        assert types(events)[-2:] == ["error", "failed"]
        assert other.restarted == 0
        await other.runs.aclose()

    play(test())


def test_more_lost_runs_than_are_read_at_one_time_end_in_one_look() -> None:
    async def test() -> None:
        world = World()
        lost = world.process([1000.0], max_runs=0)
        for number in range(250):
            await lost.start(f"resp_{number}", request=b"")
        await lost.die()
        other = world.process()
        await asyncio.sleep(16)
        await other.runs.sweep()

        assert {(await world.record(f"resp_{number}")).status for number in range(250)} == {
            "failed"
        }

    play(test())


def test_request_that_kills_its_processes_is_given_up() -> None:
    async def test() -> None:
        world = World()
        process = world.process([1000.0])
        await process.start()
        for _ in range(5):
            await process.die()
            process = world.process([1000.0])
            process.runs.open()
            await asyncio.sleep(25)
        events = await world.log("resp_1")

        check_log(events)
        assert types(events)[-2:] == ["error", "failed"]
        await process.runs.aclose()

    play(test())


def test_process_that_was_asleep_stops_what_another_has_taken() -> None:
    async def test() -> None:
        world = World()
        store = CountingStore(world)
        asleep = world.process([100.0, *words("Never")], store=store)
        await asleep.start()
        await asyncio.sleep(1)
        store.gate.clear()  # no sign of life
        other = world.process(words("Hello", pause=30))
        other.runs.open()
        await asyncio.sleep(30)
        store.gate.set()
        events = await world.follow("resp_1")

        check_log(events)
        assert text(events) == "Hello"
        assert asleep.upstream.open_calls == 0
        assert asleep.released == ["resp_1"]
        await other.runs.aclose()

    play(test())


# The end of a process


def test_stopping_process_lets_runs_end_by_themselves() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=2))
        process.runs.open()
        await process.start()
        await process.runs.aclose()

        assert (await world.record("resp_1")).status == "completed"
        assert world.now() < 10

    play(test())


def test_stopping_process_hands_over_what_has_not_begun_to_speak() -> None:
    async def test() -> None:
        world = World()
        process = world.process([1000.0])
        other = world.process(words("Hello"))
        other.runs.open()
        await process.start()
        await process.runs.aclose()
        stopped_at = world.now()
        events = await world.follow("resp_1")

        check_log(events)
        assert types(events)[-1] == "completed"
        assert world.now() - stopped_at < 6  # the next look, and no lease to wait for
        await other.runs.aclose()

    play(test())


def test_stopping_process_fails_what_cannot_be_handed_over() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=15))
        await process.start("resp_1")
        await process.start("resp_2", request=b"")
        await asyncio.sleep(16)
        await process.runs.aclose()
        events = await world.log("resp_1")

        for id in ("resp_1", "resp_2"):
            record = await world.response(id)
            assert record["status"] == "failed"
            assert "was stopped" in record["error"]["message"]
        check_log(events)
        assert process.upstream.open_calls == 0
        assert sorted(process.released) == ["resp_1", "resp_2"]

    play(test())


@pytest.mark.parametrize("turns", range(12))
def test_process_that_stops_at_once_ends_what_it_has_just_begun(turns: int) -> None:
    """At whatever step it is: before its first event, between two, or while its end is written."""

    async def test() -> None:
        world = World()
        process = world.process(words("Hello"), drain_seconds=0)
        await process.start(request=b"")
        for _ in range(turns):
            await asyncio.sleep(0)
        await process.runs.aclose()

        assert (await world.record("resp_1")).status in {"completed", "failed"}
        check_log(await world.log("resp_1"))
        assert world.now() < 1

    play(test())


def test_lost_run_that_cannot_even_be_prepared_ends_as_failed() -> None:
    async def test() -> None:
        world = World()
        lost = world.process([1000.0])
        await lost.start(request=b'{"body":[],"begun":1}')
        await lost.die()
        other = world.process(words("Never"))
        other.runs.open()
        events = await world.follow("resp_1")

        assert types(events)[-2:] == ["error", "failed"]
        await other.runs.aclose()

    play(test())
