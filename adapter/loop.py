"""One response, from its request to its last event: the only place where the parts meet.

Everything that decides is pure and below; here is what waits. What it needs (the upstream, ids, the
clock) is given to it, and it reads no configuration.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import msgspec

from adapter.asking import Asking, Fallbacks, Translate
from adapter.errors import AdapterError, StoreError, UpstreamError
from adapter.hosted.tools import HostedTools, UnknownApprovalError
from adapter.room import Compact, Room
from adapter.stream.deltas import Delta
from adapter.stream.items import ContentKind, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.surroundings import Keep, Surroundings
from adapter.translate.causes import OVERFLOW
from adapter.translate.echo import to_response
from adapter.translate.items import PlacedItem
from adapter.translate.replay import own_output, read_history
from adapter.translate.request import Progress, Translation
from adapter.turn import Target, Turn
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Response, Usage

logger = logging.getLogger(__name__)

_UNEXPECTED = "response failed unexpectedly"
_UNEXPECTED_ANSWER = "The server had an error while making the response."


class ResponseRun:
    """Makes one response.

    Args:
        request: what the client asked.
        translate: what to ask upstream, by its dialect; and by `progress`, from the second turn on
            of a response with hosted tools.
        target: where to ask.
        surroundings: ids, the clock, limits.
        keep: keeps the response before its last event is said; None keeps nothing.
        compact: makes compactions of the conversation; None makes none.
        fallbacks: where to ask, and what, if the upstream is down; None is nowhere else.

    Attributes:
        is_over: the last event was made.
        end: the last event, once it is made.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(
        self,
        request: ResponseRequest,
        translate: Translate,
        target: Target,
        surroundings: Surroundings,
        *,
        keep: Keep | None = None,
        compact: Compact | None = None,
        fallbacks: Fallbacks | None = None,
    ) -> None:
        self.is_over = False
        self.end: Event | None = None
        self._is_collected = False  # nobody is shown the events, but for the last
        self._room = Room(request, compact)
        self._keep = keep
        self._surroundings = surroundings
        self._asking = Asking(request, translate, target, surroundings, self._room, fallbacks)
        translation = self._asking.translation
        detached = surroundings.detached
        self._machine = ResponseStream(
            to_response(
                request,
                translation,
                id=detached.id if detached else surroundings.new_id("resp"),
                created_at=detached.created_at if detached else int(surroundings.now()),
                store=(keep is not None and request.store is not False) or detached is not None,
                background=detached is not None,
            ),
            surroundings.new_id,
            tools=translation.toolbox.offered,
            call_ids=translation.call_ids,
            reasoning=_reasoning(request, surroundings),
        )
        self._begun: Turn | None = None  # the last turn that the model has begun to answer
        self._service_tier: str | None = None
        self._usage: Usage | None = None  # of the last turn
        self._hosted: HostedTools | None = None
        if surroundings.hosting is not None and translation.toolbox.has_hosted:
            self._hosted = HostedTools(surroundings.hosting, request, translation, surroundings.now)

    @property
    def translation(self) -> Translation:
        """What is asked upstream; another one once something was learned."""
        return self._asking.translation

    @property
    def learned(self) -> frozenset[str]:
        """Names of the facts that refusals taught, and that later requests begin with."""
        return self._asking.learned

    @property
    def is_started(self) -> bool:
        return self._machine.is_started

    def start(self) -> list[Event]:
        """Begin the stream before the upstream has said anything; see `events`."""
        detached = self._surroundings.detached
        if detached is None:
            return self._machine.start()
        return self._machine.start(queued=True, said=detached.said)

    def fail(self, error: AdapterError) -> list[Event]:
        """End the stream for a reason of the caller's, who keeps the response and asks no more."""
        return self._over(self._machine.fail(error))

    async def break_off(self, error: AdapterError) -> list[Event]:
        """End the stream for a reason of the caller's, who has stopped reading `events`."""
        return await self._fail(error)

    def keepalive(self) -> Event:
        """Return an event to send while the upstream is silent."""
        return self._machine.keepalive()

    def prepare(self) -> list[Event]:
        """Return the events of a response that says nothing and asks nobody: a warm-up."""
        opening = self._machine.start()
        ending = self._machine.finish(int(self._surroundings.now()))
        return self._over([*opening, *ending])

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
                    if events:
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

    def _answer(self) -> AsyncGenerator[list[Event], None]:
        """Say everything but what went wrong."""
        return self._turn() if self._hosted is None else self._turns(self._hosted)

    async def _turns(self, hosted: HostedTools) -> AsyncGenerator[list[Event], None]:
        """Ask the upstream, and again with what came of its calls, until it makes none."""
        machine = self._machine
        yield self._opening()
        async with aclosing(hosted.list_tools(machine)) as listing:
            async for events in listing:
                yield events
        self._go_on(hosted)
        if approved := hosted.approved_calls(self.translation.toolbox):
            yield machine.call(approved)
            async with aclosing(hosted.run(machine, self.translation.toolbox)) as called:
                async for events in called:
                    yield events
            self._go_on(hosted)
        while not self.is_over:
            async with aclosing(self._turn()) as turn:
                async for events in turn:
                    yield events
            async with aclosing(hosted.run(machine, self.translation.toolbox)) as called:
                async for events in called:
                    yield events
            if not self.is_over:
                yield await self._after_calls(hosted)

    async def _after_calls(self, hosted: HostedTools) -> list[Event]:
        """Go on with what came of the calls; or end, if no more are made here, or only by the client."""
        is_last = bool(self._machine.client_calls) or not hosted.may_call
        compacted = await self._compact_if_long()
        if is_last:
            return [*compacted, *await self._finish(self._service_tier)]
        self._go_on(hosted)
        return compacted

    def _go_on(self, hosted: HostedTools | None) -> None:
        """Ask with what has come since."""
        output = self._machine.output
        self._asking.go_on(hosted.progress(output) if hosted else Progress(self._said()))
        self._machine.offer(self.translation.toolbox.offered)

    async def _turn(self) -> AsyncGenerator[list[Event], None]:
        """Ask the upstream, again if a refusal taught something, and say what it answers."""
        while True:
            turn = self._asking.new_turn(joins=self._is_collected)
            said: list[Event] = []
            made: list[Event] = []
            try:
                async with turn.open() as chunks:
                    async for chunk in chunks:
                        said += self._say(turn, turn.read(chunk))
                        is_over = turn.is_over
                        # The last leaves with the closing events, unless keeping takes its time.
                        if said and not (is_over and self._keep is None):
                            yield said
                            said = []
                        if is_over:
                            turn.check()
                            said += self._say(turn, await turn.read_rest(chunks))
                            break
                said += self._say(turn, turn.end())
                turn.check()
                said += self._end(turn)
            except UpstreamError as error:
                if said:
                    yield said
                is_final = self._asking.refused(error) or turn.has_begun
                made = await self._mend(error, is_final=is_final)
            else:
                break
            yield made
        self._asking.answered()
        closing = said
        if not self._machine.pending_calls:
            if self._room.is_short(turn.usage):
                yield closing
                closing = await self._compact_if_long()
            closing += await self._finish(turn.service_tier)
        yield closing

    def _say(self, turn: Turn, deltas: list[Delta]) -> list[Event]:
        if turn is self._begun:
            return self._machine.feed(deltas)
        if not turn.has_begun:
            return []
        self._begun = turn
        if self._surroundings.watch is not None:
            self._surroundings.watch.begun()
        # Numbers are given when events are made, so the first two are made first.
        return self._opening() + self._machine.feed(deltas)

    async def collect(self) -> Response:
        """Return the whole response.

        Raises:
            AdapterError: it failed.
        """
        self._is_collected = True
        try:
            async with aclosing(self.events(raises=True)) as batches:
                async for events in batches:
                    last = events[-1]
        except UnknownApprovalError as error:
            last = (await self._fail(error))[-1]  # as HF's responses.js answers it
        response: Response = last.response  # type: ignore[union-attr]  # the last event has one
        return response

    def _opening(self) -> list[Event]:
        return [] if self._machine.is_started else self._machine.start()

    async def _fail(self, error: AdapterError) -> list[Event]:
        events = self._over(self._machine.fail(error))
        if self._keep is not None and error.code != StoreError.default_code:
            try:
                await self._keep(events[-1].response)  # type: ignore[union-attr]  # it has one
            except StoreError as exc:
                logger.warning("a failed response could not be stored: %s", exc.message)
        return events

    async def _mend(self, error: UpstreamError, *, is_final: bool) -> list[Event]:
        """Make another request of the one that was refused, and return what is said of that.

        Args:
            error: the refusal.
            is_final: it is too late for another request.

        Raises:
            UpstreamError: there is no other.
            InvalidRequestError: it cannot be sent.
        """
        if is_final:
            raise error
        if self._asking.mend(error):
            self._machine.offer(self.translation.toolbox.offered)
            return []
        if error.code != OVERFLOW:
            raise error
        if compacted := await self._compact():
            self._go_on(self._hosted)
            return compacted
        if not self._asking.shorten(error):
            raise error
        logger.debug("the conversation does not fit; asking again with less of it")
        return []

    async def _compact_if_long(self) -> list[Event]:
        is_wanted = self._room.is_short(self._usage) and not self._machine.is_incomplete
        return await self._compact() if is_wanted else []

    async def _compact(self) -> list[Event]:
        """Put a compaction into the response; nothing if there is none to be had."""
        compacted = await self._room.compact(self._said())
        if compacted is None:
            return []
        opening = self._opening()
        item = self._machine.add(compacted.item)
        return [*opening, *item, *self._machine.end_turn(None, compacted.usage)]

    def _said(self) -> tuple[PlacedItem, ...]:
        output = self._machine.output
        if self._hosted is not None:
            return self._hosted.said(output)
        return read_history((own_output(output),)).items

    def _end(self, turn: Turn) -> list[Event]:
        """Close what is open, and return what is to be said of it."""
        opening = self._opening()
        closing = self._machine.end_turn(turn.finish_reason, turn.usage)
        for note in self._machine.notes:
            logger.debug("left out: %s", note)
        self._service_tier, self._usage = turn.service_tier, turn.usage
        if (watch := self._surroundings.watch) is not None:
            watch.ended(turn.usage, turn.finish_reason)
        return opening + closing

    async def _finish(self, service_tier: str | None) -> list[Event]:
        """Keep the response, and then say that it is complete."""
        result = self._machine.result(int(self._surroundings.now()), service_tier)
        if self._keep is not None:
            result = msgspec.structs.replace(result, store=await self._keep(result))
        return self._over(self._machine.finish_with(result))

    def _over(self, last: list[Event]) -> list[Event]:
        self.is_over = True
        self.end = last[-1]
        return last


def _reasoning(request: ResponseRequest, surroundings: Surroundings) -> ContentKind | None:
    options, sealer = request.reasoning, surroundings.sealer
    if options is None and sealer is None and not surroundings.open_names:
        return None  # as it comes
    is_summarised = options is not None and (options.summary or options.generate_summary)
    is_sealed = "reasoning.encrypted_content" in (request.include or ())
    return reasoning_kind(
        open_names=surroundings.open_names,
        summaries=surroundings.summaries if is_summarised else "never",
        seal=partial(sealer.seal, "reasoning") if sealer is not None and is_sealed else None,
    )
