"""Measure what servers cost between a client and a model server, interleaved in one run.

    python -m benchmarks.run [--rounds 5] [--scenario burst] [--server adapter] [--json FILE]

All servers run throughout, on one core; the mock upstream and the load share another. Each round
asks every server once, in turning order, so that what else the machine does hits all alike. Only
ratios within one run mean anything on another machine. The rows are in `servers.py` and
`scenarios.py`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.processes import Running, StartError, choose_cores, pinned_to
from benchmarks.report import Measurement, format_table, summarise
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import FOLDER, SERVERS, UPSTREAM, Server, started


def measure(scenario: Scenario, server: Server, process: Running, load_core: int) -> Measurement:
    """Put the scenario's load on a server, once."""
    before = process.cpu_seconds()
    said = _load(scenario, server, process.port, load_core)
    cpu_seconds = process.cpu_seconds() - before
    units = scenario.streams * scenario.requests * scenario.units
    return Measurement(
        scenario=scenario.name,
        server=server.name,
        unit=scenario.unit,
        cpu_us=cpu_seconds * 1e6 / units,
        first_event_p50_ms=said["first_event_ms"]["p50"],
        first_event_p99_ms=said["first_event_ms"]["p99"],
        stream_p50_ms=said["stream_ms"]["p50"],
        events=said["events"],
        errors=said["errors"],
    )


def _load(scenario: Scenario, server: Server, port: int, core: int) -> Any:
    command = [sys.executable, str(FOLDER / "load.py"), f"http://127.0.0.1:{port}{server.path}"]
    command += ["--streams", str(scenario.streams), "--rounds", str(scenario.requests)]
    command += ["--ramp-seconds", str(scenario.ramp_seconds)]
    command += ["--limit-seconds", str(scenario.limit_seconds)]
    with pinned_to(core):
        done = subprocess.run(  # noqa: S603  # our own script, no shell
            command, input=scenario.body(server.kind), stdout=subprocess.PIPE, check=True
        )
    return json.loads(done.stdout)


def run(servers: Sequence[Server], scenarios: Sequence[Scenario], rounds: int) -> list[Measurement]:
    """Measure every server that can be started, and the upstream alone, in every scenario."""
    server_core, load_core = choose_cores()
    measurements = []
    with ExitStack() as stack:
        upstream = stack.enter_context(started(UPSTREAM, load_core))
        turns = [(UPSTREAM, upstream)]
        for server in servers:
            url = f"http://127.0.0.1:{upstream.port}/v1"
            if process := _start(server, server_core, url, stack):
                turns.append((server, process))
        for scenario in scenarios:
            _say(f"{scenario.name} ...")
            for turn in turns:
                measure(scenario, *turn, load_core)  # to warm up
            for index in range(rounds):
                shift = index % len(turns)
                order = turns[shift:] + turns[:shift]
                measurements += [measure(scenario, *turn, load_core) for turn in order]
    return measurements


def _start(server: Server, core: int, upstream: str, stack: ExitStack) -> Running | None:
    """Start a server until the stack closes; say why, if it cannot be."""
    if not server.is_installed():
        _say(f"{server.name}: {server.program} is not installed")
        return None
    try:
        return stack.enter_context(started(server, core, upstream))
    except StartError as exc:
        _say(f"{server.name} did not start: {exc}")
        return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    servers = {each.name: each for each in SERVERS}
    scenarios = {each.name: each for each in SCENARIOS}
    parser = argparse.ArgumentParser(description="Measure what servers between cost.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--server", action="append", choices=servers, help="repeatable; default: all"
    )
    parser.add_argument(
        "--scenario", action="append", choices=scenarios, help="repeatable; default: all"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    measurements = run(
        [servers[name] for name in options.server or servers],
        [scenarios[name] for name in options.scenario or scenarios],
        options.rounds,
    )
    rows = summarise(measurements)
    print(format_table(rows))
    if options.json is not None:
        figures = {"rows": rows, "measurements": measurements}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


if __name__ == "__main__":
    main()
