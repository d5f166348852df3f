"""One response, from its request to its last event: the only place where the parts meet.

Everything that decides is pure and below; here is what waits. What it needs (the upstream, ids, the
clock) is given to it, and it reads no configuration.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import partial

import msgspec

from adapter.dialects import Dialect
from adapter.errors import AdapterError, UpstreamError
from adapter.fetch.base import Fetches
from adapter.fetch.images import inline_images
from adapter.habits import Habits
from adapter.sealing import Sealer
from adapter.stream.items import ContentKind, Summaries, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.translate.echo import to_response
from adapter.translate.learn import is_lasting, learn
from adapter.translate.media import find_image_paths
from adapter.translate.parameters import wants_logprobs
from adapter.translate.request import Translation
from adapter.turn import InlineImages, Turn
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Response
from adapter.upstream.base import Upstream

logger = logging.getLogger(__name__)

# Refusals that one request may learn from; an upstream that refuses field by field has had its say.
MAX_LESSONS = 12
MIN_KEY_CHARS = 8  # shorter ones are placeholders, such as "none", and words of other texts

_UNEXPECTED = "response failed unexpectedly"
_UNEXPECTED_ANSWER = "The server had an error while making the response."


class Surroundings(msgspec.Struct, frozen=True):
    """What a run takes from the world.

    Attributes:
        new_id: (prefix) to a new id.
        now: seconds since the epoch.
        max_event_bytes: the longest event to accept from an upstream.
        open_names: name raw reasoning events as Open Responses does.
        summaries: what to show of reasoning when a summary is asked for.
        sealer: seals reasoning for the client to carry; None leaves it out.
        fetcher: fetches images for upstreams that do not; None leaves them as they are.
    """

    new_id: Callable[[str], str]
    now: Callable[[], float]
    max_event_bytes: int = 16 * 1024 * 1024
    open_names: bool = False
    summaries: Summaries = "with_text"
    sealer: Sealer | None = None
    fetcher: Fetches | None = None


class ResponseRun:
    """Makes one response.

    Args:
        request: what the client asked.
        translate: what to ask upstream, by its dialect.
        habits: what is known of the upstream; what is learned is added.
        upstream: where to ask.
        headers: request headers for the upstream.
        surroundings: ids, the clock, limits.

    Attributes:
        translation: what is asked upstream; another one once something was learned.
        is_over: the last event was made.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(
        self,
        request: ResponseRequest,
        translate: Callable[[Dialect], Translation],
        habits: Habits,
        upstream: Upstream,
        headers: Mapping[str, str],
        surroundings: Surroundings,
    ) -> None:
        self.is_over = False
        self._request = request
        self._translate = translate
        self._habits = habits
        self._upstream = upstream
        self._headers = headers
        self._surroundings = surroundings
        self._model = request.model or ""
        self._dialect = habits.of(self._model)
        self.translation = translate(self._dialect)
        self._last_turn: Turn | None = None
        self._machine = ResponseStream(
            to_response(
                request,
                self.translation,
                id=surroundings.new_id("resp"),
                created_at=int(surroundings.now()),
            ),
            surroundings.new_id,
            tools=self.translation.toolbox.offered,
            reasoning=_reasoning(request, surroundings),
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
                    if events:
                        yield events
            yield self._end()
        except AdapterError as error:
            if not self._machine.is_started:
                raise
            logger.debug("response failed: %s", error.code)
            yield self._fail(error)
        except Exception as exc:
            logger.exception(_UNEXPECTED)
            unexpected = AdapterError(_UNEXPECTED_ANSWER)
            if not self._machine.is_started:
                raise unexpected from exc
            yield self._fail(unexpected)

    async def collect(self) -> Response:
        """Return the whole response.

        Raises:
            AdapterError: it failed.
        """
        try:
            async with aclosing(self._turn()) as turn:
                async for _ in turn:
                    pass
            last = self._end()[-1]
        except AdapterError:
            raise
        except Exception as exc:
            logger.exception(_UNEXPECTED)
            raise AdapterError(_UNEXPECTED_ANSWER) from exc
        response: Response = last.response  # type: ignore[union-attr]  # the last event has one
        return response

    async def _turn(self) -> AsyncGenerator[list[Event], None]:
        machine = self._machine
        refusals: list[UpstreamError] = []
        while True:
            turn = self._new_turn()
            try:
                async with aclosing(turn.deltas()) as answer:
                    async for deltas in answer:
                        # Numbers are given when events are made, so the first two are made first.
                        opening = [] if machine.is_started else machine.start()
                        yield opening + machine.feed(deltas)
            except UpstreamError as error:
                _mask_key(error, self._headers)
                if turn.has_begun:
                    raise
                refusals.append(error)
                if len(refusals) > MAX_LESSONS or not self._learn(error):
                    raise refusals[0] from None
            else:
                break
        if refusals and all(is_lasting(error) for error in refusals):
            self._habits.learn(self._model, self._dialect)
        self._last_turn = turn

    def _fail(self, error: AdapterError) -> list[Event]:
        self.is_over = True
        return self._machine.fail(error)

    def _new_turn(self) -> Turn:
        return Turn(
            self._upstream,
            self._headers,
            self._habits,
            self._dialect,
            self.translation,
            images=self._inline_images(),
            logprobs=wants_logprobs(self._request),
            max_event_bytes=self._surroundings.max_event_bytes,
        )

    def _inline_images(self) -> InlineImages | None:
        fetcher = self._surroundings.fetcher
        if fetcher is None:
            return None
        return partial(inline_images, fetcher=fetcher, paths=find_image_paths(self._request))

    def _learn(self, error: UpstreamError) -> bool:
        """Take a refusal for a lesson, and tell whether it was one."""
        better = learn(self._dialect, self.translation.chat, error)
        if better is None:
            return False
        self._dialect = better
        self.translation = self._translate(better)
        logger.debug("learned from a refusal; asking again")
        return True

    def _end(self) -> list[Event]:
        """Close what is open and return all that is left to say, for one send."""
        turn, machine = self._last_turn, self._machine
        assert turn is not None, "a run ends after its turn"
        opening = [] if machine.is_started else machine.start()
        closing = machine.end_turn(turn.finish_reason, turn.usage)
        for note in machine.notes:
            logger.debug("left out: %s", note)
        self.is_over = True
        return opening + closing + machine.finish(int(self._surroundings.now()), turn.service_tier)


def _reasoning(request: ResponseRequest, surroundings: Surroundings) -> ContentKind:
    options, sealer = request.reasoning, surroundings.sealer
    is_summarised = options is not None and (options.summary or options.generate_summary)
    is_sealed = "reasoning.encrypted_content" in (request.include or ())
    return reasoning_kind(
        open_names=surroundings.open_names,
        summaries=surroundings.summaries if is_summarised else "never",
        seal=partial(sealer.seal, "reasoning") if sealer is not None and is_sealed else None,
    )


def _mask_key(error: UpstreamError, headers: Mapping[str, str]) -> None:
    """Take our key out of the message: some servers quote the one that they refuse."""
    key = headers.get("authorization", "").removeprefix("Bearer ")
    if len(key) >= MIN_KEY_CHARS:
        error.message = error.message.replace(key, "***")
