"""One response, from its request to its last event: the only place where the parts meet.

Everything that decides is pure and below; here is what waits. What it needs (the upstream, ids, the
clock) is given to it, and it reads no configuration.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.errors import AdapterError, InvalidRequestError, StoreError, UpstreamError
from adapter.fetch.base import Fetches
from adapter.fetch.images import inline_images
from adapter.habits import Habits
from adapter.schema_check import find_misfit
from adapter.sealing import Sealer
from adapter.stream.deltas import Delta
from adapter.stream.items import ContentKind, Summaries, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.translate.echo import to_response
from adapter.translate.learn import is_lasting, learn
from adapter.translate.media import find_image_paths
from adapter.translate.parameters import wants_logprobs
from adapter.translate.request import Translation
from adapter.turn import CheckedTurn, InlineImages, Turn
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


# Keeps a response, and tells whether it did; raises StoreError to have it fail instead.
Keep = Callable[[Response], Awaitable[bool]]


class ResponseRun:
    """Makes one response.

    Args:
        request: what the client asked.
        translate: what to ask upstream, by its dialect.
        habits: what is known of the upstream; what is learned is added.
        upstream: where to ask.
        headers: request headers for the upstream.
        surroundings: ids, the clock, limits.
        model: what the upstream calls the model, if not what the client does.
        keep: keeps the response before its last event is said; None keeps nothing.

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
        *,
        model: str | None = None,
        keep: Keep | None = None,
    ) -> None:
        self.is_over = False
        self._keep = keep
        self._request = request
        self._translate = translate
        self._habits = habits
        self._upstream = upstream
        self._headers = headers
        self._surroundings = surroundings
        self._model = model or request.model or ""
        self._dialect = habits.of(self._model)
        self._lessons: list[tuple[Dialect, Dialect]] = []
        self.translation = translate(self._dialect)
        self._machine = ResponseStream(
            to_response(
                request,
                self.translation,
                id=surroundings.new_id("resp"),
                created_at=int(surroundings.now()),
                store=keep is not None,
            ),
            surroundings.new_id,
            tools=self.translation.toolbox.offered,
            call_ids=self.translation.call_ids,
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

    def prepare(self) -> list[Event]:
        """Return the events of a response that says nothing and asks nobody: a warm-up."""
        self.is_over = True
        return [*self._machine.start(), *self._machine.finish(int(self._surroundings.now()))]

    async def events(self, *, raises: bool = False) -> AsyncGenerator[list[Event], None]:
        """Yield the events, one list per read from the upstream.

        The first list begins the stream, unless `start()` was called before.

        Args:
            raises: raise whatever goes wrong.

        Raises:
            AdapterError: before the stream has begun; later failures are its last events.
        """
        try:
            async with aclosing(self._answer()) as answer:
                async for events in answer:
                    yield events
        except AdapterError as error:
            if raises or not self._machine.is_started:
                raise
            logger.debug("response failed: %s", error.code)
            yield await self._fail(error)
        except Exception as exc:
            logger.exception(_UNEXPECTED)
            unexpected = AdapterError(_UNEXPECTED_ANSWER)
            if raises or not self._machine.is_started:
                raise unexpected from exc
            yield await self._fail(unexpected)

    async def _answer(self) -> AsyncGenerator[list[Event], None]:
        """Ask the upstream, again if a refusal taught something, and say what it answers."""
        refusals = 0
        while True:
            turn = self._new_turn()
            try:
                async with turn.open() as chunks:
                    async for chunk in chunks:
                        if events := self._say(turn, turn.read(chunk)):
                            yield events
                        turn.check()
                if events := self._say(turn, turn.end()):
                    yield events
                turn.check()
            except UpstreamError as error:
                _mask_key(error, self._headers)
                refusals += 1
                if turn.has_begun or refusals > MAX_LESSONS or not self._learn(error):
                    raise
            else:
                break
        self._remember()
        yield await self._end(turn)

    def _say(self, turn: Turn, deltas: list[Delta]) -> list[Event]:
        if not turn.has_begun:
            return []
        # Numbers are given when events are made, so the first two are made first.
        return self._opening() + self._machine.feed(deltas)

    async def collect(self) -> Response:
        """Return the whole response.

        Raises:
            AdapterError: it failed.
        """
        async with aclosing(self.events(raises=True)) as batches:
            async for events in batches:
                last = events[-1]
        response: Response = last.response  # type: ignore[union-attr]  # the last event has one
        return response

    def _opening(self) -> list[Event]:
        return [] if self._machine.is_started else self._machine.start()

    async def _fail(self, error: AdapterError) -> list[Event]:
        self.is_over = True
        events = self._machine.fail(error)
        if self._keep is not None and error.code != StoreError.default_code:
            try:
                await self._keep(events[-1].response)  # type: ignore[union-attr]  # it has one
            except StoreError as exc:
                logger.warning("a failed response could not be stored: %s", exc.message)
        return events

    def _new_turn(self) -> Turn:
        options: dict[str, Any] = {
            "images": self._inline_images(),
            "logprobs": wants_logprobs(self._request),
            "max_event_bytes": self._surroundings.max_event_bytes,
        }
        parts = (self._upstream, self._headers, self._habits, self._dialect, self.translation)
        schema = self.translation.answer_schema
        if schema is None:
            return Turn(*parts, **options)
        return CheckedTurn(*parts, find_misfit=partial(find_misfit, schema=schema), **options)

    def _inline_images(self) -> InlineImages | None:
        fetcher = self._surroundings.fetcher
        if fetcher is None:
            return None
        return partial(inline_images, fetcher=fetcher, paths=find_image_paths(self._request))

    def _learn(self, error: UpstreamError) -> bool:
        """Take a refusal for a lesson, and tell whether it was one.

        Raises:
            InvalidRequestError: what it taught is that the request cannot be sent.
        """
        better = learn(self._dialect, self.translation.chat, error)
        if better is None:
            return False
        if is_lasting(error):
            self._lessons.append((self._dialect, better))
        self._dialect = better
        try:
            self.translation = self._translate(better)
        except InvalidRequestError:
            self._remember()
            raise
        # Headers may have left already, so the log has what they would say.
        logger.debug(
            "learned from a refusal (%s); asking again, dropped: %s, adapted: %s",
            ", ".join(sorted(better.learned)),
            ", ".join(self.translation.dropped),
            ", ".join(self.translation.adapted),
        )
        return True

    def _remember(self) -> None:
        """Let later requests of the model begin with what was learned, now that it worked."""
        for before, after in self._lessons:
            self._habits.learn(self._model, before, after)

    async def _end(self, turn: Turn) -> list[Event]:
        """Close what is open and return all that is left to say, for one send."""
        opening = self._opening()
        closing = self._machine.end_turn(turn.finish_reason, turn.usage)
        for note in self._machine.notes:
            logger.debug("left out: %s", note)
        return [*opening, *closing, *await self._finish(turn.service_tier)]

    async def _finish(self, service_tier: str | None) -> list[Event]:
        """Keep the response, and then say that it is complete."""
        result = self._machine.result(int(self._surroundings.now()), service_tier)
        if self._keep is not None:
            result = msgspec.structs.replace(result, store=await self._keep(result))
        self.is_over = True
        return self._machine.finish_with(result)


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
