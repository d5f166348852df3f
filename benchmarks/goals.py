"""What the adapter may cost, against what a run has measured.

    python -m benchmarks.run --goals --json run.json    # as much as the goals need
    python -m benchmarks.goals run.json                 # the table again, of any run

Ratios are those of medians; behind them, the lowest and the highest of a single round. What a run
did not measure, or where requests failed, has a dash.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.report import Figure, show_number
from benchmarks.results import Results

# What `--goals` measures; a peer by the name of responses.js is compared, too.
SERVERS = (
    *("nginx", "pass-through", "adapter", "adapter, metrics and traces", "app", "middleware"),
    "litellm",
)
SCENARIOS = (
    *("burst", "paced", "short", "non-stream", "64 chunks", "1,000 streams", "input 200 kB"),
)

_OURS = "adapter"


class Goal(msgspec.Struct, frozen=True):
    """One figure and its limit.

    Attributes:
        is_met_above: the limit is the least that it should be, and not the most.
        next_limit: where to go from there.
    """

    name: str
    limit: float
    find: Callable[[Results], Figure | None]
    is_met_above: bool = False
    next_limit: float | None = None

    def is_met(self, figure: Figure) -> bool:
        return figure.median >= self.limit if self.is_met_above else figure.median <= self.limit


def _ratio(scenario: str, of: str, by: str, by_scenario: str = "") -> Callable[..., Figure | None]:
    """Divide the CPU time of one server by that of another, in the same scenario or another."""

    def find(results: Results) -> Figure | None:
        ours = results.cpu_us(scenario, of)
        theirs = results.cpu_us(by_scenario or scenario, by)
        return _divided(ours, theirs)

    return find


def _divided(above: Sequence[float], below: Sequence[float]) -> Figure | None:
    if not above or not below:
        return None
    single = [one / other for one, other in zip(above, below, strict=False)]
    return Figure(median(above) / median(below), min(single), max(single))


def _without_app(results: Results) -> Figure | None:
    both = zip(results.cpu_us("short", "middleware"), results.cpu_us("short", "app"), strict=False)
    return _divided([one - app for one, app in both], results.cpu_us("short", _OURS))


def _figure(value: float | None) -> Figure | None:
    return None if value is None else Figure(value, value, value)


def _added(scenario: str, field: str) -> Callable[..., Figure | None]:
    def find(results: Results) -> Figure | None:
        row = results.row(scenario, _OURS)
        return None if row is None or row.errors else _figure(getattr(row, field))

    return find


def _errors(results: Results) -> Figure | None:
    row = results.row("1,000 streams", _OURS)
    return None if row is None else _figure(sum(row.errors.values()))


def _memory(results: Results) -> Figure | None:
    ours, theirs = results.footprint(_OURS), results.footprint("pass-through")
    if ours is None or theirs is None or not ours.stream_kb or not theirs.stream_kb:
        return None
    return _figure(ours.stream_kb / theirs.stream_kb)


def _cpu_ms(results: Results) -> Figure | None:
    values = [each / 1000 for each in results.cpu_us("input 200 kB", _OURS)]
    return Figure(median(values), min(values), max(values)) if values else None


def _start(results: Results) -> Figure | None:
    ours = results.footprint(_OURS)
    return None if ours is None else _figure(ours.start_seconds)


_TOLD = "adapter, metrics and traces"
_JS = "responses.js"

GOALS = (
    Goal("paced delta ÷ pass-through", 1.15, _ratio("paced", _OURS, "pass-through")),
    Goal("burst delta ÷ nginx", 6, _ratio("burst", _OURS, "nginx"), next_limit=4),
    Goal("burst delta, responses.js ÷ ours", 7, _ratio("burst", _JS, _OURS), is_met_above=True),
    Goal("burst delta, LiteLLM ÷ ours", 150, _ratio("burst", "litellm", _OURS), is_met_above=True),
    Goal("short request ÷ nginx", 7, _ratio("short", _OURS, "nginx"), next_limit=5),
    Goal(
        "non-stream, 64 chunks ÷ their stream through the pass-through",
        1.7,
        _ratio("non-stream", _OURS, "pass-through", "64 chunks"),
    ),
    Goal("non-stream, responses.js ÷ ours", 8, _ratio("non-stream", _JS, _OURS), is_met_above=True),
    Goal("paced, added first event p50, ms", 0.5, _added("paced", "added_p50_ms")),
    Goal("paced, added first event p99, ms", 1.5, _added("paced", "added_p99_ms")),
    Goal("paced, added first text p50, ms", 0.5, _added("paced", "delta_p50_ms")),
    Goal("paced, added first text p99, ms", 1.5, _added("paced", "delta_p99_ms")),
    Goal("1,000 streams, errors", 0, _errors),
    # It is below nothing where the adapter begins before the model server does: `start_grace`.
    Goal("1,000 streams, added first event p99, ms", 30, _added("1,000 streams", "added_p99_ms")),
    Goal("1,000 streams, added first text p99, ms", 30, _added("1,000 streams", "delta_p99_ms")),
    Goal("memory of an open stream ÷ pass-through", 1.5, _memory),
    Goal("200 kB input, non-stream, ms of CPU", 0.45, _cpu_ms),
    Goal("middleware ÷ sidecar, short request", 0.5, _ratio("short", "middleware", _OURS)),
    Goal("the same, without what its app takes by itself", 0.5, _without_app),
    Goal("metrics and traces ÷ without, short request", 1.05, _ratio("short", _TOLD, _OURS)),
    Goal("metrics and traces ÷ without, burst delta", 1.05, _ratio("burst", _TOLD, _OURS)),
    Goal("import adapter, s", 0.15, lambda results: _figure(results.import_seconds)),
    Goal("start to the first answer, s", 0.6, _start),
)


def format_table(results: Results) -> str:
    """Return what was measured of the goals as a table for a terminal; empty if that is nothing."""
    found = [(goal, figure) for goal in GOALS if (figure := goal.find(results)) is not None]
    if not found:
        return ""
    width = max(len(goal.name) for goal, _ in found)
    lines = [f"{'goal':{width}}  {'limit':>12}  {'measured':>8}  {'(low-high)':>14}  met"]
    lines += [_line(goal, figure, width) for goal, figure in found]
    return "\n".join(lines)


def _line(goal: Goal, figure: Figure, width: int) -> str:
    limit = f"{'≥' if goal.is_met_above else '≤'} {goal.limit:g}"
    if goal.next_limit is not None:
        limit += f" ({goal.next_limit:g})"
    told = f"{goal.name:{width}}  {limit:>12}"
    spread = f"({show_number(figure.low)}-{show_number(figure.high)})"
    if figure.low == figure.high:
        spread = ""
    is_met = "yes" if goal.is_met(figure) else "no"
    return f"{told}  {show_number(figure.median):>8}  {spread:>14}  {is_met}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Set a run against the goals.")
    parser.add_argument("file", type=Path, help="what `benchmarks.run --json` wrote")
    print(format_table(Results.read(parser.parse_args().file)))


if __name__ == "__main__":
    main()
