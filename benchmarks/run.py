"""Measure what servers cost between a client and a model server, interleaved in one run.

    python -m benchmarks.run [--rounds 5] [--scenario burst] [--server adapter] [--json FILE]
    python -m benchmarks.run --full          # all rows, ten minutes of steady load, memory, starts
    python -m benchmarks.run --goals         # the rows that `goals.py` compares, memory, starts
    python -m benchmarks.run --peer 'name=command --port $port --upstream $upstream'

All servers run throughout, on one core; the mock upstream and the load share another. Each round
asks every server once, in turning order, so that what else the machine does hits all alike. Only
ratios within one run mean anything on another machine. The rows are in `servers.py` and
`scenarios.py`.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks import drift, footprint, goals
from benchmarks.load import read_result, start_load
from benchmarks.plot import to_svg
from benchmarks.processes import Running, StartError, choose_cores
from benchmarks.report import Measurement, format_table, summarise
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import SERVERS, UPSTREAM, Server, peer, started

PLOTTED = ("burst", "paced", "short", "non-stream")
# Variants of ours would fill the picture, and beside what is slow all others are as wide as a hair.
NOT_PLOTTED = ("direct", *(each.name for each in SERVERS if not each.is_quick))

Choice = TypeVar("Choice", Server, Scenario)


def measure(scenario: Scenario, server: Server, process: Running, load_core: int) -> Measurement:
    """Put the scenario's load on a server, once."""
    before = process.cpu_seconds()
    said = read_result(start_load(scenario.load(server, process.port), load_core))
    cpu_seconds = process.cpu_seconds() - before
    units = max(1, said["completed"]) * scenario.units
    return Measurement(
        scenario=scenario.name,
        server=server.name,
        unit=scenario.unit,
        cpu_us=cpu_seconds * 1e6 / units,
        first_event_p50_ms=said["first_event_ms"]["p50"],
        first_event_p99_ms=said["first_event_ms"]["p99"],
        first_delta_p50_ms=said["first_delta_ms"]["p50"],
        first_delta_p99_ms=said["first_delta_ms"]["p99"],
        stream_p50_ms=said["stream_ms"]["p50"],
        events=said["events"],
        errors=said["errors"],
    )


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
            fitting = [turn for turn in turns if scenario.fits(turn[0])]
            for turn in fitting:
                measure(scenario, *turn, load_core)  # to warm up
            for index in range(rounds):
                shift = index % len(fitting)
                order = fitting[shift:] + fitting[:shift]
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


def measure_drift(minutes: float) -> drift.Drift:
    """Measure the adapter under steady load."""
    _say(f"steady load for {minutes:g} minutes ...")
    ours = next(each for each in SERVERS if each.name == "adapter")
    cores = choose_cores()
    with started(UPSTREAM, cores[1]) as upstream:
        return drift.measure(ours, cores, f"http://127.0.0.1:{upstream.port}/v1", minutes)


def _parse() -> argparse.Namespace:
    servers = {each.name: each for each in SERVERS}
    scenarios = {each.name: each for each in SCENARIOS}
    parser = argparse.ArgumentParser(description="Measure what servers between cost.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="all servers and scenarios")
    parser.add_argument("--goals", action="store_true", help="what the goals are about")
    parser.add_argument("--memory", action="store_true", help="memory and starts, too")
    parser.add_argument(
        "--steady", type=float, metavar="MINUTES", help="of steady load, too; --full: 10"
    )
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
    if options.goals:
        options.server = options.server or goals.SERVERS
        options.scenario = options.scenario or goals.SCENARIOS
    options.servers = _chosen(SERVERS, options.server, options.full) + options.peer
    options.scenarios = _chosen(SCENARIOS, options.scenario, options.full)
    options.memory |= options.full or options.goals
    if options.steady is None:
        options.steady = 10.0 if options.full else 0.0
    return options


def _chosen(
    known: Sequence[Choice], names: Sequence[str] | None, all_of_them: bool
) -> list[Choice]:
    if names:
        return [each for each in known if each.name in names]
    return [each for each in known if each.is_quick or all_of_them]


def main() -> None:
    options = _parse()
    measurements = run(options.servers, options.scenarios, options.rounds)
    results = Results(summarise(measurements), measurements)
    print(format_table(results.rows))
    if options.svg is not None:
        options.svg.write_text(to_svg(results.rows, PLOTTED, leave_out=NOT_PLOTTED))
    _keep(results, options.json)
    if options.memory:
        results = msgspec.structs.replace(
            results,
            footprints=measure_footprints(options.servers),
            import_seconds=footprint.import_seconds(),
        )
        print(f"\n{footprint.format_table(results.footprints)}")
        print(f"import adapter: {results.import_seconds:.2f} s")
        _keep(results, options.json)
    if options.steady:
        results = msgspec.structs.replace(results, drifts=[measure_drift(options.steady)])
        print(f"\n{drift.format_table(results.drifts)}")
        _keep(results, options.json)
    print(f"\n{goals.format_table(results)}")


def _keep(results: Results, file: Path | None) -> None:
    """Write what there is as soon as it is there: all of it takes long."""
    if file is not None:
        results.write(file)


if __name__ == "__main__":
    main()
