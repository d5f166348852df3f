"""SQLite: locks of others, full disks and files that are none end in a StoreError, and in time."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapter.errors import StoreError
from adapter.store import make_store, open_store
from tests.store.records import OWNER, response, within

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
# Fills a disk of a megabyte, and says what came of it and whether the store still answers.
FILL = """
import asyncio, resource, sys
from adapter.errors import StoreError
from adapter.store import open_store
from tests.store.records import OWNER, response
import os

async def main():
    async with open_store(sys.argv[1]) as store:
        first = response()
        await store.save(first)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        try:
            for _ in range(100):
                await store.save(response(request=os.urandom(50_000)))
            print("never full")
        except StoreError as error:
            print(error.message)
        print(await store.get(OWNER, first.id) == first)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await store.save(response())
        print("goes on")

asyncio.run(main())
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of writers, as another process does that is stuck."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


async def test_locked_database_ends_in_a_store_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db?time_limit=0.2"
    kept = response()
    async with within(), open_store(url) as store:
        await store.save(kept)
        with locked(tmp_path / "store.db"):
            saves = [store.save(response()) for _ in range(20)]
            results = await asyncio.gather(*saves, return_exceptions=True)
            read = await store.get(OWNER, kept.id)
        await store.save(response())

    assert {type(result) for result in results} == {StoreError}
    assert read == kept


async def test_locked_database_that_cannot_be_opened_ends_in_a_store_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db?time_limit=0.2"
    store = make_store(url)
    with locked(tmp_path / "store.db"):
        async with within():
            with pytest.raises(StoreError):
                await store.open()
    async with within():
        await store.open()
        await store.aclose()


def test_full_disk_ends_in_a_store_error_and_leaves_the_rest_readable(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILL, f"sqlite:///{tmp_path}/store.db"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == ["The response store failed.", "True", "goes on"]


@pytest.mark.parametrize("content", [b"this is no database" * 100, None])
async def test_what_is_no_database_ends_in_a_store_error(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    async with within():
        with pytest.raises(StoreError):
            await make_store(f"sqlite:///{path}").open()


async def test_file_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.db"
    async with within(), open_store(f"sqlite:///{path}") as store:
        await store.save(response())
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(["store.db", "store.db-wal", "store.db-shm"], 0o600)


@pytest.mark.parametrize(("option", "level"), [("", 1), ("?synchronous=full", 2)])
async def test_synchronous_is_as_the_url_says(option: str, level: int, tmp_path: Path) -> None:
    store = make_store(f"sqlite:///{tmp_path}/store.db{option}")
    async with within():
        await store.open()
        found = await store._database.read(  # type: ignore[attr-defined]  # nothing else tells
            lambda connection: connection.exec_driver_sql("PRAGMA synchronous").scalar()
        )
        await store.aclose()

    assert found == level


async def test_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = make_store(f"sqlite:///{tmp_path}/store.db")
    with pytest.raises(StoreError, match="not open"):
        await store.get(OWNER, "resp_1")
    with pytest.raises(StoreError, match="not open"):
        await store.save(response())
    await store.aclose()
