"""A time limit does what `asyncio.timeout` does."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from adapter.deadline import Deadline
from tests.asgi.virtual_time import VirtualLoop


def run(work: Coroutine[Any, Any, object]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(work)


def test_what_ends_in_time_is_left_alone() -> None:
    async def work() -> None:
        with Deadline(2):
            await asyncio.sleep(1)
        await asyncio.sleep(2)

    run(work())


def test_what_takes_longer_is_a_timeout() -> None:
    async def work() -> None:
        with pytest.raises(TimeoutError), Deadline(2):
            await asyncio.sleep(3)
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # it is one

    run(work())


def test_what_fails_for_another_reason_fails_for_that() -> None:
    async def work() -> None:
        with pytest.raises(ZeroDivisionError), Deadline(2):
            raise ZeroDivisionError

    run(work())


def test_cancellation_by_somebody_else_stays_one() -> None:
    async def limited() -> None:
        with Deadline(2):
            await asyncio.sleep(3)

    async def work() -> None:
        task = asyncio.create_task(limited())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())


def test_cancellation_at_the_same_time_stays_one() -> None:
    async def limited() -> None:
        with Deadline(2):
            await asyncio.sleep(3)

    async def work() -> None:
        task = asyncio.create_task(limited())
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        loop.call_at(loop.time() + 2, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
