"""An adapter that lives through faults keeps nothing of them: no task, no socket, no object.

Source: issue 8, "nothing leaked (tasks, sockets, memory counted)".
"""

import asyncio
import gc
import sys
from collections import Counter
from pathlib import Path

import pytest

from adapter import ResponsesAPI, ResponsesMiddleware
from tests.chaos.app import ScriptedApp
from tests.chaos.conftest import Bench
from tests.chaos.connection_faults import CONNECTION_FAULTS
from tests.chaos.content_faults import CONTENT_FAULTS
from tests.chaos.fault import Fault
from tests.chaos.ways import WAYS, in_time
from tests.servers.answers import text_answer

pytestmark = pytest.mark.anyio

NAMES = (
    "500 json",
    "gzip cut",
    "content-length too short",
    "FIN in an event",
    "RST in an event",
    "hang in an event",
    "hang before the status line",
    "no finish",
    "error behind the finish",
    "no JSON",
    "1,000 calls",
)
FAULTS = [fault for fault in (*CONNECTION_FAULTS, *CONTENT_FAULTS) if fault.name in NAMES]
FAULTS_OF_APPS = [fault for fault in FAULTS if not fault.on_wire]
GOOD = Fault("none", text_answer("Hello"), "Hello")
SHORT_TIMES = {"first_byte_timeout": 0.1, "idle_timeout": 0.1, "breaker_failures": 0}
ROUNDS = 3
# Blocks of memory that a round may leave, of the 20,000 or so that it takes: caches that fill.
BLOCKS_PER_ROUND = 1500
# What is kept on purpose: stored responses, dialects, settings.
KEPT = ("adapter.store", "adapter.types", "adapter.dialects", "adapter.config", "adapter.tools")


def test_faults_are_those_of_the_table() -> None:
    assert {fault.name for fault in FAULTS} == set(NAMES)


async def settle() -> None:
    """Let end what is about to, and free what nobody has."""
    for _ in range(50):
        await asyncio.sleep(0.001)
    for _ in range(3):
        gc.collect()


def census() -> dict[str, object]:
    """Count what there is: tasks, open files and sockets, objects of ours."""
    kinds = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    ours = Counter(
        kind for kind in kinds if kind.startswith("adapter.") and not kind.startswith(KEPT)
    )
    files = len(list(Path("/proc/self/fd").iterdir()))
    return {"tasks": len(asyncio.all_tasks()), "files": files, **ours}


@pytest.mark.parametrize("way", WAYS)
async def test_upstream_over_http(bench: Bench, way: str) -> None:
    store = "memory:" if way == "background" else None
    settings = bench.settings(GOOD, store=store, **SHORT_TIMES)
    app = ResponsesAPI(bench.upstream.url, settings=settings)

    async def go_through() -> None:
        for fault in (*FAULTS, GOOD):
            bench.upstream.always(fault.answer)
            bench.upstream.requests.clear()
            bench.upstream._arrivals.clear()
            await in_time(WAYS[way], bench.asking())

    async with bench.serving(app):
        await lives_through(go_through, counts_memory=way != "background")


@pytest.mark.parametrize("way", ["stream", "whole"])
async def test_wrapped_app(bench: Bench, way: str) -> None:
    wrapped = ScriptedApp(GOOD.answer)
    settings = bench.settings(GOOD, store=None, **SHORT_TIMES)

    async def go_through() -> None:
        for fault in (*FAULTS_OF_APPS, GOOD):
            wrapped.answer = fault.answer
            await in_time(WAYS[way], bench.asking())
            await wrapped.idle.wait()

    async with bench.serving(ResponsesMiddleware(wrapped, settings=settings)):
        await lives_through(go_through)


async def lives_through(go_through: object, *, counts_memory: bool = True) -> None:
    """Go through everything until all caches are full, then again, and count."""
    assert callable(go_through)
    for _ in range(2):
        await go_through()
    await settle()
    before, blocks = census(), sys.getallocatedblocks()
    for _ in range(ROUNDS):
        await go_through()
    await settle()

    assert census() == before
    if counts_memory:
        assert sys.getallocatedblocks() - blocks < ROUNDS * BLOCKS_PER_ROUND
