"""Measurements made into figures: medians and spread, ratios, and a table of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

DIRECT = "direct"
SAME_STACK = "pass-through"

_HEADINGS = (
    "scenario",
    "server",
    "CPU µs",
    "(low-high)",
    "per",
    "÷ pass-through",
    "first event ms",
    "added p50 ms",
    "added p99 ms",
    "first text p50",
    "first text p99",
    "whole ms",
    "errors",
)
_TEXT_COLUMNS = 2  # the rest are numbers, and stand to the right


class Measurement(msgspec.Struct, frozen=True):
    """One load on one server, once.

    Attributes:
        unit: what the CPU time is given for, a delta or a request.
        cpu_us: CPU time of the server for each unit, in microseconds.
        first_event_p50_ms: from sending a request to the first event of its answer, which need not
            wait for the model server.
        first_delta_p50_ms: to the first text of it, which must.
        stream_p50_ms: from sending a request to the end of its answer.
        events: `data:` lines that came.
        errors: what went wrong, and how often.
    """

    scenario: str
    server: str
    unit: str
    cpu_us: float
    first_event_p50_ms: float | None
    first_event_p99_ms: float | None
    first_delta_p50_ms: float | None
    first_delta_p99_ms: float | None
    stream_p50_ms: float | None
    events: int
    errors: dict[str, int]


class Figure(msgspec.Struct, frozen=True):
    """The median of some rounds, and what they ranged over."""

    median: float
    low: float
    high: float


class Row(msgspec.Struct, frozen=True):
    """All rounds of one server in one scenario.

    Attributes:
        cpu_ratio: the median CPU time divided by that of the pass-through in the same stack.
        added_p50_ms: what the median first event comes later than without the server.
        delta_p50_ms: what the median first text does.
    """

    scenario: str
    server: str
    unit: str
    rounds: int
    cpu_us: Figure
    cpu_ratio: float | None
    first_event_p50_ms: Figure | None
    first_event_p99_ms: Figure | None
    added_p50_ms: float | None
    added_p99_ms: float | None
    delta_p50_ms: float | None
    delta_p99_ms: float | None
    stream_p50_ms: Figure | None
    errors: dict[str, int]


def summarise(measurements: Sequence[Measurement]) -> list[Row]:
    """Return one row for each server in each scenario, in the order of their first rounds."""
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for each in measurements:
        groups.setdefault((each.scenario, each.server), []).append(each)
    return [
        _row(group, groups.get((scenario, DIRECT), []), groups.get((scenario, SAME_STACK), []))
        for (scenario, _), group in groups.items()
    ]


def _row(
    group: Sequence[Measurement], direct: Sequence[Measurement], same_stack: Sequence[Measurement]
) -> Row:
    cpu = _required_figure([each.cpu_us for each in group])
    floor = _figure(each.cpu_us for each in same_stack)
    p50 = _figure(each.first_event_p50_ms for each in group)
    p99 = _figure(each.first_event_p99_ms for each in group)
    errors: Counter[str] = Counter()
    for each in group:
        errors.update(each.errors)
    return Row(
        scenario=group[0].scenario,
        server=group[0].server,
        unit=group[0].unit,
        rounds=len(group),
        cpu_us=cpu,
        cpu_ratio=cpu.median / floor.median if floor is not None else None,
        first_event_p50_ms=p50,
        first_event_p99_ms=p99,
        added_p50_ms=_added(group, direct, "first_event_p50_ms"),
        added_p99_ms=_added(group, direct, "first_event_p99_ms"),
        delta_p50_ms=_added(group, direct, "first_delta_p50_ms"),
        delta_p99_ms=_added(group, direct, "first_delta_p99_ms"),
        stream_p50_ms=_figure(each.stream_p50_ms for each in group),
        errors=dict(errors),
    )


def _figure(values: Iterable[float | None]) -> Figure | None:
    known = [value for value in values if value is not None]
    return _required_figure(known) if known else None


def _required_figure(values: Sequence[float]) -> Figure:
    return Figure(median(values), min(values), max(values))


def _added(group: Sequence[Measurement], direct: Sequence[Measurement], field: str) -> float | None:
    ours, floor = (_figure(getattr(each, field) for each in some) for some in (group, direct))
    return ours.median - floor.median if ours is not None and floor is not None else None


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as a table for a terminal."""
    cells = [list(_HEADINGS), *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if index < _TEXT_COLUMNS else text.rjust(width)
            for index, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )


def _cells(row: Row) -> list[str]:
    p50, whole = row.first_event_p50_ms, row.stream_p50_ms
    return [
        row.scenario,
        row.server,
        show_number(row.cpu_us.median),
        f"({show_number(row.cpu_us.low)}-{show_number(row.cpu_us.high)})",
        row.unit,
        show_number(row.cpu_ratio),
        show_number(p50.median if p50 is not None else None),
        show_number(row.added_p50_ms),
        show_number(row.added_p99_ms),
        show_number(row.delta_p50_ms),
        show_number(row.delta_p99_ms),
        show_number(whole.median if whole is not None else None),
        ", ".join(f"{count} {reason}" for reason, count in row.errors.items()) or "0",
    ]


def show_number(value: float | None) -> str:
    """Three significant digits are more than a noisy machine gives."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
