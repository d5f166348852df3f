"""The findings as a table for people: aligned, and wrapped to the width of a terminal."""

import textwrap
from collections.abc import Callable

from adapter.probe.check import Grade
from adapter.probe.report import Finding, Report, printable

Paint = Callable[[str, Grade], str]
_HEAD = ("CHECK", "WHAT IT DOES", "WHAT THE ADAPTER DOES ABOUT IT")
_GAP = "  "
_MARKS: dict[Grade, str] = {"fine": " ", "met": "~", "lost": "!", "unclear": "?"}
_LEGEND = "~ the adapter makes up for it   ! it cannot   ? not known"
MIN_COLUMN = 20


def render(report: Report, width: int, paint: Paint) -> str:
    """Return the table.

    Args:
        report: what was found.
        width: characters of a line.
        paint: colours a text by its grade, without changing its length on the screen.
    """
    names = max(len(_HEAD[0]), *(len(each.check) for each in report.findings))
    rest = width - names - 2 * len(_GAP) - 2
    wide = max(MIN_COLUMN, rest * 55 // 100)
    widths = (names, wide, max(MIN_COLUMN, rest - wide))
    lines = [printable(f"{report.url}, model {report.model}"), ""]
    lines += ["  " + _line(_HEAD, widths), "  " + _GAP.join("-" * each for each in widths)]
    for finding in report.findings:
        lines += _rows(finding, widths, paint)
    lines += ["", _LEGEND, f"{report.requests} requests, about {report.tokens} tokens"]
    if report.facts:
        facts = ", ".join(report.facts)
        lines.append(f"To be written with --write, other than in {report.base.name}: {facts}")
    return "\n".join(lines)


def _rows(finding: Finding, widths: tuple[int, int, int], paint: Paint) -> list[str]:
    _, wide, narrow = widths
    found = textwrap.wrap(finding.finding, wide) or [""]
    action = textwrap.wrap(finding.action, narrow) or [""]
    rows = []
    for number in range(max(len(found), len(action))):
        mark = _MARKS[finding.grade] if number == 0 else " "
        cells = (
            finding.check if number == 0 else "",
            found[number] if number < len(found) else "",
            action[number] if number < len(action) else "",
        )
        row = f"{mark} {_line(cells, widths)}"
        rows.append(paint(row, finding.grade))
    return rows


def _line(cells: tuple[str, str, str], widths: tuple[int, int, int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
