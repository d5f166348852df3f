"""One response, from its request to its last event: the only place where the parts meet.

Everything that decides is pure and below; here is what waits. What it needs (the upstream, ids, the
clock) is given to it, and it reads no configuration.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from adapter.asking import Asking, Fallbacks, Translate
from adapter.errors import AdapterError, UpstreamError
from adapter.hosted.tools import HostedTools, UnknownApprovalError
from adapter.making import Making
from adapter.room import Compact, Room
from adapter.stream.deltas import Delta
from adapter.surroundings import Keep, Surroundings
from adapter.translate.causes import OVERFLOW
from adapter.translate.items import PlacedItem
from adapter.translate.replay import own_output, read_history
from adapter.translate.request import Progress, Translation
from adapter.turn import Target, Turn
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Response, Usage

logger = logging.getLogger(__name__)


class ResponseRun(Making):
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

    _is_collected = False  # nobody is shown the events, but for the last
    _begun: Turn | None = None  # the last turn that the model has begun to answer
    _service_tier: str | None = None
    _usage: Usage | None = None  # of the last turn
    _hosted: HostedTools | None = None

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
        room = Room(request, compact)
        asking = Asking(request, translate, target, surroundings, room, fallbacks)
        translation = asking.translation
        super().__init__(request, translation, surroundings, keep)
        self._room = room
        self._asking = asking
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

    def events(self, *, raises: bool = False) -> AsyncGenerator[list[Event], None]:
        """Yield the events, one list per read from the upstream.

        The first list begins the stream, unless `start()` was called before.

        Args:
            raises: raise whatever goes wrong.

        Raises:
            AdapterError: before the stream has begun; later failures are its last events.
        """
        self._raises = raises
        return self._answer()

    def _answer(self) -> AsyncGenerator[list[Event], None]:
        return self._turn() if self._hosted is None else self._turns(self._hosted)

    async def _turns(self, hosted: HostedTools) -> AsyncGenerator[list[Event], None]:
        """Ask the upstream, and again with what came of its calls, until it makes none."""
        machine = self._machine
        try:
            if opening := self._opening():
                yield opening
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
                async with aclosing(self._after_calls(hosted)) as after:
                    async for events in after:
                        yield events
        except Exception as exc:  # noqa: BLE001  # it is told of, or raised again
            yield await self._failed(exc)

    async def _after_calls(self, hosted: HostedTools) -> AsyncGenerator[list[Event], None]:
        """Go on with what came of the calls; or end, if no more are made here, or only by the client."""
        if self.is_over:
            return
        is_last = bool(self._machine.client_calls) or not hosted.may_call
        if compacted := await self._compact_if_long():
            yield compacted
        if is_last:
            yield await self._finish(self._service_tier)
        else:
            self._go_on(hosted)

    def _go_on(self, hosted: HostedTools | None) -> None:
        """Ask with what has come since."""
        output = self._machine.output
        self._asking.go_on(hosted.progress(output) if hosted else Progress(self._said()))
        self._machine.offer(self.translation.toolbox.offered)

    async def _turn(self) -> AsyncGenerator[list[Event], None]:
        """Ask the upstream, again if a refusal taught something, and say what it answers.

        There is no generator around this one to say what goes wrong: each read would pass it. What
        has been made is handed on before anything takes its time: it has its numbers, which others
        would come before, and it would be lost if the run were ended meanwhile.
        """
        while not (self.is_over or self._machine.pending_calls):
            turn = self._asking.new_turn(joins=self._is_collected)
            said: list[Event] = []
            try:
                async with turn.open(self._asking.translation) as chunks:
                    async for chunk in chunks:
                        deltas = turn.read(chunk)
                        if turn.is_over:  # the last leaves with the closing events
                            deltas += await turn.read_rest(chunks)
                            said = self._say(turn, deltas)
                            turn.check()
                            break
                        if said := self._say(turn, deltas):
                            yield said
                            said = []
                self._end(turn, said)
                if said and (self._keep is not None or self._room.is_short(turn.usage)):
                    yield said
                    said = []
                if compacted := await self._compact_if_long():
                    yield compacted
                is_done = not self._machine.pending_calls
                said += await self._finish(turn.service_tier) if is_done else []
            except Exception as exc:  # noqa: BLE001  # it is told of, or raised again
                if said:
                    yield said
                said = await self._mend(exc, turn)
            if said:
                yield said

    def _say(self, turn: Turn, deltas: list[Delta]) -> list[Event]:
        if turn is self._begun:
            return self._machine.feed(deltas)
        if not turn.has_begun:
            return []
        self._begun = turn
        self._asking.begun(is_last=self._hosted is None)
        if self._surroundings.watch is not None:
            self._surroundings.watch.begun()
        # Numbers are given when events are made, so the first two are made first.
        return self._opening() + self._machine.feed(deltas)

    def _end(self, turn: Turn, said: list[Event]) -> None:
        """Close what is open, and add what is to be said of it.

        Raises:
            UpstreamError: the answer is over before it is complete.
        """
        said += self._say(turn, turn.end())
        turn.check()
        said += self._opening()
        said += self._machine.end_turn(turn.finish_reason, turn.usage)
        for note in self._machine.notes:
            logger.debug("left out: %s", note)
        self._service_tier, self._usage = turn.service_tier, turn.usage
        if (watch := self._surroundings.watch) is not None:
            watch.ended(turn.usage, turn.finish_reason)
        self._asking.remember()

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

    async def _mend(self, exc: Exception, turn: Turn) -> list[Event]:
        """Make another request of the one that was refused, and return what is said of that.

        Where there is no other, or it is too late for one, the response fails; see `_failed`.
        """
        try:
            if isinstance(exc, UpstreamError):
                is_final = self._asking.refused(exc) or turn.has_begun
                if not is_final and (made := await self._ask_otherwise(exc)) is not None:
                    return made
        except AdapterError as error:  # another cannot be sent
            return await self._failed(error)
        return await self._failed(exc)

    async def _ask_otherwise(self, error: UpstreamError) -> list[Event] | None:
        """Make another request, and return what is said of that; None if there is no other.

        Raises:
            InvalidRequestError: it cannot be sent.
        """
        if self._asking.mend(error):
            self._machine.offer(self.translation.toolbox.offered)
            return []
        if error.code != OVERFLOW:
            return None
        if compacted := await self._compact():
            self._go_on(self._hosted)
            return compacted
        if not self._asking.shorten(error):
            return None
        logger.debug("the conversation does not fit; asking again with less of it")
        return []

    async def _compact_if_long(self) -> list[Event]:
        machine = self._machine
        is_wanted = self._room.is_short(self._usage) and not machine.is_incomplete
        return await self._compact() if is_wanted and not machine.pending_calls else []

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
