"""Memory and start-up of servers: what they cost while nothing is asked, and for each open stream.

Linux only: the proportional set size of `/proc`, which counts shared pages once.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.processes import ROOT, Running, pinned_to
from benchmarks.servers import FOLDER, Server, started

STREAMS = 1000
# The first chunk comes after 8 s: until then all streams are open, and nothing else is held.
_MODEL = "paced-2-8000"
_OPEN_SECONDS = 5.0
_LIMIT_SECONDS = 60.0


class Footprint(msgspec.Struct, frozen=True):
    """What one server takes.

    Attributes:
        start_seconds: from its command to the first answer.
        idle_mb: memory before the first request.
        stream_kb: more memory for each of many open streams.
    """

    server: str
    start_seconds: float
    idle_mb: float
    stream_kb: float | None


def measure(server: Server, cores: tuple[int, int], upstream: str) -> Footprint:
    """Start a server by itself, and open many streams on it.

    Raises:
        StartError: it did not come to listen.
    """
    server_core, load_core = cores
    before = time.monotonic()
    with started(server, server_core, upstream) as process:
        start_seconds = time.monotonic() - before
        idle_kb = _memory_kb(process)
        open_kb = _with_open_streams(server, process, load_core)
    return Footprint(
        server.name,
        start_seconds,
        idle_kb / 1024,
        None if open_kb is None else (open_kb - idle_kb) / STREAMS,
    )


def import_seconds(rounds: int = 5) -> float:
    """Return how long a new interpreter takes for `import adapter`, less what it takes for nothing."""
    return median(_run("import adapter") - _run("pass") for _ in range(rounds))


def _run(program: str) -> float:
    before = time.monotonic()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)  # noqa: S603  # ours
    return time.monotonic() - before


def _with_open_streams(server: Server, process: Running, core: int) -> int | None:
    fields = {"model": _MODEL, "stream": True}
    chat = {"messages": [{"role": "user", "content": "Hello"}]}
    body = fields | (chat if server.kind == "chat" else {"input": "Hello"})
    url = f"http://127.0.0.1:{process.port}{server.path}"
    command = [sys.executable, str(FOLDER / "load.py"), url, "--streams", str(STREAMS)]
    command += ["--ramp-seconds", "2", "--limit-seconds", str(_LIMIT_SECONDS)]
    with pinned_to(core):
        load = subprocess.Popen(  # noqa: S603  # our own script, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    assert load.stdin is not None
    load.stdin.write(json.dumps(body).encode())
    load.stdin.close()
    time.sleep(_OPEN_SECONDS)
    found = _memory_kb(process)
    assert load.stdout is not None
    said = json.loads(load.stdout.read())
    load.wait()
    return None if said["errors"] else found


def _memory_kb(process: Running) -> int:
    return sum(_pss_kb(pid) for pid in process.pids())


def _pss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def format_table(footprints: list[Footprint]) -> str:
    """Return the footprints as a table for a terminal."""
    lines = [f"{'server':24}{'start s':>9}{'idle MB':>9}{'kB per open stream':>20}"]
    lines += [
        f"{each.server:24}{each.start_seconds:9.2f}{each.idle_mb:9.1f}"
        + (f"{each.stream_kb:20.1f}" if each.stream_kb is not None else f"{'-':>20}")
        for each in footprints
    ]
    return "\n".join(lines)
