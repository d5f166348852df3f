"""The contract of `adapter/store/base.py` between real processes, for stores that are shared."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from adapter.store.base import ResponseStore
from tests.store.records import (
    OWNER,
    conversation,
    events,
    item,
    item_ids,
    log_numbers,
    new_id,
    running,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("backend", ["sqlite", "postgres", "redis"], indirect=True),
]

START_SECONDS = 30
# Starts a run and logs an event for every line that it is given; each is answered when it is kept.
RUNNER = """
import asyncio, sys
from adapter.store import open_store
from tests.store.records import events, running

async def main(url, id):
    async with open_store(url) as store:
        await store.start_run(running(id), "child", 0)
        number = 0
        print("started", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            kept = await store.append_events(
                id, events(number, number + 1), holder="child", seconds=0
            )
            number += 1
            print(kept, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""
# Appends items to a conversation, one by one.
WRITER = """
import asyncio, sys
from adapter.store import open_store
from tests.store.records import OWNER, item, response

async def main(url, conversation, name):
    async with open_store(url) as store:
        for number in range(20):
            record = response(conversation_id=conversation)
            await store.save(record, [item(f"{name}_{number:02}")])

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def process(program: str, *args: str) -> AsyncIterator[Process]:
    """Run a program, and kill it in the end if it is still there."""
    command = [sys.executable, "-c", program, *args]
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def answer(child: Process) -> str:
    assert child.stdout is not None
    return (await child.stdout.readline()).decode().strip()


async def ask(child: Process) -> str:
    assert child.stdin is not None
    child.stdin.write(b"go\n")
    return await answer(child)


async def test_follower_wakes_for_events_of_another_process(
    store: ResponseStore, store_url: str
) -> None:
    id = new_id()
    async with asyncio.timeout(START_SECONDS), process(RUNNER, store_url, id) as child:
        assert await answer(child) == "started"
        async with store.wakeups(id) as wakeups:
            for number in range(3):
                asking = asyncio.create_task(ask(child))
                while len(await log_numbers(store, id)) <= number:
                    await wakeups.wait(60)
                assert await asking == "True"


async def test_run_of_a_killed_process_is_taken_over(store: ResponseStore, store_url: str) -> None:
    id = new_id()
    async with asyncio.timeout(START_SECONDS), process(RUNNER, store_url, id) as child:
        assert await answer(child) == "started"
        answers = [await ask(child) for _ in range(3)]
        child.kill()
        await child.wait()
    orphans = await store.orphans(time.time() + 1, 10)

    assert answers == ["True"] * 3
    assert [record.id for record in orphans] == [id]
    assert await store.take_over(id, "parent", 60)
    assert await log_numbers(store, id) == [0, 1, 2]
    assert await store.append_events(id, events(3, 4), holder="parent", seconds=60)
    assert await store.finish(msgspec.structs.replace(orphans[0], status="failed"), holder="parent")


async def test_process_whose_run_was_taken_stops(store: ResponseStore, store_url: str) -> None:
    id = new_id()
    async with asyncio.timeout(START_SECONDS), process(RUNNER, store_url, id) as child:
        assert await answer(child) == "started"
        assert await ask(child) == "True"
        assert await store.take_over(id, "parent", 60)

        assert await ask(child) == "False"
    assert await log_numbers(store, id) == [0]


async def test_processes_that_write_to_one_conversation_lose_nothing(
    store: ResponseStore, store_url: str
) -> None:
    thread = conversation()
    await store.create_conversation(thread, [item("first")])
    names = ["a", "b", "c"]

    async def write(name: str) -> int:
        async with process(WRITER, store_url, thread.id, name) as child:
            return await child.wait()

    async with asyncio.timeout(START_SECONDS):
        assert await asyncio.gather(*map(write, names)) == [0] * 3
    found = await item_ids(store, thread.id)

    assert found[0] == "first"
    for name in names:
        expected = [f"{name}_{number:02}" for number in range(20)]
        assert [id for id in found if id.startswith(f"{name}_")] == expected


async def test_run_that_was_started_here_is_found_there(
    store: ResponseStore, store_url: str
) -> None:
    """A process that starts later sees all that was answered before."""
    record = running()
    await store.start_run(record, "a", 60)
    program = (
        "import asyncio, sys\n"
        "from adapter.store import open_store\n"
        "async def main(url, owner, id):\n"
        "    async with open_store(url) as store:\n"
        "        print((await store.get(owner, id)).id)\n"
        "asyncio.run(main(*sys.argv[1:]))"
    )
    async with (
        asyncio.timeout(START_SECONDS),
        process(program, store_url, OWNER, record.id) as child,
    ):
        assert await answer(child) == record.id
