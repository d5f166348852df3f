"""Memory and start-up of servers: what they cost while nothing is asked, and for each open stream.

Linux only: the proportional set size of `/proc`, which counts shared pages once.
"""

import http.client
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.load import read_result, start_load
from benchmarks.processes import ROOT, Running, StartError
from benchmarks.scenarios import Scenario
from benchmarks.servers import Server, started

STREAMS = 1000
_FIRST = Scenario("first", "short-4", stream=False, streams=1, requests=1, unit="request")
# Nothing comes for 8 s: until then all streams are open, and nothing else is held.
_OPEN = Scenario(
    name="open",
    model="held-2-8000",
    stream=True,
    streams=STREAMS,
    requests=1,
    unit="request",
    ramp_seconds=2.0,
    limit_seconds=60.0,
)
_OPEN_SECONDS = 5.0
_SETTLE_SECONDS = 1.0  # what starts beside the first worker is there, too


class Footprint(msgspec.Struct, frozen=True):
    """What one server takes.

    Attributes:
        start_seconds: from its command to the end of its first answer.
        idle_mb: memory after that, with nothing more to do.
        stream_kb: more memory for each of many open streams.
    """

    server: str
    start_seconds: float
    idle_mb: float
    stream_kb: float | None


def measure(server: Server, cores: tuple[int, int], upstream: str) -> Footprint:
    """Start a server by itself, and open many streams on it.

    Raises:
        StartError: it did not come to answer.
    """
    server_core, load_core = cores
    before = time.monotonic()
    with started(server, server_core, upstream) as process:
        _ask_first(server, process.port)
        start_seconds = time.monotonic() - before
        time.sleep(_SETTLE_SECONDS)
        idle_kb = memory_kb(process)
        stream_kb = _stream_kb(server, process, load_core, idle_kb)
    return Footprint(server.name, start_seconds, idle_kb / 1024, stream_kb)


def _ask_first(server: Server, port: int) -> None:
    load = _FIRST.load(server, port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", server.path, load.body, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise StartError(f"its first answer is a {answer.status}")


def _stream_kb(server: Server, process: Running, core: int, idle_kb: int) -> float | None:
    # One that is slow would still be opening them while the first end.
    load = _OPEN.load(server, process.port)
    load = msgspec.structs.replace(load, streams=STREAMS // server.slowness)
    asking = start_load(load, core)
    time.sleep(_OPEN_SECONDS)
    open_kb = memory_kb(process)
    said = read_result(asking)
    return None if said["errors"] else (open_kb - idle_kb) / load.streams


def import_seconds(rounds: int = 5) -> float:
    """Return how long a new interpreter takes for `import adapter`, less what it takes for nothing."""
    return median(_run("import adapter") - _run("pass") for _ in range(rounds))


def _run(program: str) -> float:
    before = time.monotonic()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)  # noqa: S603  # ours
    return time.monotonic() - before


def memory_kb(process: Running) -> int:
    """Return the memory of a server, with its descendants."""
    return sum(map(_pss_kb, process.pids()))


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended since it was listed
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def format_table(footprints: Sequence[Footprint]) -> str:
    """Return the footprints as a table for a terminal."""
    lines = [f"{'server':24}{'start s':>9}{'idle MB':>9}{'kB per open stream':>20}"]
    lines += [
        f"{each.server:24}{each.start_seconds:9.2f}{each.idle_mb:9.1f}"
        + (f"{each.stream_kb:20.1f}" if each.stream_kb is not None else f"{'-':>20}")
        for each in footprints
    ]
    return "\n".join(lines)
