"""The measurement of stores: it runs, and gives figures that can be."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.store import format_table, measure


@pytest.mark.parametrize("kind", ["answer", "agent"])
def test_store_is_measured(kind: str, tmp_path: Path) -> None:
    figures = asyncio.run(measure(f"sqlite:///{tmp_path}/store.db", kind, 4, 0.1))

    assert figures.saves_per_second > 0
    assert figures.bytes_per_response is not None
    assert figures.bytes_per_response > 100
    assert format_table([figures]).splitlines()[1].split()[:3] == ["sqlite", kind, "4"]
