"""Minutes of steady load on one server: do its cost and its memory stay what they were?"""

import time
from collections.abc import Sequence
from statistics import mean

import msgspec

from benchmarks.footprint import memory_kb
from benchmarks.load import read_result, start_load
from benchmarks.processes import Running
from benchmarks.scenarios import Scenario
from benchmarks.servers import Server, started

WINDOWS = 10  # a minute each, if it is ten minutes
_ENDS = 2  # windows at the beginning, and at the end, that are compared
_CHUNKS, _INTERVAL_SECONDS = 64, 0.02
_STREAM_SECONDS = _CHUNKS * _INTERVAL_SECONDS


class Drift(msgspec.Struct, frozen=True):
    """What one server took over time.

    Attributes:
        window_seconds: how long each figure is for.
        cpu_us: CPU time for each delta, in microseconds, of every window.
        memory_mb: at the end of every window.
        errors: what went wrong, and how often.
    """

    server: str
    window_seconds: float
    cpu_us: list[float]
    memory_mb: list[float]
    errors: dict[str, int]


def measure(server: Server, cores: tuple[int, int], upstream: str, minutes: float) -> Drift:
    """Have 32 streams at any time, a delta each every 20 ms.

    Raises:
        StartError: the server did not come to listen.
    """
    seconds = minutes * 60
    steady = Scenario(
        name="steady",
        model=f"paced-{_CHUNKS}-{_INTERVAL_SECONDS * 1000:.0f}",
        stream=True,
        streams=32,
        # A window longer than what is measured, for the load must not end before.
        requests=round(seconds * (1 + 1 / WINDOWS) / _STREAM_SECONDS) + 1,
        unit="delta",
        units=_CHUNKS,
        ramp_seconds=_STREAM_SECONDS,
        limit_seconds=seconds * 2 + 60,
    )
    server_core, load_core = cores
    with started(server, server_core, upstream) as process:
        load = start_load(steady.load(server, process.port), load_core)
        cpu_seconds, memory = _sample(process, seconds / WINDOWS)
        said = read_result(load)
    deltas_per_second = said["completed"] * _CHUNKS / said["seconds"]
    return Drift(
        server=server.name,
        window_seconds=seconds / WINDOWS,
        cpu_us=[each / deltas_per_second * 1e6 for each in cpu_seconds],
        memory_mb=memory,
        errors=said["errors"],
    )


def _sample(process: Running, window: float) -> tuple[list[float], list[float]]:
    """Return CPU seconds for each second, and megabytes, of every window."""
    cpu: list[float] = []
    memory: list[float] = []
    time.sleep(_STREAM_SECONDS)  # until all streams are there
    then, spent = time.monotonic(), process.cpu_seconds()
    for _ in range(WINDOWS):
        time.sleep(window)
        now, spent_now = time.monotonic(), process.cpu_seconds()
        cpu.append((spent_now - spent) / (now - then))
        memory.append(memory_kb(process) / 1024)
        then, spent = now, spent_now
    return cpu, memory


def format_table(drifts: Sequence[Drift]) -> str:
    """Return what they took first and last as a table for a terminal."""
    minutes = drifts[0].window_seconds * _ENDS / 60
    lines = [
        f"steady load, the first and the last {minutes:.3g} minutes of {WINDOWS / _ENDS:.0f} times that",
        f"{'server':24}{'CPU µs/delta':>16}{'ratio':>8}{'MB':>16}{'ratio':>8}  errors",
    ]
    lines += [
        f"{each.server:24}{_ends(each.cpu_us)}{_ends(each.memory_mb)}  "
        + (", ".join(f"{count} {reason}" for reason, count in each.errors.items()) or "0")
        for each in drifts
    ]
    return "\n".join(lines)


def _ends(figures: Sequence[float]) -> str:
    first, last = mean(figures[:_ENDS]), mean(figures[-_ENDS:])
    return f"{f'{first:.1f} - {last:.1f}':>16}{last / first:8.2f}"
