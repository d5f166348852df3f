"""One response, from its request to its last event: the only place where the parts meet.

Everything that decides is pure and below; here is what waits. What it needs (the upstream, ids, the
clock) is given to it, and it reads no configuration.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

import msgspec

from adapter.dialects import Dialect
from adapter.errors import AdapterError, UpstreamError
from adapter.stream.machine import ResponseStream
from adapter.stream.turn import TurnReader
from adapter.translate.answer import http_error
from adapter.translate.echo import to_response
from adapter.translate.parameters import wants_logprobs
from adapter.translate.request import Translation
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Response
from adapter.upstream.base import Upstream, UpstreamAnswer

logger = logging.getLogger(__name__)

MAX_ERROR_BYTES = 256 * 1024  # of an error body; the longest seen is 41 KB (SGLang)


class Surroundings(msgspec.Struct, frozen=True):
    """What a run takes from the world.

    Attributes:
        new_id: (prefix) to a new id.
        now: seconds since the epoch.
        max_event_bytes: the longest event to accept from an upstream.
        open_names: name raw reasoning events as Open Responses does.
    """

    new_id: Callable[[str], str]
    now: Callable[[], float]
    max_event_bytes: int = 16 * 1024 * 1024
    open_names: bool = False


class ResponseRun:
    """Makes one response.

    Args:
        request: what the client asked.
        translation: what to ask upstream.
        dialect: the upstream's habits.
        upstream: where to ask.
        headers: request headers for the upstream.
        surroundings: ids, the clock, limits.
    """

    def __init__(
        self,
        request: ResponseRequest,
        translation: Translation,
        dialect: Dialect,
        upstream: Upstream,
        headers: Mapping[str, str],
        surroundings: Surroundings,
    ) -> None:
        self._translation = translation
        self._dialect = dialect
        self._upstream = upstream
        self._headers = headers
        self._surroundings = surroundings
        self._logprobs = wants_logprobs(request)
        self._service_tier: str | None = None
        self._machine = ResponseStream(
            to_response(
                request,
                translation,
                id=surroundings.new_id("resp"),
                created_at=int(surroundings.now()),
            ),
            surroundings.new_id,
            tools=translation.toolbox.offered,
            open_names=surroundings.open_names,
        )

    @property
    def is_started(self) -> bool:
        return self._machine.is_started

    def start(self) -> list[Event]:
        """Begin the stream before the upstream has said anything; see `events`."""
        return self._machine.start()

    def keepalive(self) -> Event:
        """Return an event to send while the upstream is silent."""
        return self._machine.keepalive()

    async def events(self) -> AsyncGenerator[list[Event], None]:
        """Yield the events, one list per read from the upstream.

        The first list begins the stream, unless `start()` was called before.

        Raises:
            AdapterError: before the stream has begun; later failures are its last events.
        """
        try:
            async with aclosing(self._turn()) as turn:
                async for events in turn:
                    yield events
            yield self._finish()
        except AdapterError as error:
            if not self.is_started:
                raise
            logger.debug("response failed: %s", error.code)
            yield self._machine.fail(error)
        except Exception:
            logger.exception("response failed unexpectedly")
            error = AdapterError("The server had an error while making the response.")
            if not self.is_started:
                raise error from None
            yield self._machine.fail(error)

    async def collect(self) -> Response:
        """Return the whole response.

        Raises:
            AdapterError: it failed.
        """
        async with aclosing(self._turn()) as turn:
            async for _ in turn:
                pass
        last = self._finish()[-1]
        response: Response = last.response  # type: ignore[union-attr]  # the last event has one
        return response

    async def _turn(self) -> AsyncGenerator[list[Event], None]:
        machine = self._machine
        body = self._translation.chat.encode()
        async with self._upstream.open(body, self._headers) as answer:
            if answer.status != 200:
                raise http_error(answer.status, answer.headers, await _read_error(answer))
            reader = self._reader(answer)
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    events = machine.feed(reader.feed(chunk))
                    if machine.is_started:
                        if events:
                            yield events
                    elif reader.has_begun:
                        yield machine.start() + events
        events = machine.feed(reader.end())
        events += machine.end_turn(reader.finish_reason, reader.usage)
        self._service_tier = reader.service_tier
        if reader.dropped_calls:
            logger.debug("%d calls dropped: parallel_tool_calls is false", reader.dropped_calls)
        yield events if machine.is_started else machine.start() + events

    def _finish(self) -> list[Event]:
        for note in self._machine.notes:
            logger.debug("left out: %s", note)
        return self._machine.finish(int(self._surroundings.now()), self._service_tier)

    def _reader(self, answer: UpstreamAnswer) -> TurnReader:
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
            max_calls=self._translation.max_calls,
            max_event_bytes=self._surroundings.max_event_bytes,
        )


async def _read_error(answer: UpstreamAnswer) -> bytes:
    body = bytearray()
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_ERROR_BYTES:
                break
    return bytes(body[:MAX_ERROR_BYTES])
