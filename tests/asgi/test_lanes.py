"""Lanes as such: who waits for whom, and what is left when they are stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.lanes import Lanes

pytestmark = pytest.mark.anyio

Serve = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def lanes(serve: Serve, **limits: int) -> AsyncIterator[Lanes[str]]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        lanes: Lanes[str] = Lanes(serve, tasks.create_task, ConnectionLimits(**limits))
        yield lanes
        await lanes.wait_idle()


async def test_lanes_without_work_are_idle() -> None:
    async def serve(job: str) -> None:
        raise AssertionError(job)

    async with lanes(serve) as idle:
        await idle.wait_idle()


async def test_lane_goes_on_after_it_was_idle() -> None:
    done: list[str] = []

    async def serve(job: str) -> None:
        done.append(job)

    async with lanes(serve) as each:
        for job in ("a", "b"):
            each.add("lane", job, 1)
            await each.wait_idle()

    assert done == ["a", "b"]


async def test_drained_work_is_not_done() -> None:
    """Also that of a lane whose turn was about to come."""
    done: list[str] = []
    has_begun, gate = asyncio.Event(), asyncio.Event()

    async def serve(job: str) -> None:
        done.append(job)
        has_begun.set()
        await gate.wait()

    async with lanes(serve, running=1) as each:
        for lane, job in (("x", "runs"), ("x", "waits"), ("y", "waits too")):
            each.add(lane, job, 1)
        await has_begun.wait()
        drained = each.drain()
        gate.set()

    assert done == ["runs"]
    assert drained == ["waits", "waits too"]


async def test_room_of_what_was_done_is_free_again() -> None:
    async def serve(job: str) -> None:
        pass

    async with lanes(serve, waiting=1, waiting_bytes=10) as each:
        for _ in range(3):
            each.add(None, "job", 10)
            await each.wait_idle()


async def test_cancelled_work_is_broken_off() -> None:
    done: list[str] = []

    async def serve(job: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append(job)

    async with lanes(serve) as each:
        each.add("x", "runs", 1)
        each.add("x", "waits", 1)
        await asyncio.sleep(0)
        each.cancel()

    assert done == ["runs"]
