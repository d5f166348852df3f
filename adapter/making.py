"""One response in the making: how it begins, how it ends, and how it fails, whatever comes between.

It is kept before its last event is said, so that whoever hears that event finds it.
"""

import logging
from functools import partial

import msgspec

from adapter.errors import AdapterError, StoreError
from adapter.stream.items import ContentKind, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.surroundings import Keep, Surroundings
from adapter.translate.echo import to_response
from adapter.translate.request import Translation
from adapter.types.events import Event
from adapter.types.request import ResponseRequest

logger = logging.getLogger(__name__)


class Making:
    """Begins and ends one response.

    Args:
        request: what the client asked.
        translation: what became of it.
        surroundings: ids, the clock.
        keep: keeps the response before its last event is said; None keeps nothing.

    Attributes:
        is_over: the last event was made.
        end: the last event, once it is made.
    """

    is_over = False
    end: Event | None = None
    _raises = False  # whatever goes wrong, even once the stream has begun

    def __init__(
        self,
        request: ResponseRequest,
        translation: Translation,
        surroundings: Surroundings,
        keep: Keep | None,
    ) -> None:
        self._keep = keep
        self._surroundings = surroundings
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

    def _opening(self) -> list[Event]:
        return [] if self._machine.is_started else self._machine.start()

    async def _failed(self, exc: Exception) -> list[Event]:
        """End the stream with what went wrong.

        Raises:
            AdapterError: nothing has been said yet, or whoever reads wants it raised.
        """
        error = exc if isinstance(exc, AdapterError) else _unexpected(exc)
        if self._raises or not self._machine.is_started:
            raise error
        logger.debug("response failed: %s", error.code)
        return await self._fail(error)

    async def _fail(self, error: AdapterError) -> list[Event]:
        events = self._over(self._machine.fail(error))
        if self._keep is not None and error.code != StoreError.default_code:
            try:
                await self._keep(events[-1].response)  # type: ignore[union-attr]  # it has one
            except StoreError as exc:
                logger.warning("a failed response could not be stored: %s", exc.message)
        return events

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


def _unexpected(exc: Exception) -> AdapterError:
    logger.error("response failed unexpectedly", exc_info=exc)
    error = AdapterError("The server had an error while making the response.")
    error.__cause__ = exc
    return error


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
