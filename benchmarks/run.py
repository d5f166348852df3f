"""Measure what servers cost between a client and a model server, interleaved in one run.

    python -m benchmarks.run [--rounds 5] [--scenario burst] [--server adapter] [--json FILE]
    python -m benchmarks.run --full          # all rows, ten minutes of steady load, memory, starts
    python -m benchmarks.run --peer 'name=command --port $port --upstream $upstream'

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

from benchmarks import footprint
from benchmarks.plot import to_svg
from benchmarks.processes import Running, StartError, choose_cores, pinned_to
from benchmarks.report import Measurement, format_table, summarise
from benchmarks.scenarios import SCENARIOS, SOAK, Scenario
from benchmarks.servers import FOLDER, SERVERS, UPSTREAM, Server, peer, started

PLOTTED = ("burst", "paced", "short", "non-stream")


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


def measure_footprints(servers: Sequence[Server]) -> list[footprint.Footprint]:
    """Measure the memory and the start of every server that can be started."""
    cores = choose_cores()
    found = []
    with started(UPSTREAM, cores[1]) as upstream:
        for server in servers:
            _say(f"memory of {server.name} ...")
            if not server.is_installed():
                continue
            try:
                url = f"http://127.0.0.1:{upstream.port}/v1"
                found.append(footprint.measure(server, cores, url))
            except StartError as exc:
                _say(f"{server.name} did not start: {exc}")
    return found


def _parse() -> argparse.Namespace:
    servers = {each.name: each for each in SERVERS}
    scenarios = {each.name: each for each in (*SCENARIOS, SOAK)}
    parser = argparse.ArgumentParser(description="Measure what servers between cost.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="all servers and scenarios")
    parser.add_argument("--memory", action="store_true", help="memory and starts, too")
    parser.add_argument(
        "--server", action="append", choices=servers, help="repeatable; default: the quick ones"
    )
    parser.add_argument(
        "--scenario", action="append", choices=scenarios, help="repeatable; default: the quick ones"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=peer,
        metavar="NAME=COMMAND",
        help="another server, repeatable",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the main ones there")
    options = parser.parse_args()
    options.servers = [servers[name] for name in options.server or servers]
    options.scenarios = [scenarios[name] for name in options.scenario or scenarios]
    if not options.full:
        options.servers = [each for each in options.servers if options.server or each.is_quick]
        options.scenarios = [
            each for each in options.scenarios if options.scenario or each.is_quick
        ]
    options.servers += options.peer
    return options


def main() -> None:
    options = _parse()
    soaks = [each for each in options.scenarios if each is SOAK]
    others = [each for each in options.scenarios if each is not SOAK]
    measurements = run(options.servers, others, options.rounds)
    if soaks:  # one server, one round: it is long
        adapter = [each for each in options.servers if each.name == "adapter"]
        measurements += run(adapter, soaks, 1)
    rows = summarise(measurements)
    print(format_table(rows))
    footprints = measure_footprints(options.servers) if options.full or options.memory else []
    if footprints:
        print(f"\n{footprint.format_table(footprints)}")
        print(f"import adapter: {footprint.import_seconds():.2f} s")
    if options.json is not None:
        figures = {"rows": rows, "footprints": footprints, "measurements": measurements}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    if options.svg is not None:
        options.svg.write_text(to_svg(rows, PLOTTED, leave_out=("direct",)))


if __name__ == "__main__":
    main()
