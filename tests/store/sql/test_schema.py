"""Tables are made and brought up to date by whichever process comes first, once."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from adapter.errors import StoreError
from adapter.store import make_store, open_store
from adapter.store.sql.schema import STEPS, Step, migrate
from adapter.store.sql.tables import metadata
from tests.store.records import OWNER, response, within
from tests.store.sql.watching import connected

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
# Waits for a line, so that all begin at once; then opens the store and saves a response.
OPEN_AND_SAVE = """
import asyncio, sys
from adapter.store import open_store
from tests.store.records import response

async def main():
    async with open_store(sys.argv[1]) as store:
        await store.save(response(sys.argv[2]))

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""
NEXT_STEP = Step(("CREATE TABLE adapter_next (key {key}, body {bytes})",))


def test_eight_processes_at_once_make_the_tables_once(store_url: str) -> None:
    command = [sys.executable, "-c", OPEN_AND_SAVE, store_url]
    processes = [
        subprocess.Popen(
            [*command, f"resp_{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        for number in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    ends = [process.communicate(b"\n", timeout=60) for process in processes]

    assert [end[1] for end in ends] == [b""] * 8
    with connected(store_url) as connection:
        assert connection.scalar(text("SELECT count(*) FROM adapter_responses")) == 8
        assert connection.scalar(text("SELECT count(*) FROM adapter_schema")) == 1


async def test_tables_are_as_the_statements_expect(store_url: str) -> None:
    async with open_store(store_url):
        pass
    with connected(store_url) as connection:
        inspector = inspect(connection)
        found = {
            name: {column["name"] for column in inspector.get_columns(name)}
            for name in inspector.get_table_names()
        }

    assert found == {
        name: {column.name for column in table.columns} for name, table in metadata.tables.items()
    }


async def test_newer_tables_are_refused_in_words(store_url: str) -> None:
    with connected(store_url) as connection:
        migrate(connection, (*STEPS, NEXT_STEP))
    store = make_store(store_url)

    with pytest.raises(StoreError, match="made by a newer adapter"):
        await store.open()


async def test_older_tables_get_the_missing_step_and_keep_what_is_in_them(store_url: str) -> None:
    record = response()
    async with open_store(store_url) as store:
        await store.save(record)
        with connected(store_url) as connection:
            migrate(connection, (*STEPS, NEXT_STEP))
        # A process of the old version goes on beside the new one.
        async with within():
            kept = await store.get(OWNER, record.id)
    with connected(store_url) as connection:
        migrate(connection, (*STEPS, NEXT_STEP))
        names = inspect(connection).get_table_names()

    assert kept == record
    assert "adapter_next" in names


async def test_failed_step_leaves_no_half(store_url: str) -> None:
    broken = Step(("CREATE TABLE adapter_half (key {key})", "CREATE TABLE nonsense nonsense"))
    store = make_store(store_url)
    await store.open()
    await store.aclose()
    with pytest.raises(Exception, match="nonsense"), connected(store_url) as connection:
        migrate(connection, (*STEPS, broken))
    with connected(store_url) as connection:
        names = inspect(connection).get_table_names()
        version = connection.scalar(text("SELECT version FROM adapter_schema"))

    assert version == len(STEPS)
    assert "adapter_half" not in names
