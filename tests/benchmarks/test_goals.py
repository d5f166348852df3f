"""Goals are set against what a run has measured, and against nothing else."""

from pathlib import Path

import pytest

from benchmarks.drift import Drift
from benchmarks.footprint import Footprint
from benchmarks.goals import GOALS, SCENARIOS, SERVERS, format_table
from benchmarks.report import Figure, Measurement, summarise
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS as ALL_SCENARIOS
from benchmarks.servers import SERVERS as ALL_SERVERS

CPU_US = {
    "direct": 1.0,
    "nginx": 10.0,
    "pass-through": 20.0,
    "adapter": 30.0,
    "adapter, metrics and traces": 33.0,
    "app": 6.0,
    "middleware": 18.0,
    "litellm": 3000.0,
    "responses.js": 300.0,
}


def results(*, errors: int = 0) -> Results:
    measurements = [
        Measurement(
            scenario=scenario,
            server=server,
            unit="request",
            cpu_us=cpu_us * (2 if scenario == "64 chunks" else 1) * factor,
            first_event_p50_ms=cpu_us / 100,
            first_event_p99_ms=cpu_us / 10,
            first_delta_p50_ms=cpu_us / 50,
            first_delta_p99_ms=cpu_us / 5,
            stream_p50_ms=1.0,
            events=1,
            errors={"status 500": errors} if errors and server == "adapter" else {},
        )
        for scenario in SCENARIOS
        for server, cpu_us in CPU_US.items()
        for factor in (1.0, 1.1, 0.8)
    ]
    footprints = [
        Footprint("adapter", start_seconds=0.7, idle_mb=30.0, stream_kb=30.0),
        Footprint("pass-through", start_seconds=0.5, idle_mb=20.0, stream_kb=20.0),
    ]
    drifts = [Drift("adapter", 60.0, [1.0] * 10, [40.0] * 10, {})]
    return Results(summarise(measurements), measurements, footprints, 0.125, drifts)


def found(results: Results) -> dict[str, float | None]:
    figures = {goal.name: goal.find(results) for goal in GOALS}
    return {name: figure and round(figure.median, 3) for name, figure in figures.items()}


def test_every_goal_has_its_figure() -> None:
    assert found(results()) == {
        "paced delta ÷ pass-through": 1.5,
        "burst delta ÷ nginx": 3,
        "burst delta, responses.js ÷ ours": 10,
        "burst delta, LiteLLM ÷ ours": 100,
        "short request ÷ nginx": 3,
        "non-stream, 64 chunks ÷ their stream through the pass-through": 0.75,
        "non-stream, responses.js ÷ ours": 10,
        "paced, added first event p50, ms": 0.29,
        "paced, added first event p99, ms": 2.9,
        "paced, added first text p50, ms": 0.58,
        "paced, added first text p99, ms": 5.8,
        "1,000 streams, errors": 0,
        "1,000 streams, added first event p99, ms": 2.9,
        "1,000 streams, added first text p99, ms": 5.8,
        "memory of an open stream ÷ pass-through": 1.5,
        "200 kB input, non-stream, ms of CPU": 0.03,
        "middleware ÷ sidecar, short request": 0.6,
        "the same, without what its app takes by itself": 0.4,
        "metrics and traces ÷ without, short request": 1.1,
        "metrics and traces ÷ without, burst delta": 1.1,
        "import adapter, s": 0.125,
        "start to the first answer, s": 0.7,
    }


def test_ratio_has_the_spread_of_single_rounds() -> None:
    run = results()
    ours = [each for each in run.measurements if each.server == "adapter"]
    slower = Measurement(**{name: getattr(ours[0], name) for name in ours[0].__struct_fields__})
    run = Results(run.rows, [slower, *run.measurements])
    goal = next(each for each in GOALS if each.name == "burst delta ÷ nginx")

    assert goal.find(run) == Figure(3, pytest.approx(30 / 11), pytest.approx(33 / 8))


def test_run_with_nothing_in_it_has_no_figures() -> None:
    assert set(found(Results([], [])).values()) == {None}


def test_failed_requests_give_no_figure_but_their_number() -> None:
    told = found(results(errors=2))

    assert told["burst delta ÷ nginx"] is None
    assert told["paced, added first event p50, ms"] is None
    assert told["1,000 streams, errors"] == 6


def test_table_says_what_is_met_from_above_and_from_below() -> None:
    lines = {line.split("  ")[0]: line for line in format_table(results()).splitlines()}

    assert lines["burst delta ÷ nginx"].endswith("yes")
    assert lines["paced delta ÷ pass-through"].endswith("no")
    assert lines["burst delta, responses.js ÷ ours"].endswith("yes")
    assert lines["burst delta, LiteLLM ÷ ours"].endswith("no")
    assert format_table(Results([], [])) == ""


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results().write(tmp_path / "run.json")

    assert Results.read(tmp_path / "run.json") == results()


def test_what_the_goals_name_is_there() -> None:
    assert {each.name for each in ALL_SERVERS} >= set(SERVERS)
    assert {each.name for each in ALL_SCENARIOS} >= set(SCENARIOS)
