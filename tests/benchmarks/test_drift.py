"""Steady load is measured window by window."""

from benchmarks.drift import WINDOWS, Drift, format_table, measure
from benchmarks.processes import choose_cores
from benchmarks.servers import SERVERS, UPSTREAM, started


def test_every_window_has_its_cost_and_memory() -> None:
    adapter = next(each for each in SERVERS if each.name == "adapter")
    cores = choose_cores()
    with started(UPSTREAM, cores[1]) as upstream:
        found = measure(adapter, cores, f"http://127.0.0.1:{upstream.port}/v1", minutes=0.01)

    assert found.errors == {}
    assert len(found.cpu_us) == len(found.memory_mb) == WINDOWS
    assert all(each > 1 for each in found.cpu_us)
    assert all(each > 10 for each in found.memory_mb)


def test_table_compares_the_ends() -> None:
    drift = Drift("adapter", 60.0, [1, 3, 9, 9, 9, 9, 9, 9, 2, 4], [40.0] * 10, {"status 500": 2})

    title, _, line = format_table([drift]).splitlines()

    assert "2 minutes" in title
    assert line.split() == [
        "adapter",
        "2.0",
        "-",
        "3.0",
        "1.50",
        "40.0",
        "-",
        "40.0",
        "1.00",
        "2",
        "status",
        "500",
    ]
