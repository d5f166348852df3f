"""A run beside its transcripts: what it lets go of, and how it ends where something of ours fails."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from adapter.dialects import GENERIC
from adapter.errors import AdapterError, StoreError
from adapter.habits import Habits
from adapter.loop import ResponseRun
from adapter.stream.encode import DONE, encode_events
from adapter.stream.grammar import check
from adapter.surroundings import Keep, Surroundings
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.turn import Target
from adapter.types.events import Event
from adapter.types.response import Response
from adapter.upstream.base import UpstreamAnswer
from tests.servers.answers import chunk, sse
from tests.transcript import decode_stream

pytestmark = pytest.mark.anyio

REQUEST = b'{"model":"m","input":"Hello","stream":true,"user":"somebody"}'
READS = [chunk({"content": "Hi"}), chunk({"content": " there"}), chunk({}, "stop")]


class ScriptedUpstream:
    """Answers with these reads, and raises an exception in place of one."""

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
            for event in sse(read, done=False):
                assert isinstance(event, bytes)
                yield event

    async def aclose(self) -> None:
        """There is nothing to close."""


def new_run(*reads: Any, keep: Keep | None = None) -> ResponseRun:
    request = decode_request(REQUEST)
    new_id: Callable[[str], str] = "{}_1".format
    return ResponseRun(
        request,
        partial(to_chat_request, request),
        Target(ScriptedUpstream(*reads), {}, Habits(GENERIC), "m"),
        Surroundings(new_id=new_id, now=lambda: 1.0),
        keep=keep,
    )


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
