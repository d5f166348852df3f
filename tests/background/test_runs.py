"""Background runs of one process and of several, on one store, in virtual time."""

import asyncio

import pytest

from adapter.background.follow import following
from adapter.store.base import ConversationRecord
from tests.background.views import CountingStore
from tests.background.world import OWNER, World, check_log, play, text, types, words


def test_run_is_queued_at_once_and_then_logged_whole() -> None:
    """Sheet §10 and OpenAI's recordings: created(queued), queued, in_progress, then as ever."""

    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there"))
        response = await process.start()
        record = await world.record("resp_1")
        events = await world.follow("resp_1")

        assert (response.status, response.background, response.store) == ("queued", True, True)
        assert (record.status, record.background) == ("queued", True)
        check_log(events)
        assert types(events)[:3] == ["created", "queued", "in_progress"]
        assert [event["response"]["status"] for event in events[:3]] == [
            "queued",
            "queued",
            "in_progress",
        ]
        assert text(events) == "Hello there"
        assert types(events)[-1] == "completed"
        assert await world.response("resp_1") == events[-1]["response"]

    play(test())


def test_record_says_in_progress_while_the_model_answers() -> None:
    async def test() -> None:
        world = World()
        go_on = asyncio.Event()
        process = world.process([go_on, *words("Hello")])
        await process.start()
        await world.until("resp_1", "response.in_progress")
        await asyncio.sleep(0.1)
        during = await world.response("resp_1")
        go_on.set()
        await world.follow("resp_1")
        after = await world.record("resp_1")

        assert (during["status"], during["output"]) == ("in_progress", [])
        assert after.status == "completed"
        assert after.item_ids[0] == "resp_1_input"
        assert len(after.item_ids) == 2
        assert after.request == b""  # nobody runs it again

    play(test())


def test_events_are_written_in_groups() -> None:
    async def test() -> None:
        world = World()
        store = CountingStore(world)
        process = world.process(words(*["word"] * 400, pause=0.001), store=store)
        await process.start()
        events = await world.follow("resp_1")

        assert len(events) > 400
        assert store.appends < 30

    play(test())


@pytest.mark.parametrize("after", [-1, 0, 2, 5, 7])
def test_follower_gets_what_it_has_not_seen(after: int) -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=1))
        await process.start()
        followers = [asyncio.create_task(world.follow("resp_1", after)) for _ in range(3)]
        live = await asyncio.gather(*followers)
        replayed = await world.follow("resp_1", after)
        everything = await world.log("resp_1")

        assert live == [everything[after + 1 :]] * 3
        assert replayed == everything[after + 1 :]

    play(test())


def test_follower_hears_of_an_event_within_100_milliseconds() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=10))
        await process.start()
        heard = []
        async with following(world.store, OWNER, "resp_1") as batches:
            async for batch in batches:
                heard += [(world.now(), event.number) for event in batch]
        said = [at for at, number in heard if number >= 3]

        assert said[0] < 10.1
        assert max(at % 10 for at in said) < 0.1

    play(test())


def test_follower_of_a_deleted_run_comes_to_an_end_and_the_run_stops() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=10))
        await process.start()
        follower = asyncio.create_task(world.follow("resp_1"))
        await asyncio.sleep(12)
        await world.store.delete(OWNER, "resp_1")
        deleted_at = world.now()
        await follower
        await process.upstream.idle.wait()

        assert world.now() - deleted_at < 1
        await asyncio.sleep(1)
        assert process.released == ["resp_1"]
        assert await world.store.get(OWNER, "resp_1") is None

    play(test())


# Cancelling


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "from another process"])
@pytest.mark.parametrize("at", [0.0, 5.0, 15.0], ids=["queued", "silent", "speaking"])
def test_cancelled_run_stops_within_a_second(at: float, elsewhere: bool) -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", " there", pause=10))
        other = world.process() if elsewhere else process
        await process.start()
        await asyncio.sleep(at)
        cancelled = await other.runs.cancel(await world.record("resp_1"))
        cancelled_at = world.now()
        events = await world.follow("resp_1")
        if process.upstream.calls:
            await process.upstream.idle.wait()

        assert world.now() - cancelled_at < 1
        assert cancelled is not None
        assert cancelled.status == "cancelled"
        assert (await world.response("resp_1"))["status"] == "cancelled"
        check_log(events, cancelled=True)
        assert "completed" not in types(events)
        await asyncio.sleep(60)
        assert await world.log("resp_1") == events
        assert process.released == ["resp_1"]

    play(test())


def test_cancelling_is_idempotent_and_leaves_what_is_over_as_it_is() -> None:
    async def test() -> None:
        world = World()
        process = world.process(words("Hello", pause=1))
        await process.start("resp_1")
        await process.start("resp_2")
        first = await process.runs.cancel(await world.record("resp_1"))
        again = await process.runs.cancel(await world.record("resp_1"))
        await world.follow("resp_2")
        late = await process.runs.cancel(await world.record("resp_2"))

        assert first == again
        assert late is not None
        assert late.status == "completed"

    play(test())


def test_cancelled_run_keeps_the_items_that_were_done() -> None:
    async def test() -> None:
        world = World()
        thought = [b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"Hm"}}]}\n\n']
        process = world.process([*thought, *words("Hello", pause=10)])
        await process.start()
        await asyncio.sleep(15)
        await process.runs.cancel(await world.record("resp_1"))
        output = (await world.response("resp_1"))["output"]

        assert [item["type"] for item in output] == ["reasoning"]
        assert (await world.record("resp_1")).item_ids[1:] == (output[0]["id"],)

    play(test())


# Conversations


@pytest.mark.parametrize(("finish", "items"), [("stop", 2), ("error", 0)])
def test_conversation_gets_input_and_output_of_what_did_not_fail(finish: str, items: int) -> None:
    async def test() -> None:
        world = World()
        record = ConversationRecord(id="conv_1", owner=OWNER, created_at=0.0)
        await world.store.create_conversation(record)
        steps = [step for step in words("Hello") if isinstance(step, bytes)]
        process = world.process(
            [step.replace(b'"stop"', b'"%s"' % finish.encode()) for step in steps]
        )
        await process.start(conversation="conv_1")
        await world.follow("resp_1")
        page = await world.store.list_items(OWNER, "conv_1", limit=10)

        assert page is not None
        assert len(page.items) == items

    play(test())
