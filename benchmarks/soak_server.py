"""The adapter as its command serves it, and what there is in its process: for `benchmarks/soak.py`.

    python -m benchmarks.soak_server PORT

`GET /soak/census` counts tasks, files, objects of ours, and memory.
"""

import asyncio
import gc
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from adapter.asgi.app import make_sidecar
from adapter.asgi.http import send_bytes
from adapter.config import Settings

CENSUS = "/soak/census"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def census() -> dict[str, Any]:
    """Count what there is, once all that nobody has is gone."""
    for _ in range(3):
        gc.collect()
    kinds = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    ours = Counter(kind for kind in kinds if kind.startswith("adapter."))
    statm = Path("/proc/self/statm").read_text().split()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "objects": dict(ours),
        "blocks": sys.getallocatedblocks(),
        "rss_mb": int(statm[1]) * _PAGE_BYTES / 1024 / 1024,
    }


def make_app() -> Any:
    """Return the app with the count beside it."""
    adapter = make_sidecar(Settings.load())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == CENSUS:
            await send_bytes(send, 200, json.dumps(census()).encode(), "application/json")
            return
        await adapter(scope, receive, send)

    return app


def main() -> None:
    uvicorn.run(make_app(), port=int(sys.argv[1]), log_level="warning", ws="websockets-sansio")


if __name__ == "__main__":
    main()
