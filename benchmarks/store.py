"""Measure what stores take to keep responses: how many a second, and how much room for each.

    python -m benchmarks.store [--store URL ...] [--seconds 3] [--writers 1 32]

Without `--store` those that need no server: in memory, and SQLite with and without waiting for the
disk. A store that is named should be empty, and is not cleaned up. The kinds of
responses: `answer`, two short messages, and `agent`, a call of a tool with the instructions and the
tools of an agent. Only ratios within one run mean anything on another machine.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec

from adapter.store import open_store
from adapter.store.base import ResponseRecord

OWNER = "0123456789abcdef" * 4
_WORDS = (Path(__file__).parent.parent / "README.md").read_text().split()
_HEADINGS = ("store", "kind", "writers", "saves/s", "CPU µs", "p50 ms", "p99 ms", "bytes/response")


class Figures(msgspec.Struct, frozen=True):
    """One store under one number of writers.

    Attributes:
        cpu_us: CPU time of this process for each save, the made-up response included.
        bytes_per_response: on disk, in memory for Redis, with the indexes.
    """

    store: str
    kind: str
    writers: int
    saves_per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    bytes_per_response: float | None


def made_response(luck: random.Random, *, is_agent: bool) -> ResponseRecord:
    """Return a response with ids and words of its own, about as long as those of clients are."""
    id = f"resp_{luck.randbytes(24).hex()}"
    asked = _message(luck, "user", "input_text", 30)
    said: dict[str, Any] = _message(luck, "assistant", "output_text", 80)
    if is_agent:
        said = {
            "type": "function_call",
            "id": f"fc_{luck.randbytes(24).hex()}",
            "call_id": f"call_{luck.randbytes(12).hex()}",
            "name": "shell",
            "arguments": json.dumps({"command": _words(luck, 8)}),
            "status": "completed",
        }
    response = {
        "id": id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": _words(random.Random(1), 800) if is_agent else None,
        "max_output_tokens": None,
        "model": "model-8b-instruct",
        "output": [said],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": _tools(10) if is_agent else [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": luck.randrange(9000),
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": luck.randrange(900),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": luck.randrange(9900),
        },
        "metadata": {},
    }
    return ResponseRecord(
        id=id,
        owner=OWNER,
        created_at=time.time(),
        expires_at=time.time() + 30 * 86_400,
        status="completed",
        response=msgspec.json.encode(response),
        input=msgspec.json.encode([asked]),
        item_ids=(asked["id"], said["id"]),
    )


def _message(luck: random.Random, role: str, part: str, words: int) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"msg_{luck.randbytes(24).hex()}",
        "status": "completed",
        "role": role,
        "content": [{"type": part, "text": _words(luck, words)}],
    }


def _words(luck: random.Random, count: int) -> str:
    return " ".join(luck.choices(_WORDS, k=count))


def _tools(count: int) -> list[dict[str, Any]]:
    luck = random.Random(2)
    path = {"type": "string", "description": _words(luck, 10)}
    schema = {"type": "object", "properties": {"path": path}, "required": ["path"]}
    about = {"description": _words(luck, 20), "parameters": schema, "strict": True}
    return [{"type": "function", "name": f"tool_{number}", **about} for number in range(count)]


async def measure(url: str, kind: str, writers: int, seconds: float) -> Figures:
    """Have so many writers save one response after another, for a time."""
    luck = random.Random(time.time_ns())
    # Made before, so that only the store is measured; then each gets ids of its own.
    made = [made_response(luck, is_agent=kind == "agent") for _ in range(500)]
    took: list[float] = []
    async with open_store(url) as store:
        before = await asyncio.to_thread(_size, url)
        begun, cpu = time.perf_counter(), time.process_time()

        async def write(writer: int) -> None:
            number = writer
            while time.perf_counter() < begun + seconds:
                record = _renamed(made[number % len(made)], f"-{luck.random()}")
                saving = time.perf_counter()
                await store.save(record)
                took.append(time.perf_counter() - saving)
                number += writers

        await asyncio.gather(*(write(writer) for writer in range(writers)))
        elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    after = await asyncio.to_thread(_size, url)
    percentiles = quantiles(took, n=100)
    return Figures(
        store=_name(url),
        kind=kind,
        writers=writers,
        saves_per_second=len(took) / elapsed,
        cpu_us=cpu / len(took) * 1e6,
        p50_ms=percentiles[49] * 1000,
        p99_ms=percentiles[98] * 1000,
        bytes_per_response=None
        if before is None or after is None
        else (after - before) / len(took),
    )


def _renamed(record: ResponseRecord, ending: str) -> ResponseRecord:
    return msgspec.structs.replace(
        record, id=record.id + ending, item_ids=tuple(id + ending for id in record.item_ids)
    )


def _name(url: str) -> str:
    return url.partition(":")[0] + "?full" * url.endswith("synchronous=full")


def _size(url: str) -> int | None:
    """Return how much room a store takes, where somebody tells."""
    scheme, _, rest = url.partition(":///")
    if scheme == "sqlite":
        path = Path(rest.partition("?")[0])
        files = path.parent.glob(f"{path.name}*")
        return sum(file.stat().st_size for file in files)
    if scheme.startswith("postgres"):
        import psycopg

        sizes = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
            WHERE relkind = 'r' AND relname LIKE 'adapter%' AND pg_table_is_visible(oid)"""
        with psycopg.connect(url) as connection:
            found = connection.execute(sizes).fetchone()
            return None if found is None else int(found[0])
    return None


def format_table(figures: Sequence[Figures]) -> str:
    cells = [_HEADINGS, *(_cells(each) for each in figures)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in cells
    )
    return "\n".join(lines)


def _cells(figures: Figures) -> tuple[str, ...]:
    room = figures.bytes_per_response
    return (
        figures.store,
        figures.kind,
        str(figures.writers),
        f"{figures.saves_per_second:.0f}",
        f"{figures.cpu_us:.0f}",
        f"{figures.p50_ms:.2f}",
        f"{figures.p99_ms:.2f}",
        "-" if room is None else f"{room:.0f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what stores take to keep responses.")
    parser.add_argument("--store", action="append", metavar="URL", help="repeatable")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 32])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = f"sqlite:///{folder}/store.db"
        urls = options.store or ["memory:", file, f"{file}?synchronous=full"]
        figures = [
            asyncio.run(measure(url, kind, writers, options.seconds))
            for url in urls
            for kind in ("answer", "agent")
            for writers in options.writers
        ]
    print(format_table(figures))


if __name__ == "__main__":
    main()
