"""Asking: one question after the other over HTTP, within limits of time and tokens.

The same question is not asked twice. What an upstream says in its own words is not judged here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

import msgspec

from adapter.errors import UpstreamError
from adapter.probe.reply import Question, Reply, ReplyReader, no_reply
from adapter.upstream.http import HttpUpstream

CHARS_PER_TOKEN = 3  # of a prompt whose tokens nobody has counted yet; few have so many
_BUSY = frozenset({429, 503})
_DEFAULT_WAIT_SECONDS = 2.0
CONNECT_SECONDS = 10.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be asked for.

    Attributes:
        seconds: for one answer.
        max_tokens: of one answer.
        tokens: of all prompts and answers.
        max_silent: questions without any answer, after which no more are put.
    """

    seconds: float = 60.0
    max_tokens: int = 256
    tokens: int = 20_000
    max_silent: int = 3


def open_upstream(url: str, seconds: float) -> HttpUpstream:
    """Return the upstream at a base URL, with one limit for everything.

    Raises:
        ValueError: it is no base URL.
    """
    return HttpUpstream(
        url,
        connect_timeout=min(seconds, CONNECT_SECONDS),
        first_byte_timeout=seconds,
        idle_timeout=seconds,
        total_timeout=seconds,
        max_connections=1,
    )


class Asker:
    """Puts questions to one upstream.

    Args:
        upstream: whom to ask.
        headers: of every request.
        limits: how much may be asked for.
        clock: seconds, for how long answers take.
        wait: waits for seconds, when an upstream says that it is busy.

    Attributes:
        requests: how many were made.
        tokens: how many prompts and answers had; a guess where usage is not told.
        silent: how many questions nothing came back for.
    """

    def __init__(
        self,
        upstream: HttpUpstream,
        headers: Mapping[str, str],
        limits: Limits,
        *,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.requests = 0
        self.tokens = 0
        self.silent = 0
        self._upstream = upstream
        self._headers = headers
        self._limits = limits
        self._clock = clock
        self._wait = wait
        self._replies: dict[bytes, Reply] = {}

    def why_not(self, question: Question) -> str | None:
        """Return why a question may not be asked; None if it may."""
        body = question.chat.encode()
        if body in self._replies:
            return None
        if self.silent >= self._limits.max_silent:
            return "the server has stopped answering"
        if self.tokens + _prompt_tokens(body) + question.max_tokens > self._limits.tokens:
            return f"the limit of {self._limits.tokens} tokens is reached"
        return None

    async def ask(self, question: Question) -> Reply:
        """Return the reply, which is the one of last time if this was asked before."""
        body = question.chat.encode()
        if body not in self._replies:
            reply = await self._send(question, body)
            if reply.status in _BUSY:
                await self._wait(min(_wait_seconds(reply.headers), self._limits.seconds))
                reply = await self._send(question, body)
            self._replies[body] = reply
        return self._replies[body]

    async def _send(self, question: Question, body: bytes) -> Reply:
        self.requests += 1
        try:
            reply = await self._read(question, body)
        except UpstreamError as error:
            self.silent += 1
            self.tokens += _prompt_tokens(body) + question.max_tokens  # it may have worked on it
            return no_reply(question, error)
        if not reply.is_refused:
            usage = reply.usage
            prompt = _prompt_tokens(body) if usage is None else usage.input_tokens
            self.tokens += prompt + reply.tokens
        return reply

    async def _read(self, question: Question, body: bytes) -> Reply:
        start = self._clock()
        async with self._upstream.open(body, self._headers) as answer:
            reader = ReplyReader(question, answer.status, answer.headers)
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    reader.feed(chunk, self._clock() - start)
                    if reader.is_enough:
                        break
            return reader.end(self._clock() - start)


def _prompt_tokens(body: bytes) -> int:
    return len(body) // CHARS_PER_TOKEN


def _wait_seconds(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:  # none, or a date
        return _DEFAULT_WAIT_SECONDS
