"""One turn: a chat request sent, and its answer read as deltas.

A refusal that teaches something about the upstream is met by asking anew, as long as the model has
not begun to answer (`adapter.loop`). What has to be checked before it is handed on is for
`adapter.checked`.
"""

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from types import TracebackType

import msgspec

from adapter.deadline import Deadline
from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.habits import Habits
from adapter.stream.deltas import Delta
from adapter.stream.turn import TurnReader
from adapter.surroundings import Surroundings
from adapter.translate.errors import http_error
from adapter.translate.request import Translation
from adapter.translate.usage import add_usage
from adapter.types.chat import ChatRequest
from adapter.types.response import Usage
from adapter.upstream.base import Upstream, UpstreamAnswer

logger = logging.getLogger(__name__)

InlineImages = Callable[[ChatRequest], Awaitable[ChatRequest]]

# Seconds for a body to end once the model has said all, so that its connection can serve again. Some
# servers and proxies leave it open: what was said is complete all the same.
END_GRACE_SECONDS = 0.5
MAX_ERROR_BYTES = 256 * 1024  # of an error body; the longest seen is 41 KB (SGLang)


class Target(msgspec.Struct, frozen=True):
    """Where turns can go.

    Attributes:
        upstream: where to ask.
        headers: of the request.
        habits: what is known of the upstream; what is learned is added.
        model: what the upstream calls the model.
    """

    upstream: Upstream
    headers: Mapping[str, str]
    habits: Habits
    model: str


class Turn:
    """One call of the upstream.

    Args:
        target: where to ask; its first answer may tell more of its habits.
        dialect: how the request was made.
        surroundings: limits.
        images: puts images behind URLs into a request, where the upstream does not fetch them.
        logprobs: the client asked for log probabilities.
        max_calls: see `TurnReader`.
        joins: see `TurnReader`.

    Attributes:
        has_begun: the model has begun to answer.
        is_over: it has said all, or what it says has failed: see `check`.
        finish_reason: why it stopped, once it has.
        usage: what it cost, once it has stopped.
        service_tier: the one that the upstream says it used.
    """

    has_begun = False
    is_over = False
    finish_reason: str | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    _reader: TurnReader
    _answer: UpstreamAnswer

    def __init__(
        self,
        target: Target,
        dialect: Dialect,
        surroundings: Surroundings,
        *,
        images: InlineImages | None = None,
        logprobs: bool = False,
        max_calls: int | None = None,
        joins: bool = False,
    ) -> None:
        self._bytes_left = surroundings.max_bytes or sys.maxsize
        self._target = target
        self._dialect = dialect
        self._images = images
        self._logprobs = logprobs
        self._joins = joins
        self._max_calls = max_calls
        self._max_event_bytes = surroundings.max_event_bytes

    def check(self) -> None:
        """Raise what went wrong in what was read, once all that came before it was handed on.

        Raises:
            UpstreamError: the answer is over before it is complete.
        """
        if self._reader.failure is not None:
            raise self._reader.failure

    def open(
        self, translation: Translation
    ) -> AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
        """Ask, and hand out the answer's body, piece by piece, for `read`.

        Args:
            translation: what to ask. It need not stay for as long as the answer.

        Raises:
            UpstreamError: it refused, or could not be reached.
        """
        return self._ask(translation.chat, translation.text_call)

    def read(self, chunk: bytes) -> list[Delta]:
        """Return what the next bytes say, and what was held back if they end in a failure."""
        reader = self._reader
        if not (self.has_begun or self._target.habits.is_known):
            self._target.habits.observe(self._answer.headers, chunk)
        deltas = reader.feed(chunk)
        if not self.has_begun:
            self.has_begun = reader.has_begun
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            reader.failure = UpstreamError(
                "The upstream's answer is longer than what is accepted here."
            )
        if reader.failure is not None:
            self.is_over = True
            return deltas + reader.end()
        self.is_over = reader.is_done
        return deltas

    async def read_rest(self, chunks: AsyncGenerator[bytes, None]) -> list[Delta]:
        """Return what comes behind the end that the model has said: nothing, as a rule.

        Behind a failure nothing is read. A body that breaks off here, or does not end soon, was complete.
        """
        deltas: list[Delta] = []
        if self._reader.failure is not None or getattr(self._answer, "is_read", False):
            return deltas
        with suppress(TimeoutError, UpstreamError), Deadline(END_GRACE_SECONDS):
            async for chunk in chunks:
                deltas += self.read(chunk)
        return deltas

    def end(self) -> list[Delta]:
        """Return what was held back: no more bytes come."""
        deltas = self._reader.end()
        self.has_begun = self._reader.has_begun
        self._note(self._reader)
        return deltas

    def _ask(
        self, chat: ChatRequest, text_call: str | None
    ) -> AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
        return _Asked(self, chat, text_call)

    async def call(self, chat: ChatRequest) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """Return the call of the upstream that asks."""
        if self._images is not None:
            chat = await self._images(chat)
        return self._target.upstream.open(chat.encode(), self._target.headers)

    async def take(self, answer: UpstreamAnswer, text_call: str | None) -> None:
        """Make ready to read an answer.

        Raises:
            UpstreamError: it is a refusal.
        """
        if answer.status != 200:
            raise http_error(answer.status, answer.headers, await _read_error(answer))
        self._answer = answer
        self._reader = self._new_reader(answer, text_call)
        self.is_over = False

    def _note(self, reader: TurnReader) -> None:
        self.finish_reason = reader.finish_reason
        self.service_tier = reader.service_tier
        self.usage = add_usage(self.usage, reader.usage)
        if reader.dropped_calls:
            logger.debug("%d calls dropped: parallel_tool_calls is false", reader.dropped_calls)

    def _new_reader(self, answer: UpstreamAnswer, text_call: str | None) -> TurnReader:
        content_type = answer.headers.get("content-type", "text/event-stream")
        if "html" in content_type:
            raise UpstreamError(
                "The upstream answered with a web page, not with a chat completion. "
                "Check the base URL."
            )
        return TurnReader(
            self._dialect,
            content_type,
            logprobs=self._logprobs,
            max_calls=self._max_calls,
            text_call=text_call,
            joins=self._joins,
            max_event_bytes=self._max_event_bytes,
        )


class _Asked:
    """A question that was sent, until the end of the block: its answer's body.

    A class, where a generator would read better: 3 µs less of each request.

    Args:
        turn: asks.
        chat: what it asks.
        text_call: see `TurnReader`.
    """

    def __init__(self, turn: Turn, chat: ChatRequest, text_call: str | None) -> None:
        self._turn = turn
        self._chat = chat
        self._text_call = text_call

    async def __aenter__(self) -> AsyncGenerator[bytes, None]:
        self._call = await self._turn.call(self._chat)
        answer = await self._call.__aenter__()
        try:
            await self._turn.take(answer, self._text_call)
        except BaseException as exc:
            await self._call.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        del self._chat  # a long one need not stay for as long as its answer
        self._chunks = answer.chunks()
        return self._chunks

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._chunks.aclose()
        finally:
            await self._call.__aexit__(exc_type, exc, traceback)


async def _read_error(answer: UpstreamAnswer) -> bytes:
    body = bytearray()
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_ERROR_BYTES:
                break
    return bytes(body[:MAX_ERROR_BYTES])
