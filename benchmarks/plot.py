"""Measurements as a picture for the README: bars in SVG, written by hand, as they need no library."""

from collections.abc import Sequence
from html import escape

from benchmarks.report import Row

_WIDTH = 720
_NAME_WIDTH = 170
_NUMBER_WIDTH = 70
_BAR = 16
_GAP = 6
_TITLE = 34
_COLOURS = {"adapter": "#2f6fdb", "middleware": "#2f6fdb"}
_OTHER = "#9aa4b2"


def to_svg(rows: Sequence[Row], scenarios: Sequence[str], *, leave_out: Sequence[str] = ()) -> str:
    """Return bars of CPU time, a group for each scenario.

    Args:
        rows: of all scenarios.
        scenarios: to show, in order.
        leave_out: servers not to show.
    """
    parts: list[str] = []
    y = 0
    for name in scenarios:
        group = [row for row in rows if row.scenario == name and row.server not in leave_out]
        if group:
            y = _draw_group(group, y, parts)
    style = "font-family:system-ui,sans-serif;font-size:13px;fill:currentColor"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        f'viewBox="0 0 {_WIDTH} {y}" color="#57606a" style="{style}">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _draw_group(rows: Sequence[Row], y: int, parts: list[str]) -> int:
    longest = max(row.cpu_us.median for row in rows)
    room = _WIDTH - _NAME_WIDTH - _NUMBER_WIDTH
    title = f"{rows[0].scenario}: CPU time per {rows[0].unit}, µs"
    parts.append(f'<text x="0" y="{y + 22}" font-weight="600">{escape(title)}</text>')
    y += _TITLE
    for row in rows:
        value = row.cpu_us.median
        width = max(1, round(room * value / longest))
        middle = y + _BAR - 4
        colour = _COLOURS.get(row.server.partition(",")[0], _OTHER)
        shown = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
        parts.append(f'<text x="0" y="{middle}">{escape(row.server)}</text>')
        parts.append(
            f'<rect x="{_NAME_WIDTH}" y="{y}" width="{width}" height="{_BAR}" fill="{colour}"/>'
        )
        parts.append(f'<text x="{_NAME_WIDTH + width + 6}" y="{middle}">{shown}</text>')
        y += _BAR + _GAP
    return y + _GAP
