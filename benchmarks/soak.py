"""Minutes of mixed load with faults and clients that leave, through a real server process.

    python -m benchmarks.soak [minutes, 3 by default]

Every response must end in exactly one way, and in the right one: those of sound upstreams complete,
all others fail. When all is quiet, the server must have as many tasks, files and objects as after the
warm-up, and about as much memory. Prints figures; the exit code is 1 if anything was lost or left.
Linux only.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2
from websockets.asyncio.client import connect

from benchmarks.processes import free_port
from benchmarks.soak_server import CENSUS
from benchmarks.soak_upstream import BEHAVIOURS, SOUND, SoakUpstream

WORKERS = 24
LEAVING = 0.15  # of all clients
WARM_UP_SHARE = 0.25
# What caches, the allocator and the statistics of the store may take beside; a leak of one response
# in ten would be ten times that.
RSS_SLACK_MB = 12.0
OBJECT_SLACK = 30  # connections that are kept, timers: of tens of thousands of requests
FILE_SLACK = 8
LEAVE_LIMIT_SECONDS = 0.5
_LAST = ("response.completed", "response.failed", "response.incomplete")
_IDLE_SECONDS = 2.0

Way = Callable[["Soak", dict[str, Any]], Awaitable[str]]


class WrongError(Exception):
    """A response ended as none should."""


async def stream(soak: "Soak", body: dict[str, Any]) -> str:
    async with soak.client.stream("POST", "/v1/responses", json={**body, "stream": True}) as answer:
        return "failed" if answer.status_code != 200 else await _end_of(answer)


async def whole(soak: "Soak", body: dict[str, Any]) -> str:
    answer = await soak.client.post("/v1/responses", json=body)
    return _status(answer)


async def background(soak: "Soak", body: dict[str, Any]) -> str:
    answer = await soak.client.post("/v1/responses", json={**body, "background": True})
    if answer.status_code != 200:
        return "failed"
    path = f"/v1/responses/{answer.json()['id']}"
    async with soak.client.stream("GET", path, params={"stream": "true"}) as log:
        told = await _end_of(log)
    kept = _status(await soak.client.get(path))
    await soak.client.delete(path)
    if told != kept:
        raise WrongError(f"a log that ends {told} of a response that is {kept}")
    return kept


async def websocket(soak: "Soak", body: dict[str, Any]) -> str:
    ended: list[str] = []
    url = soak.url.replace("http", "ws", 1) + "/v1/responses"
    async with connect(url, max_size=None, compression=None) as socket:
        await socket.send(json.dumps({"type": "response.create", **body}))
        while not ended:
            event = json.loads(await socket.recv())
            if event["type"] == "error" and "sequence_number" not in event:
                return "failed"
            if event["type"] in _LAST:
                ended.append(event["type"].removeprefix("response."))
    return ended[0]


WAYS: dict[str, Way] = {each.__name__: each for each in (stream, whole, background, websocket)}


async def _end_of(answer: httpx2.Response) -> str:
    raw = (await answer.aread()).decode()
    ended = [kind for kind in _LAST for _ in range(raw.count(f"event: {kind}\n"))]
    if len(ended) != 1 or not raw.endswith("data: [DONE]\n\n"):
        raise WrongError(f"a stream with {len(ended)} ends")
    return ended[0].removeprefix("response.")


def _status(answer: httpx2.Response) -> str:
    if answer.status_code != 200:
        answer.json()["error"]["message"]
        return "failed"
    status: str = answer.json()["status"]
    return status


class Soak:
    """The load, and what came of it.

    Attributes:
        url: of the server under test.
        client: of it.
        counts: responses by way, behaviour and end.
        wrongs: what should not have been.
    """

    def __init__(self, url: str, upstream: SoakUpstream) -> None:
        self.url = url
        self.upstream = upstream
        self.client = httpx2.AsyncClient(base_url=url, timeout=60, verify=False)
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.wrongs: Counter[str] = Counter()
        self.leaving: list[float] = []
        self.rss: list[float] = []
        self._number = 0

    async def run(self, seconds: float) -> None:
        """Ask for so long, and return when all is answered."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WORKERS):
                tasks.create_task(self._work(until))
            tasks.create_task(self._watch(until))

    async def _watch(self, until: float) -> None:
        while time.monotonic() < until:
            self.rss.append((await self.census())["rss_mb"])
            await asyncio.sleep(2)

    async def _work(self, until: float) -> None:
        while time.monotonic() < until:
            self._number += 1
            way, behaviour = random.choice(list(WAYS)), random.choice(list(BEHAVIOURS))
            # Faults in the way of what is sound would be all there is.
            behaviour = random.choice((behaviour, random.choice(SOUND)))
            mark = str(self._number)
            asking = asyncio.create_task(self._ask(way, behaviour, mark))
            if random.random() < LEAVING and way != "background":
                await asyncio.wait([asking], timeout=random.random() * 0.2)
                if not asking.done():
                    await self._leave(asking, mark)
                    self.counts[way, behaviour, "left"] += 1
                    continue
            await asking

    async def _leave(self, asking: "asyncio.Task[None]", mark: str) -> None:
        is_at_work = mark in self.upstream.asked
        begun = time.monotonic()
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        if is_at_work:
            await asyncio.sleep(2 * LEAVE_LIMIT_SECONDS)
            if (seen := self.upstream.left.get(mark)) is not None:
                self.leaving.append(max(0.0, seen - begun))

    async def _ask(self, way: str, behaviour: str, mark: str) -> None:
        body = {"model": behaviour, "input": f"soak-{mark}"}
        try:
            async with asyncio.timeout(60):
                end = await WAYS[way](self, body)
        except (WrongError, OSError, TimeoutError, ValueError, httpx2.HTTPError) as exc:
            self.wrongs[f"{way}, {behaviour}: {type(exc).__name__} {exc}"[:200]] += 1
            end = "lost"
        expected = "completed" if behaviour in SOUND else "failed"
        if end not in (expected, "lost"):
            self.wrongs[f"{way}, {behaviour}: {end}, not {expected}"] += 1
        self.counts[way, behaviour, end] += 1

    async def census(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(CENSUS)).json()
        return found

    async def quiet_census(self) -> dict[str, Any]:
        """Count when nothing is asked, and no connection is kept."""
        while self.upstream.busy:  # noqa: ASYNC110  # nobody tells, it is counted
            await asyncio.sleep(0.1)
        await self.client.aclose()
        self.upstream.close_idle()
        await asyncio.sleep(2)
        self.client = httpx2.AsyncClient(base_url=self.url, timeout=60, verify=False)
        return await self.census()


def compare(before: dict[str, Any], after: dict[str, Any], rss: list[float]) -> list[str]:
    """Return what there is more of than there should be."""
    found = []
    if after["tasks"] > before["tasks"]:
        found.append(f"{after['tasks'] - before['tasks']} tasks are left")
    if after["files"] > before["files"] + FILE_SLACK:
        found.append(f"{after['files'] - before['files']} files or sockets are left")
    for kind, count in after["objects"].items():
        if count > before["objects"].get(kind, 0) + OBJECT_SLACK:
            found.append(f"{count - before['objects'].get(kind, 0)} of {kind} are left")
    third = max(1, len(rss) // 3)
    growth = median(rss[-third:]) - median(rss[:third])
    if growth > RSS_SLACK_MB:
        found.append(f"memory has grown by {growth:.1f} MB under load")
    return found


def report(soak: Soak, seconds: float, before: dict[str, Any], after: dict[str, Any]) -> None:
    ends: Counter[str] = Counter()
    for (_, _, end), count in soak.counts.items():
        ends[end] += count
    total = sum(ends.values())
    print(f"{total} responses in {seconds:.0f} s: {dict(sorted(ends.items()))}")
    ways: Counter[str] = Counter()
    for (way, _, _), count in soak.counts.items():
        ways[way] += count
    print(f"by way: {dict(sorted(ways.items()))}")
    print(f"{'':12}{'warm':>10}{'end':>10}")
    for name in ("tasks", "files", "blocks", "rss_mb"):
        print(f"{name:12}{before[name]:10.0f}{after[name]:10.0f}")
    if soak.rss:
        print(f"memory under load: {min(soak.rss):.0f} to {max(soak.rss):.0f} MB")
    if len(soak.leaving) > 1:
        cuts = quantiles(soak.leaving, n=100)
        print(
            f"upstream left after a client, {len(soak.leaving)} times: median "
            f"{median(soak.leaving) * 1000:.0f} ms, 99 % {cuts[98] * 1000:.0f} ms"
        )


async def soak_for(minutes: float) -> int:
    upstream = SoakUpstream()
    await upstream.start()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = _start_server(port, upstream.url, Path(folder))
        try:
            soak = Soak(f"http://127.0.0.1:{port}", upstream)
            await _until_ready(soak)
            await soak.run(minutes * 60 * WARM_UP_SHARE)
            before = await soak.quiet_census()
            soak.rss.clear()
            await soak.run(minutes * 60 * (1 - WARM_UP_SHARE))
            after = await soak.quiet_census()
            await soak.client.aclose()
        finally:
            server.terminate()
            code = server.wait(timeout=30)
    await upstream.aclose()
    report(soak, minutes * 60, before, after)
    left = compare(before, after, soak.rss)
    for problem in (*left, *(f"{count} times {wrong}" for wrong, count in soak.wrongs.items())):
        print(f"WRONG: {problem}")
    print(f"the server ended with {code}")
    return 1 if left or soak.wrongs else 0


def _start_server(port: int, upstream: str, folder: Path) -> "subprocess.Popen[bytes]":
    settings = {
        "ADAPTER_UPSTREAM": upstream,
        "ADAPTER_STORE": f"sqlite:///{folder}/soak.db",
        "ADAPTER_IDLE_TIMEOUT": str(_IDLE_SECONDS),
        "ADAPTER_FIRST_BYTE_TIMEOUT": "5",
        "ADAPTER_BREAKER_FAILURES": "0",
        "ADAPTER_UPSTREAM_RETRIES": "0",
        # glibc gives each thread of the store an arena, and megabytes of answers leave holes in all
        # of them: 126 to 170 MB in five minutes, with no more objects. With two it is 100 to 120.
        "MALLOC_ARENA_MAX": "2",
    }
    command = [sys.executable, "-m", "benchmarks.soak_server", str(port)]
    root = Path(__file__).parent.parent
    return subprocess.Popen(command, env={**os.environ, **settings}, cwd=root)  # noqa: S603


async def _until_ready(soak: Soak) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(httpx2.HTTPError):
                await soak.census()
                return
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    random.seed(1)
    sys.exit(asyncio.run(soak_for(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)))
