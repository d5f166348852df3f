"""`responses-adapter bench`: what one address adds to another, measured from here.

It is small and asks real servers: how fast the adapter itself is, `make bench` measures, with a mock
model server and the CPU of each process.
"""

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from adapter.config import ENV_PREFIX
from adapter.errors import AdapterError

if TYPE_CHECKING:
    from adapter.cli.measure import Figures

_EXAMPLES = """\b
Such as, the model server and the adapter before it:
  responses-adapter bench http://127.0.0.1:8000/v1 http://127.0.0.1:9000/v1
"""
_COLUMNS = (
    ("address", "name"),
    ("errors", "errors"),
    ("first ms p50", "first_p50_ms"),
    ("p99", "first_p99_ms"),
    ("added p50", "added_p50_ms"),
    ("whole ms p50", "whole_p50_ms"),
    ("events/s", "events_per_second"),
)


@click.command(epilog=_EXAMPLES, short_help="Compare addresses: added latency, events a second.")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--model", help="Model to ask. [default: the first that the first address lists]")
@click.option(
    "--api-key",
    envvar=f"{ENV_PREFIX}UPSTREAM_API_KEY",
    show_envvar=True,
    help="Key for all of them.",
)
@click.option("--prompt", default="Count to 12.", show_default=True, help="What to ask.")
@click.option("--max-tokens", default=128, show_default=True, type=click.IntRange(1), help="Each.")
@click.option(
    "--requests", default=20, show_default=True, type=click.IntRange(1), help="To each address."
)
@click.option(
    "--streams", default=4, show_default=True, type=click.IntRange(1), help="At one time."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")
def bench(
    urls: tuple[str, ...],
    model: str | None,
    api_key: str | None,
    prompt: str,
    max_tokens: int,
    requests: int,
    streams: int,
    as_json: bool,
) -> None:
    """Ask the same of several addresses in turn, and show what they add to the first.

    URL is a base URL, such as http://127.0.0.1:8000/v1, or ends in /chat/completions or /responses.
    Of base URLs, the first is asked for chat completions, and the others for responses.
    """
    from adapter.cli.measure import Load, measure

    load = Load(
        prompt=prompt, model=model, max_tokens=max_tokens, requests=requests, streams=streams
    )
    headers = {} if not api_key else {"authorization": f"Bearer {api_key.strip()}"}
    progress = click.progressbar(
        length=requests * len(urls),
        label="asking",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    )
    try:
        with progress:
            figures = asyncio.run(measure(urls, load, headers, on_end=lambda: progress.update(1)))
    except ValueError as exc:
        raise click.UsageError(f"Invalid URL: {exc}.") from exc
    except AdapterError as error:
        raise click.ClickException(error.message) from error
    rows = _rows(figures)
    click.echo(json.dumps(rows, indent=2) if as_json else _table(rows))
    failures = [text for each in figures for text in each.failures]
    if failures:
        raise click.ClickException(f"{len(failures)} requests failed, such as: {failures[0]}")


def _rows(figures: "list[Figures]") -> list[dict[str, Any]]:
    first = figures[0].first_ms(0.5)
    rows = []
    for each in figures:
        median = each.first_ms(0.5)
        known = median is not None and first is not None
        rows.append(
            {
                "name": each.name,
                "requests": each.requests,
                "errors": len(each.failures),
                "first_p50_ms": median,
                "first_p99_ms": each.first_ms(0.99),
                "added_p50_ms": round(median - first, 3) if known and median and first else None,
                "whole_p50_ms": each.whole_ms(0.5),
                "events": each.events,
                "events_per_second": each.events_per_second(),
            }
        )
    return rows


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [[title for title, _ in _COLUMNS]]
    cells += [[_cell(row[key]) for _, key in _COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if index else text.ljust(width)
            for index, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    return os.linesep.join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
