"""Signals between tests and the servers that they script."""

import asyncio
import threading

import pytest

from tests.servers.signals import Signal

pytestmark = pytest.mark.anyio


async def test_signal_set_before_wait_returns_at_once() -> None:
    signal = Signal()
    signal.set()

    await signal.wait()

    assert signal.is_set()


async def test_signal_set_in_a_thread_wakes_a_coroutine() -> None:
    signal = Signal()
    thread = threading.Thread(target=signal.set)
    waiting = asyncio.create_task(signal.wait())
    await asyncio.sleep(0)

    thread.start()
    await waiting
    thread.join()

    assert signal.is_set()


async def test_signal_set_in_a_loop_wakes_a_thread() -> None:
    signal = Signal()
    waiting = asyncio.create_task(asyncio.to_thread(signal.wait_in_thread))
    await asyncio.sleep(0)

    signal.set()
    await waiting

    assert signal.is_set()


async def test_wait_in_coroutine_ends_at_its_limit() -> None:
    with pytest.raises(TimeoutError):
        await Signal().wait(limit_seconds=0)


def test_wait_in_thread_ends_at_its_limit() -> None:
    with pytest.raises(TimeoutError, match="not signalled"):
        Signal().wait_in_thread(limit_seconds=0)


async def test_setting_does_not_touch_a_waiter_that_gave_up() -> None:
    signal = Signal()
    with pytest.raises(TimeoutError):
        await signal.wait(limit_seconds=0)

    signal.set()

    assert signal.is_set()
