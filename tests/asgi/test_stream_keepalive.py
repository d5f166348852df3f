"""Keep-alives: what is sent while the upstream is silent, with which numbers, and when not.

Source: sheet §2 (numbers without gaps); `clients.md` (Codex counts only events as life).
"""

import asyncio
from collections.abc import Sequence

import httpx2
import pytest

from adapter.store.base import ResponseRecord, StoredItem
from adapter.store.memory import MemoryStore
from adapter.stream import encode
from adapter.stream.grammar import check
from tests.asgi.conftest import Stand, Start
from tests.asgi.recorder import Recorder
from tests.asgi.streams import DONE, KEEPALIVE_COMMENT, open_stream, parse, types
from tests.asgi.virtual_time import Sent, Turns, event, play
from tests.servers.answers import Answer, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

HELLO = event(chunk({"content": "Hello"}))
STOP = event(chunk({}, "stop"))
SHORT = 0.001  # seconds; a test waits for keep-alives, never for their absence


async def test_silence_is_filled_with_events_that_take_the_next_numbers(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=SHORT)
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({"content": "b"}, "stop")))

    async with open_stream(client) as stream:
        first, second = await stream.until("keepalive"), await stream.until("keepalive")
        pause.release()
        await stream.rest()

    assert first.keys() == {"type", "sequence_number"}
    assert second["sequence_number"] == first["sequence_number"] + 1
    assert [event["sequence_number"] for event in stream.events] == list(range(len(stream.events)))
    assert check(stream.events) == []


async def test_silence_is_filled_with_comments_by_setting(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(keepalive_interval=SHORT, keepalive="comment")
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({"content": "b"}, "stop")))

    async with open_stream(client) as stream:
        while KEEPALIVE_COMMENT not in stream.blocks:
            await stream.next()
        pause.release()
        await stream.rest()

    assert "keepalive" not in types(stream.events)
    assert check(stream.events) == []


async def test_silence_before_the_upstream_answers_is_filled_too(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """A long prompt can take minutes, and some servers send their headers after it."""
    start(keepalive_interval=SHORT, start_grace=0)
    pause = Pause()
    answer = text_answer("Hello")
    upstream.reply(Answer(200, answer.headers, answer.chunks, before=[pause]))

    async with open_stream(client) as stream:
        await stream.until("keepalive")
        pause.release()
        await stream.rest()

    assert check(stream.events) == []


async def test_keepalives_come_between_whole_events(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stand: Stand
) -> None:
    recorder = stand.app = Recorder(start(keepalive_interval=SHORT))
    upstream.reply(text_answer("Hello " * 200))

    async with open_stream(client) as stream:
        await stream.rest()

    assert check(stream.events) == []
    assert all(parse(body) for body in recorder.bodies)


def test_keepalive_comes_after_every_interval_of_silence() -> None:
    sent = play([HELLO, 10.0, HELLO, 50.0, HELLO, STOP], keepalive_interval=15)

    assert _times(sent) == [25, 40, 55]


def test_no_keepalive_comes_while_data_flows() -> None:
    sent = play([*[HELLO, 14.0] * 50, STOP], keepalive_interval=15)

    assert _times(sent) == []


@pytest.mark.parametrize("mode", ["event", "comment"])
def test_no_keepalive_comes_before_created(mode: str) -> None:
    sent = play([200.0, HELLO, STOP], keepalive_interval=15, start_grace=200, keepalive=mode)

    assert types(_blocks(sent))[0] == "response.created"
    assert sent[0].at == 200


@pytest.mark.parametrize("mode", ["event", "comment"])
def test_no_keepalive_comes_between_the_last_event_and_done(mode: str) -> None:
    options = {"keepalive_interval": 15, "keepalive": mode, "slow_reader_timeout": 0}
    sent = play([HELLO, STOP], send_seconds=100, **options)

    assert types(_blocks(sent))[-2:] == ["response.completed", DONE]


def test_no_keepalive_comes_when_switched_off() -> None:
    sent = play([HELLO, 1000.0, STOP], keepalive_interval=15, keepalive="off")

    assert _times(sent) == []
    assert KEEPALIVE_COMMENT not in _blocks(sent)


def test_silence_that_gives_no_events_counts_as_silence() -> None:
    """A call whose name is late, or blanks that are held back: the upstream speaks, we do not."""
    blank = event(chunk({"content": "\n"}))

    sent = play([blank, *[10.0, blank] * 5, HELLO, STOP], keepalive_interval=15)

    assert check(_blocks(sent)[:-1]) == []
    assert _times(sent) == [15, 30, 45]


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("seconds", [15.0, 7.5, 22.5])
def test_numbers_are_in_order_when_a_keepalive_is_due_as_the_upstream_speaks(
    turns: int, seconds: float
) -> None:
    sent = play([HELLO, *[seconds, Turns(turns), HELLO] * 5, STOP], keepalive_interval=15)

    assert check(_blocks(sent)[:-1]) == []


@pytest.mark.parametrize("send_seconds", [7.5, 10, 15, 50])
def test_keepalives_do_not_pile_up_before_a_slow_client(send_seconds: float) -> None:
    sent = play([HELLO, 200.0, HELLO, STOP], keepalive_interval=15, send_seconds=send_seconds)

    assert check(_blocks(sent)[:-1]) == []
    assert len(_times(sent)) <= 200 / 15


@pytest.mark.parametrize(
    "end", [STOP, event({"error": {"message": "It broke."}})], ids=["completed", "failed"]
)
def test_numbers_are_in_order_when_a_keepalive_is_due_as_the_response_is_kept(end: bytes) -> None:
    class SlowStore(MemoryStore):
        async def save(self, record: ResponseRecord, appended: Sequence[StoredItem] = ()) -> None:
            await asyncio.sleep(40)
            await super().save(record, appended)

    sent = play([HELLO, end], keepalive_interval=15, store=SlowStore())

    assert check(_blocks(sent)[:-1]) == []
    assert sent[-1].at == 40


def test_client_that_does_not_take_a_comment_is_dropped() -> None:
    options = {"keepalive_interval": 15, "keepalive": "comment", "slow_reader_timeout": 20}

    sent = play([HELLO, 100.0, HELLO, STOP], refuses=encode.KEEPALIVE_COMMENT, **options)

    assert types(_blocks(sent))[-1] == "response.output_text.delta"


def _blocks(sent: list[Sent]) -> list[object]:
    return parse(b"".join(each.body for each in sent))


def _times(sent: list[Sent]) -> list[float]:
    """Return when the keep-alive events were sent."""
    return [each.at for each in sent if each.body.startswith(b"event: keepalive\n")]
