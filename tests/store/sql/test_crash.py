"""What was acknowledged outlives the process that acknowledged it, however that ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from adapter.store import open_store
from tests.store.records import OWNER, log_numbers, within

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
ENOUGH = 60
# Saves with many at a time, and says the id of each response that was acknowledged; appends to a
# log, and says how far that is.
WRITE_FOR_EVER = """
import asyncio, sys
from adapter.store import open_store
from tests.store.records import events, response, running

def say(*words):
    print(*words, flush=True)

async def save(store, writer):
    number = 0
    while True:
        record = response(f"resp_{writer}_{number}")
        await store.save(record)
        say("saved", record.id)
        number += 1

async def log(store):
    await store.start_run(running("resp_run"), "a", 60)
    number = 0
    while True:
        await store.append_events("resp_run", events(number, number + 2), holder="a", seconds=60)
        number += 2
        say("logged", number)

async def main():
    async with open_store(sys.argv[1]) as store:
        await asyncio.gather(log(store), *(save(store, writer) for writer in range(8)))

asyncio.run(main())
"""


@contextmanager
def writing(store_url: str) -> Iterator[Iterator[list[str]]]:
    """Yield what a writing process says, word by word, and kill it in the end."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, store_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        try:
            yield map(str.split, process.stdout)
        finally:
            process.kill()


def write_until_killed(store_url: str) -> list[list[str]]:
    """Return what a process said of its writes before it was killed among them."""
    with writing(store_url) as words:
        return list(islice(words, ENOUGH))


async def test_killed_process_has_lost_nothing_that_it_acknowledged(store_url: str) -> None:
    said = write_until_killed(store_url)
    saved = [word for kind, word in said if kind == "saved"]
    logged = [int(word) for kind, word in said if kind == "logged"]
    async with within(), open_store(store_url) as store:
        lost = [id for id in saved if await store.get(OWNER, id) is None]
        numbers = await log_numbers(store, "resp_run")

    assert len(saved) >= ENOUGH // 2
    assert lost == []
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= max(logged, default=0)


async def test_others_go_on_in_the_store_of_a_killed_process(store_url: str) -> None:
    with writing(store_url) as words:
        next(words)
        async with within(), open_store(store_url) as store:
            was_there = await store.delete(OWNER, "resp_run")
            page = await store.read_events(OWNER, "resp_run", after=-1, limit=1)

    assert was_there
    assert page is None
