"""Has the hot path become slower? Its time against that of a fixed loop, compared with what was recorded.

    python -m benchmarks.guard            # make bench-guard; fails beyond 1.5 times the record
    python -m benchmarks.guard --record   # after a change that is meant to cost, or to save

Times of different machines cannot be compared; how many loops of plain Python a request costs can,
roughly. The margin is wide, so that only what anybody would notice fails.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.micro.stages import DELTAS, adapt, answer, request_body
from benchmarks.micro.whole import ReadyUpstream, adapter, post

RECORD = Path(__file__).parent / "guard.json"
MARGIN = 1.5
_ROUNDS = 15
_ROUND_SECONDS = 0.02


def reference() -> object:
    """Do what interpreted code does: calls, attributes, small objects, dicts, bytes."""

    class Thing:
        def __init__(self, number: int) -> None:
            self.number = number

        def text(self) -> str:
            return f"thing {self.number}"

    found: dict[str, bytes] = {}
    for number in range(100):
        text = Thing(number).text()
        if text not in found:
            found[text] = text.encode() + b"\n"
    return b"".join(found.values()).split(b"\n")


def _request(loop: asyncio.AbstractEventLoop) -> Callable[[], object]:
    app, body = adapter(ReadyUpstream([b"".join(answer("short", 4))])), request_body()

    def run() -> int:
        return loop.run_until_complete(post(app, body))

    return run


def subjects(loop: asyncio.AbstractEventLoop) -> dict[str, Callable[[], object]]:
    """Return what is guarded, by name; `loop` runs what waits."""
    single, whole = answer("burst"), b"".join(answer("burst"))
    return {
        f"{DELTAS} deltas, a read for each": lambda: adapt(single),
        f"{DELTAS} deltas, one read": lambda: adapt([whole]),
        "a whole short request": _request(loop),
    }


def ratios() -> dict[str, float]:
    """Return how many reference loops each subject costs; the least of many rounds, in turn."""
    with asyncio.Runner() as runner:
        calls = {"": reference, **subjects(runner.get_loop())}
        least = dict.fromkeys(calls, float("inf"))
        for _ in range(_ROUNDS):
            for name, call in calls.items():
                least[name] = min(least[name], _seconds(call))
    return {name: least[name] / least[""] for name in calls if name}


def _seconds(call: Callable[[], object]) -> float:
    runs, spent = 0, 0.0
    started = time.process_time()
    while spent < _ROUND_SECONDS:
        call()
        runs += 1
        spent = time.process_time() - started
    return spent / runs


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the hot path with the record.")
    parser.add_argument(
        "--record", action="store_true", help="take what is measured for the record"
    )
    is_recorded = parser.parse_args().record
    found = {name: round(ratio, 2) for name, ratio in ratios().items()}
    if is_recorded:
        RECORD.write_text(json.dumps(found, indent=2) + "\n")
    recorded = json.loads(RECORD.read_text())
    slower = []
    for name, ratio in found.items():
        share = ratio / recorded[name]
        print(f"{name}: {ratio:.2f} reference loops, {share:.2f} times the record")
        if share > MARGIN:
            slower.append(name)
    if slower:
        sys.exit(f"More than {MARGIN} times the record: {'; '.join(slower)}.")


if __name__ == "__main__":
    main()
