"""`Connection` by itself: what it makes of the bytes that come, however they are cut."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.upstream.connection import MAX_HEAD_BYTES, READ_BUFFER_BYTES, Connection
from tests.upstream.calls import soon

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ANSWER = CHUNKED + b"2\r\nok\r\n0\r\n\r\n"


class Transport:
    """Notes what a connection does with its socket."""

    def __init__(self) -> None:
        self.written = b""
        self.is_aborted = self.is_paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def get_write_buffer_size(self) -> int:
        return 0


class Talk:
    """A connection, and what its server says."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.connection = Connection(asyncio.get_running_loop())
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # as far as needed

    async def ask(self, *pieces: bytes, is_end: bool = False) -> bytes:
        """Ask; return the body of the answer that comes in these pieces."""
        asked = asyncio.create_task(self._ask())
        await asyncio.sleep(0)
        for piece in pieces:
            self.connection.data_received(piece)
        if is_end:
            self.connection.connection_lost(None)
        return await soon(asked)

    async def _ask(self) -> bytes:
        await self.connection.ask(b"GET / HTTP/1.1\r\n\r\n")
        body = b""
        while data := await self.connection.read():
            body += data
        return body


async def test_answer_cut_anywhere_is_the_same() -> None:
    for cut in range(len(ANSWER)):
        talk = Talk()

        assert await talk.ask(ANSWER[:cut], ANSWER[cut:]) == b"ok"
        assert talk.connection.can_serve_again
        assert talk.connection.headers["content-type"] == "text/event-stream"


async def test_connection_serves_one_request_after_the_other() -> None:
    talk = Talk()
    for _ in range(3):
        assert await talk.ask(ANSWER) == b"ok"
        talk.connection.free()


async def test_early_hints_are_not_the_answer() -> None:
    talk = Talk()
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

    assert await talk.ask(b"HTTP/1.1 100 Continue\r\n\r\n" + hints, ANSWER) == b"ok"
    assert talk.connection.status == 200
    assert "link" not in talk.connection.headers


async def test_trailer_is_no_header() -> None:
    talk = Talk()

    assert await talk.ask(CHUNKED + b"2\r\nok\r\n0\r\ncontent-type: x\r\n\r\n") == b"ok"
    assert talk.connection.headers["content-type"] == "text/event-stream"
    assert talk.connection.can_serve_again


async def test_second_answer_is_not_taken_for_the_next_request() -> None:
    talk = Talk()

    assert await talk.ask(ANSWER + ANSWER.replace(b"ok", b"no")) == b"ok"
    assert not talk.connection.can_serve_again
    assert talk.transport.is_aborted


@pytest.mark.parametrize("data", [ANSWER, b"\r\n", b"x"])
async def test_bytes_that_nobody_asked_for_close_the_connection(data: bytes) -> None:
    talk = Talk()
    await talk.ask(ANSWER)
    talk.connection.free()
    talk.connection.data_received(data)

    assert talk.transport.is_aborted
    assert not talk.connection.is_open


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n",
    ],
)
async def test_connection_that_the_server_will_close_is_not_kept(head: bytes) -> None:
    talk = Talk()

    assert await talk.ask(head + b"ok") == b"ok"
    assert not talk.connection.can_serve_again


async def test_body_without_framing_ends_with_the_connection() -> None:
    talk = Talk()

    assert await talk.ask(HEAD + b"\r\n", b"o", b"k", is_end=True) == b"ok"
    assert not talk.connection.can_serve_again


async def test_switch_to_another_protocol_is_no_answer() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    with pytest.raises(httptools.HttpParserUpgrade):
        await Talk().ask(head)


async def test_head_without_end_is_given_up() -> None:
    line = b"x: " + b"y" * 1000 + b"\r\n"
    with pytest.raises(httptools.HttpParserError):
        await Talk().ask(HEAD, *[line] * (MAX_HEAD_BYTES // len(line) + 1))


async def test_socket_is_left_alone_while_much_is_unread() -> None:
    talk = Talk()
    asked = asyncio.create_task(talk.connection.ask(b"GET / HTTP/1.1\r\n\r\n"))
    await asyncio.sleep(0)
    talk.connection.data_received(HEAD + b"content-length: 1000000\r\n\r\n")
    await soon(asked)
    talk.connection.data_received(b"x" * (READ_BUFFER_BYTES + 1))
    was_paused = talk.transport.is_paused
    data = await soon(talk.connection.read())

    assert was_paused
    assert len(data) == READ_BUFFER_BYTES + 1
    assert not talk.transport.is_paused


async def test_request_on_a_connection_that_was_lost_meanwhile_is_stale() -> None:
    talk = Talk()
    await talk.ask(ANSWER)
    talk.connection.free()
    talk.connection.connection_lost(None)

    with pytest.raises(ConnectionError):
        await talk.ask()


def _mutations() -> Iterator[st.SearchStrategy[bytes]]:
    places = st.integers(0, len(ANSWER))
    yield st.binary(max_size=200)
    yield st.builds(lambda at, new: ANSWER[:at] + new + ANSWER[at:], places, st.binary(max_size=9))
    yield st.builds(lambda at, to: ANSWER[:at] + ANSWER[to:], places, places)


@given(data=st.one_of(*_mutations()), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_are_an_answer_or_an_error(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]

    async def talk() -> None:
        with suppress(OSError, EOFError, httptools.HttpParserError, httptools.HttpParserUpgrade):
            await Talk().ask(*filter(None, pieces), is_end=True)

    asyncio.run(talk())
