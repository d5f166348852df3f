"""How tests talk to a driver: one JSON object a line in, one a line out, as in `lines.mjs`."""

import asyncio
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

# A scene is told the base URL, and returns what came of it, or a coroutine that does.
Scenes = dict[str, Callable[[str], Any]]


def answer(scenes: Scenes) -> None:
    """Answer every line until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print must not stand among them
    with asyncio.Runner() as runner:  # one loop for all: clients keep connections in it
        for line in sys.stdin:
            said = _play(json.loads(line), scenes, runner)
            answers.write(json.dumps(said) + "\n")
            answers.flush()


def _play(asked: dict[str, str], scenes: Scenes, runner: asyncio.Runner) -> dict[str, Any]:
    try:
        result = scenes[asked["scene"]](asked["url"])
        return {"result": runner.run(result) if inspect.iscoroutine(result) else result}
    except Exception as exc:  # noqa: BLE001  # whatever it is, the test wants to see it
        return {"error": f"{type(exc).__name__}: {exc}", "stack": traceback.format_exc()}
