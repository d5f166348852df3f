"""Processes that share a store, in virtual time: what takes a minute takes none.

A process is what makes background runs in a real one: it has a holder's name, an upstream and a
look for lost runs. It dies as by kill -9 when all its tasks are gone without a word.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from adapter.background.follow import following, read_log
from adapter.background.handover import Handover, read_handover
from adapter.background.limits import RunLimits
from adapter.background.runs import BackgroundRuns, Restarted
from adapter.dialects import GENERIC
from adapter.habits import Habits
from adapter.loop import ResponseRun
from adapter.records.responses import to_record
from adapter.store.base import ResponseRecord, StoredItem
from adapter.store.memory import MemoryStore
from adapter.stream.grammar import StreamChecker
from adapter.surroundings import Detached, Surroundings
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.turn import Target
from adapter.types.response import Response
from adapter.upstream.base import Upstream, UpstreamAnswer
from tests.asgi.virtual_time import VirtualLoop
from tests.servers.answers import chunk, sse

OWNER = "owner"
PATIENCE_SECONDS = 10_000.0
REQUEST = b'{"model":"m","input":"Hi","background":true}'

Step = bytes | float | asyncio.Event


def play(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in virtual time."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await test

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(bounded())


def words(*words: str, pause: float = 0.0) -> list[Step]:
    """Return the steps of an upstream that says these words, with a pause before each."""
    chunks = sse(*(chunk({"content": word}) for word in words), chunk({}, "stop"))
    steps: list[Step] = []
    for step in chunks:
        assert isinstance(step, bytes)
        steps += [pause, step] if pause else [step]
    return steps


class ScriptedUpstream(Upstream):
    """Takes these steps for every request.

    Attributes:
        calls: how many requests there were.
        open_calls: how many of them are not over.
        idle: set while none is open, once there was one.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.calls = 0
        self.open_calls = 0
        self.idle = asyncio.Event()
        self.steps = steps

    @asynccontextmanager
    async def open(self, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[UpstreamAnswer]:
        self.calls += 1
        self.open_calls += 1
        self.idle.clear()
        try:
            yield _Answer(self.steps)
        finally:
            self.open_calls -= 1
            if not self.open_calls:
                self.idle.set()

    async def aclose(self) -> None:
        """Nothing is kept open."""


class _Answer:
    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for step in self._steps:
            match step:
                case bytes():
                    yield step
                case asyncio.Event():
                    await step.wait()
                case _:
                    await asyncio.sleep(step)


class World:
    """The store, and the clock."""

    def __init__(self) -> None:
        self.now = asyncio.get_running_loop().time
        self.store = MemoryStore(clock=self.now)

    def process(self, steps: Sequence[Step] = (), *, store: Any = None, **limits: Any) -> "Process":
        return Process(self, steps, store or self.store, RunLimits(**limits))

    async def record(self, id: str) -> ResponseRecord:
        record = await self.store.get(OWNER, id)
        assert record is not None
        return record

    async def response(self, id: str) -> dict[str, Any]:
        response: dict[str, Any] = msgspec.json.decode((await self.record(id)).response)
        return response

    async def log(self, id: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(e.data) for e in await read_log(self.store, OWNER, id)]

    async def follow(self, id: str, after: int = -1) -> list[dict[str, Any]]:
        """Return the events behind a number, once the run is over."""
        events: list[dict[str, Any]] = []
        async with following(self.store, OWNER, id, after=after) as batches:
            async for batch in batches:
                events += [msgspec.json.decode(event.data) for event in batch]
        return events

    async def until(self, id: str, type: str) -> None:
        """Return when the log has an event of this type."""
        async with following(self.store, OWNER, id) as batches:
            async for batch in batches:
                if any(msgspec.json.decode(event.data)["type"] == type for event in batch):
                    return
        raise AssertionError(f"the run is over without {type}")


class Process:
    """What makes background runs in one process."""

    def __init__(self, world: World, steps: Sequence[Step], store: Any, limits: RunLimits) -> None:
        self.upstream = ScriptedUpstream(steps)
        self.restarted = 0
        self.released: list[str] = []
        self._count = 0
        self._world = world
        self._store = store
        self.runs = BackgroundRuns(self._open_store, limits, self._restart, world.now)

    async def start(
        self,
        id: str = "resp_1",
        *,
        owner: str = OWNER,
        conversation: str | None = None,
        request: bytes | None = None,
    ) -> Response:
        """Begin a run; `request` is what another process may run it from, by default all."""
        items = (
            StoredItem(
                f"{id}_input",
                b'{"type":"message","id":"%s_input","role":"user","content":"Hi"}' % id.encode(),
            ),
        )
        run = self._run(REQUEST, Detached(id, int(self._world.now())))
        record = partial(
            to_record, items=items, owner=owner, expires_at=None, conversation_id=conversation
        )
        if request is None:
            request = Handover(msgspec.Raw(REQUEST)).encode()
        async with AsyncExitStack() as until:
            until.callback(self.released.append, id)
            return await self.runs.start(run, record, until, request=request)

    async def die(self) -> None:
        """Go without a word, as by kill -9; connections to the upstream are closed by the kernel."""
        tasks = [task for _, task in self.runs._runs.values()]
        tasks += [] if self.runs._sweeper is None else [self.runs._sweeper]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open_store(self) -> Any:
        return self._store

    async def _restart(self, record: ResponseRecord, said: int) -> Restarted:
        self.restarted += 1
        detached = Detached(record.id, int(record.created_at), said)
        body = bytes(read_handover(record.request).body)
        return Restarted(self._run(body, detached), AsyncExitStack())

    def _run(self, body: bytes, detached: Detached) -> ResponseRun:
        request = msgspec.structs.replace(decode_request(body), background=None)
        return ResponseRun(
            request,
            partial(to_chat_request, request, model="m"),
            Target(self.upstream, {}, Habits(GENERIC), "m"),
            Surroundings(new_id=self._new_id, now=self._world.now, detached=detached),
        )

    def _new_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{id(self)}_{self._count}"


def check_log(events: Sequence[dict[str, Any]], *, cancelled: bool = False) -> None:
    """Hold a whole log to the rule book."""
    checker = StreamChecker()
    for event in events:
        checker.feed(event)
    checker.end(cancelled=cancelled)


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def text(events: Sequence[dict[str, Any]]) -> str:
    return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
