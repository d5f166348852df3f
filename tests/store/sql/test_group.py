"""Writes that wait at the same time share a commit, and nothing else."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from adapter.errors import StoreError
from adapter.store.sql.group import MAX_GROUP, Group
from tests.store.records import LIMIT_SECONDS, within

pytestmark = pytest.mark.anyio


class Disk:
    """Commits groups one by one as it is told, and keeps what came."""

    def __init__(self) -> None:
        self.groups: list[Sequence[int]] = []
        self.begun = asyncio.Semaphore(0)
        self.may_end = asyncio.Semaphore(0)
        self.answer: Callable[[int], int | StoreError] = lambda write: -write

    async def commit(self, writes: Sequence[int]) -> list[int | StoreError]:
        self.groups.append(writes)
        self.begun.release()
        await self.may_end.acquire()
        return [self.answer(write) for write in writes]

    def let(self, groups: int) -> None:
        for _ in range(groups):
            self.may_end.release()


def writing(group: Group[int, int], *writes: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(group.write(write, LIMIT_SECONDS)) for write in writes]


async def test_first_goes_at_once_and_those_behind_it_together() -> None:
    disk = Disk()
    group = Group(disk.commit)
    async with within():
        first = writing(group, 1)
        await disk.begun.acquire()
        others = writing(group, 2, 3, 4)
        disk.let(2)
        results = await asyncio.gather(*first, *others)

    assert disk.groups == [[1], [2, 3, 4]]
    assert results == [-1, -2, -3, -4]


async def test_result_comes_only_after_the_commit() -> None:
    disk = Disk()
    async with within():
        (task,) = writing(Group(disk.commit), 1)
        await disk.begun.acquire()
        early = task.done()
        disk.let(1)
        await task

    assert not early


async def test_long_queue_goes_in_several_groups() -> None:
    disk = Disk()
    disk.let(100)
    async with within():
        await asyncio.gather(*writing(Group(disk.commit), *range(2 * MAX_GROUP + 1)))

    assert [len(group) for group in disk.groups] == [MAX_GROUP, MAX_GROUP, 1]


async def test_what_fails_alone_fails_alone() -> None:
    disk = Disk()
    disk.answer = lambda write: StoreError("no") if write == 2 else write
    disk.let(1)
    async with within():
        tasks = writing(Group(disk.commit), 1, 2, 3)
        results = await asyncio.gather(*tasks, return_exceptions=True)

    assert (results[0], results[2]) == (1, 3)
    assert isinstance(results[1], StoreError)


@pytest.mark.parametrize("error", [StoreError("gone"), RuntimeError("a bug of ours")])
async def test_what_fails_together_fails_for_each(error: Exception) -> None:
    async def commit(writes: Sequence[int]) -> list[int]:
        raise error

    async with within():
        tasks = writing(Group(commit), 1, 2)
        results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [StoreError, StoreError]


async def test_write_after_a_failure_works() -> None:
    disk = Disk()
    group = Group(disk.commit)
    disk.answer = lambda write: StoreError("no") if write == 1 else write
    disk.let(2)
    async with within():
        await asyncio.gather(*writing(group, 1), return_exceptions=True)
        (result,) = await asyncio.gather(*writing(group, 2))

    assert result == 2


async def test_cancelled_before_its_turn_is_not_written() -> None:
    disk = Disk()
    group = Group(disk.commit)
    async with within():
        first = writing(group, 1)
        await disk.begun.acquire()
        second, third = writing(group, 2, 3)
        await asyncio.sleep(0)
        second.cancel()
        disk.let(2)
        await asyncio.gather(*first, third)

    assert disk.groups == [[1], [3]]
    assert second.cancelled()


async def test_cancelled_in_its_turn_hears_of_it_when_the_write_is_over() -> None:
    disk = Disk()
    async with within():
        (task,) = writing(Group(disk.commit), 1)
        await disk.begun.acquire()
        task.cancel()
        await asyncio.sleep(0)
        early = task.done()
        disk.let(1)
        await asyncio.wait([task])

    assert not early
    assert task.cancelled()


async def test_disk_that_hangs_is_not_waited_for() -> None:
    disk = Disk()
    group = Group(disk.commit)
    async with within():
        with pytest.raises(TimeoutError):
            await group.write(1, 0.01)
        with pytest.raises(TimeoutError):
            await group.write(2, 0.01)
        disk.let(1)
        await group.settle()

    assert disk.groups == [[1]]
