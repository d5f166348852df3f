"""Asking an upstream again where that is safe, and leaving it alone while it is down."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.base import UpstreamAnswer
from adapter.upstream.breaker import Breaker
from adapter.upstream.guarded import GuardedUpstream, Retries
from adapter.upstream.http import HttpUpstream
from tests.servers.answers import Answer, Eof, Hang, json_answer, raw, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

REFUSED = faults.UNREACHABLE.error("host:1", "refused")


class Reply:
    """An answer without a body."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.is_left = False

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b""


class Scripted:
    """An upstream that does what it is told to, call by call; the last it does for ever."""

    def __init__(self, *script: Reply | BaseException) -> None:
        self.script = list(script)
        self.calls = 0

    @asynccontextmanager
    async def open(self, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[UpstreamAnswer]:
        self.calls += 1
        given = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(given, BaseException):
            raise given
        try:
            yield given  # type: ignore[misc]  # as good as one
        finally:
            given.is_left = True

    async def aclose(self) -> None:
        pass


class Stand:
    """A guarded upstream with a clock of its own."""

    def __init__(self, *script: Reply | Exception, failures: int = 0, **retries: Any) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self.scripted = Scripted(*script)
        self.breaker = Breaker("main", failures, 5.0, clock=lambda: self.now)
        options: dict[str, Any] = {"sleep": self._sleep, "random": lambda: 0.5, **retries}
        self.guarded = GuardedUpstream(self.scripted, self.breaker, Retries(**options))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def ask(self, fail: BaseException | None = None) -> int:
        async with self.guarded.open(b"{}", {}) as answer:
            if fail is not None:
                raise fail
            return answer.status


async def test_request_that_was_never_sent_is_sent_again() -> None:
    stand = Stand(REFUSED, REFUSED, Reply(), count=2, longest_wait=0.1)

    assert await stand.ask() == 200
    assert stand.scripted.calls == 3
    assert stand.waits == [0.05, 0.05]


@pytest.mark.parametrize(
    "fault",
    [
        faults.NO_ANSWER,
        faults.FIRST_BYTE_TIMEOUT,
        faults.CONNECT_TIMEOUT,
        faults.NOT_HTTP,
        faults.TLS_FAILED,
        faults.CANNOT_SEND,
    ],
)
async def test_request_that_may_have_been_read_is_not_sent_again(fault: faults.Fault) -> None:
    stand = Stand(fault.error("host:1", "1"), count=5, longest_wait=1)

    with pytest.raises(UpstreamError):
        await stand.ask()

    assert stand.scripted.calls == 1


async def test_tries_are_bounded() -> None:
    stand = Stand(REFUSED, count=2, longest_wait=0.1)

    with pytest.raises(UpstreamError, match="Cannot connect"):
        await stand.ask()

    assert stand.scripted.calls == 3


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (Reply(503, retry_after="0"), 0.5),
        (Reply(429, retry_after="1"), 1.0),
        (Reply(429, retry_after="0.5"), 0.75),
        (Reply(503, retry_after_ms="200"), 0.6),
    ],
)
async def test_upstream_that_says_when_to_come_back_is_asked_then(
    reply: Reply, wait: float
) -> None:
    stand = Stand(reply, Reply(), count=1, longest_wait=1)

    assert await stand.ask() == 200
    assert stand.waits == pytest.approx([wait])
    assert reply.is_left


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503),
        Reply(429, retry_after="2"),
        Reply(429, retry_after="Fri, 20 Nov 2026 12:00:00 GMT"),
        Reply(429, retry_after="-1"),
        Reply(429, retry_after="²"),
        Reply(429, retry_after=""),
        Reply(500, retry_after="0"),
        Reply(200, retry_after="0"),
    ],
)
async def test_other_answers_are_answers(reply: Reply) -> None:
    stand = Stand(reply, count=3, longest_wait=1)

    assert await stand.ask() == reply.status
    assert stand.scripted.calls == 1


async def test_last_try_takes_what_it_gets() -> None:
    stand = Stand(Reply(503, retry_after="0"), count=2, longest_wait=1)

    assert await stand.ask() == 503
    assert stand.scripted.calls == 3


DOWN = [
    pytest.param(REFUSED, None, id="refused"),
    pytest.param(faults.FIRST_BYTE_TIMEOUT.error("host:1", "1"), None, id="timeout"),
    pytest.param(Reply(503), None, id="503"),
    pytest.param(Reply(502), UpstreamError("as the turn says it"), id="502"),
    pytest.param(Reply(), faults.BROKEN_OFF.error("host:1", "reset"), id="broken-off"),
    pytest.param(Reply(), faults.IDLE_TIMEOUT.error("host:1", "1"), id="idle"),
]


async def fail(stand: Stand, said: Exception | None) -> None:
    """Make a call that may fail, but is made."""
    calls = stand.scripted.calls
    with suppress(UpstreamError):
        await stand.ask(said)
    assert stand.scripted.calls == calls + 1


@pytest.mark.parametrize(("given", "said"), DOWN)
async def test_failures_in_a_row_open_the_breaker(
    given: Reply | Exception, said: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    stand = Stand(given, failures=3)

    for _ in range(3):
        assert not stand.breaker.is_open
        await fail(stand, said)

    with pytest.raises(UpstreamError, match="'main' is down") as refused:
        await stand.ask()
    assert (refused.value.status, refused.value.headers) == (503, {"retry-after": "5"})
    assert stand.scripted.calls == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Reply(), None),
        (Reply(500), UpstreamError("as the turn says it")),
        (Reply(400), UpstreamError("no", status=400)),
        (Reply(429), None),
        (Reply(), UpstreamError("garbage")),
        (Reply(), faults.TOTAL_TIMEOUT.error("host:1", "1")),
        (faults.CANNOT_SEND.error("host:1", "a line end in a header"), None),
    ],
)
async def test_what_is_no_sign_of_absence_ends_the_row(
    given: Reply | Exception, said: Exception | None
) -> None:
    stand = Stand(REFUSED, given, REFUSED, given, failures=2)

    for _ in range(2):
        await fail(stand, None)
        await fail(stand, said)

    assert not stand.breaker.is_open


async def test_one_request_tries_whether_it_is_there_again() -> None:
    stand = Stand(REFUSED, Reply(), failures=1)
    await fail(stand, None)
    stand.now = 5.0

    async with stand.guarded.open(b"{}", {}):
        with pytest.raises(UpstreamError, match="is down") as refused:
            await stand.ask()
    after = await stand.ask()

    assert refused.value.headers == {"retry-after": "1"}
    assert after == 200
    assert not stand.breaker.is_open


async def test_try_that_fails_opens_it_for_as_long_again() -> None:
    stand = Stand(REFUSED, failures=1)
    await fail(stand, None)
    stand.now = 5.0
    await fail(stand, None)
    stand.now = 9.0

    with pytest.raises(UpstreamError, match="is down"):
        await stand.ask()

    assert stand.scripted.calls == 2


async def test_client_that_leaves_says_nothing_of_the_upstream() -> None:
    stand = Stand(REFUSED, Reply(), failures=1)
    await fail(stand, None)
    stand.now = 5.0

    stand.scripted.script = [asyncio.CancelledError(), Reply()]
    with pytest.raises(asyncio.CancelledError):
        await stand.ask()

    assert stand.breaker.is_open
    assert await stand.ask() == 200  # the next one may try


async def test_breaker_without_a_limit_never_opens() -> None:
    stand = Stand(REFUSED, failures=0)

    for _ in range(50):
        await fail(stand, None)

    assert not stand.breaker.is_open


async def test_call_is_left_whatever_happens() -> None:
    reply = Reply()

    with pytest.raises(ZeroDivisionError):
        await Stand(reply).ask(ZeroDivisionError())

    assert reply.is_left


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (text_answer("Hello"), False),
        (json_answer(500, {}), False),
        (json_answer(503, {}), True),
        (Answer(before=[Eof()]), True),
        (Answer(before=[Hang()]), True),
        (Answer(chunks=[Hang()]), True),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), True),
    ],
)
async def test_real_connections_are_judged(answer: Answer, opens: bool) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(answer)
        http = HttpUpstream(upstream.url, first_byte_timeout=0.05)
        guarded = GuardedUpstream(http, Breaker("main", 1, 5.0), Retries())
        try:
            async with guarded.open(b"{}", {}) as got:
                async for _ in got.chunks():
                    pass
        except UpstreamError:
            pass
        finally:
            await http.aclose()

        assert guarded.breaker.is_open is opens
