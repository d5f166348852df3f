"""A run beside its transcripts: what it lets go of, and how it ends where something of ours fails."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from adapter.compaction import CompactionRun, Compactor
from adapter.dialects import GENERIC
from adapter.errors import AdapterError, StoreError
from adapter.habits import Habits
from adapter.loop import ResponseRun
from adapter.room import Compact
from adapter.sealing import Sealer
from adapter.stream.encode import DONE, encode_events
from adapter.stream.grammar import check
from adapter.surroundings import Keep, Surroundings
from adapter.translate.compaction import Compacted
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.turn import Target
from adapter.types.events import Event
from adapter.types.items import Compaction
from adapter.types.response import Response
from adapter.upstream.base import UpstreamAnswer
from tests.servers.answers import chunk, sse
from tests.transcript import decode_stream

pytestmark = pytest.mark.anyio

REQUEST = b'{"model":"m","input":"Hello","stream":true,"user":"somebody"}'
READS = [chunk({"content": "Hi"}), chunk({"content": " there"}), chunk({}, "stop")]
USAGE = {"prompt_tokens": 9000, "completion_tokens": 1, "total_tokens": 9001}
LONG = [chunk({"content": "Hi"}), chunk({}, "stop") | {"usage": USAGE}]


class ScriptedUpstream:
    """Answers with these reads, raises an exception in place of one, and waits for an event."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    def __init__(self, *reads: Any) -> None:
        self._reads = reads

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[UpstreamAnswer, None]:
        yield self

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for read in self._reads:
            if isinstance(read, Exception):
                raise read
            if isinstance(read, asyncio.Event):
                read.set()
                await asyncio.get_running_loop().create_future()
            if isinstance(read, bytes):
                yield read
                continue
            for event in sse(read, done=False):
                assert isinstance(event, bytes)
                yield event

    async def aclose(self) -> None:
        """There is nothing to close."""


NEW_ID: Callable[[str], str] = "{}_1".format
SURROUNDINGS = Surroundings(new_id=NEW_ID, now=lambda: 1.0)


def new_run(
    *reads: Any,
    keep: Keep | None = None,
    body: bytes = REQUEST,
    compact: Compact | None = None,
) -> ResponseRun:
    request = decode_request(body)
    return ResponseRun(
        request,
        partial(to_chat_request, request),
        _target(*reads),
        SURROUNDINGS,
        keep=keep,
        compact=compact,
    )


def new_long_run(keep: Keep) -> ResponseRun:
    """Return a run that compacts the conversation once it is answered."""

    async def compact(said: object) -> Compacted:
        return Compacted(Compaction("cmp_1", "sealed"))

    body = REQUEST[:-1] + b',"context_management":[{"type":"compaction","compact_threshold":2000}]}'
    return new_run(*LONG, keep=keep, body=body, compact=compact)


def new_compaction(keep: Keep) -> CompactionRun:
    compactor = Compactor(
        request=decode_request(REQUEST),
        history=None,
        translate=lambda request, history: partial(to_chat_request, request, history=history),
        target=_target(*READS),
        surroundings=SURROUNDINGS,
        sealer=Sealer([b"0123456789abcdef"]),
        max_tokens=100,
    )
    return CompactionRun(compactor, keep=keep)


def _target(*reads: Any) -> Target:
    return Target(ScriptedUpstream(*reads), {}, Habits(GENERIC), "m")


async def stream(run: ResponseRun) -> list[dict[str, Any]]:
    """Return all events, after a look at their order and numbers."""
    said: list[Event] = []
    async with aclosing(run.events()) as batches:
        async for events in batches:
            assert events, "there is something to write"
            said += events
    decoded = decode_stream(encode_events(said) + DONE)
    assert check(decoded) == []
    return decoded


async def test_conversation_is_let_go_once_the_model_answers() -> None:
    run = new_run(*READS)
    before = run.translation

    async with aclosing(run.events()) as batches:
        await anext(batches)

        assert (len(before.chat.messages), len(before.settled.items)) == (1, 1)
        assert (run.translation.chat.messages, run.translation.settled.items) == ((), ())
        assert run.translation.dropped == before.dropped == ("user",)


async def test_what_was_said_is_closed_when_the_response_cannot_be_kept() -> None:
    async def keep(response: Response) -> bool:
        raise StoreError("The store did not answer in time.")

    events = await stream(new_run(*READS, keep=keep))

    assert [event["type"] for event in events[-4:]] == [
        "response.content_part.done",
        "response.output_item.done",
        "error",
        "response.failed",
    ]


async def test_fault_of_ours_ends_a_stream_that_has_begun(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        events = await stream(new_run(READS[0], RuntimeError("a bug")))

    assert events[-1]["response"]["error"] == {
        "code": "server_error",
        "message": "The server had an error while making the response.",
    }
    assert [record.getMessage() for record in caplog.records] == ["response failed unexpectedly"]


async def test_fault_of_ours_is_raised_before_the_stream_has_begun(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = RuntimeError("a bug")

    with pytest.raises(AdapterError) as raised:
        await stream(new_run(fault))

    assert raised.value.__cause__ is fault
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [fault]


async def test_whoever_collects_is_told_by_an_exception() -> None:
    with pytest.raises(AdapterError):
        await new_run(READS[0], RuntimeError("a bug")).collect()


@pytest.mark.parametrize(
    "make", [partial(new_run, *READS), new_long_run, new_compaction], ids=["plain", "long", "cmp"]
)
async def test_run_that_is_ended_while_it_is_kept_has_said_all_that_it_made(
    make: Callable[..., ResponseRun],
) -> None:
    is_kept = asyncio.Event()

    async def keep(response: Response) -> bool:
        if response.status == "completed":
            is_kept.set()
            await asyncio.get_running_loop().create_future()
        return True

    await _check_ended(make(keep=keep), is_kept)


async def test_run_that_is_ended_behind_the_end_of_the_answer_has_said_all_that_it_made() -> None:
    is_read = asyncio.Event()
    read = b"".join(event for event in sse(READS[1]) if isinstance(event, bytes))

    await _check_ended(new_run(READS[0], read, is_read), is_read)


async def test_whole_answer_that_is_not_over_begins_no_stream() -> None:
    is_read = asyncio.Event()
    run = new_run(b"".join(event for event in sse(*READS) if isinstance(event, bytes)), is_read)

    said = await _end(run, is_read)

    assert (said, run.is_started) == ([], False)


async def _check_ended(run: ResponseRun, moment: asyncio.Event) -> None:
    said = await _end(run, moment)
    said += await run.break_off(AdapterError("The server was stopped."))

    decoded = decode_stream(encode_events(said) + DONE)
    assert check(decoded) == []
    assert decoded[-1]["type"] == "response.failed"


async def _end(run: ResponseRun, moment: asyncio.Event) -> list[Event]:
    """End a run at this moment, as a pump does, and return what it has said."""
    said: list[Event] = []

    async def pump() -> None:
        async with aclosing(run.events()) as batches:
            async for events in batches:
                said.extend(events)

    task = asyncio.create_task(pump())
    async with asyncio.timeout(5):
        await moment.wait()
    task.cancel()
    await asyncio.wait([task])
    return said
