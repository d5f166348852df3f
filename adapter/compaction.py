"""Compaction: the model writes a summary of a conversation, and the client gets it sealed.

A response can be a compaction and nothing else, because the client asked for one. Or it is one of
the items of a response, because the conversation has become longer than the client wants it
(`context_management`): then the run of that response asks for it.

The summary is the answer of a run of its own, so it learns from refusals as any other does. One
that does not fit into the context is asked for again: without a limit for the answer, and then of
the newer half of the conversation, and of the newer half of that. A shorter memory is better than a
conversation that cannot go on.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from adapter.asking import Translate
from adapter.errors import AdapterError, UpstreamError
from adapter.loop import ResponseRun
from adapter.sealing import Sealer
from adapter.surroundings import Keep, Surroundings
from adapter.translate.causes import OVERFLOW, POLICY
from adapter.translate.compaction import (
    Compacted,
    summary_of,
    thoughts_of,
    to_summary_request,
    whole_conversation,
    without_oldest,
)
from adapter.translate.items import PlacedItem
from adapter.translate.replay import History
from adapter.turn import Target
from adapter.types.events import Event
from adapter.types.items import Compaction
from adapter.types.request import ResponseRequest
from adapter.types.response import Response

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 6  # the last one is of a sixteenth of the conversation

# (request, what was said before) to how it is translated.
Translations = Callable[[ResponseRequest, History | None], Translate]


class Compactor(msgspec.Struct, frozen=True, kw_only=True):
    """Makes compactions of a conversation.

    Attributes:
        request: what the client asked, without a trigger.
        history: what was said before.
        translate: how requests to the upstream are translated.
        target: where to ask.
        surroundings: ids, the clock, limits.
        sealer: seals the summary.
        max_tokens: the longest summary to ask for.
    """

    request: ResponseRequest
    history: History | None
    translate: Translations
    target: Target
    surroundings: Surroundings
    sealer: Sealer
    max_tokens: int

    async def compact(self, said: Sequence[PlacedItem] = ()) -> Compacted:
        """Return a compaction of the conversation.

        Args:
            said: what its response has said so far.

        Raises:
            AdapterError: there is none to be had.
        """
        conversation = (*whole_conversation(self.request, self.history), *said)
        summary = await self._summarise(conversation)
        text = summary_of(summary) or thoughts_of(summary)
        if not text:
            raise _no_summary(summary)
        sealed = self.sealer.seal("compaction", text)
        item = Compaction(self.surroundings.new_id("cmp"), sealed)
        return Compacted(item, summary.usage, summary.service_tier)

    async def _summarise(self, conversation: tuple[PlacedItem, ...]) -> Response:
        """Return the model's answer to the request for a summary, of all or of the newer part."""
        asked = self.request.max_output_tokens or self.max_tokens
        limit: int | None = min(asked, self.max_tokens)
        attempts = MAX_ATTEMPTS
        while True:
            attempts -= 1
            try:
                summary = await self._ask(conversation, limit)
            except AdapterError as error:
                rest = conversation if limit is not None else without_oldest(conversation)
                if error.code != OVERFLOW or not attempts or rest is None:
                    raise
                logger.debug("the conversation does not fit for its summary; asking for less")
                conversation, limit = rest, None
                continue
            is_cut = _why_incomplete(summary) == "max_output_tokens"
            if summary_of(summary) or not is_cut or limit is None:
                return summary
            limit = None  # reasoning took all of it

    async def _ask(self, conversation: tuple[PlacedItem, ...], limit: int | None) -> Response:
        request = to_summary_request(self.request, limit)
        run = ResponseRun(
            request,
            self.translate(request, History(conversation)),
            self.target,
            msgspec.structs.replace(self.surroundings, sealer=None, detached=None),
        )
        return await run.collect()


class CompactionRun(ResponseRun):
    """Makes one response that holds a compaction and nothing else.

    Args:
        compactor: makes it.
        keep: keeps the response; see `ResponseRun`.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(self, compactor: Compactor, *, keep: Keep | None = None) -> None:
        request, history = compactor.request, compactor.history
        super().__init__(
            request,
            compactor.translate(request, history),
            compactor.target,
            compactor.surroundings,
            keep=keep,
        )
        whole_conversation(request, history)  # what cannot be read is told at once
        self._compactor = compactor

    async def _answer(self) -> AsyncGenerator[list[Event], None]:
        try:
            compacted = await self._compactor.compact()
            said = [*self._opening(), *self._machine.add(compacted.item)]
            yield said + self._machine.end_turn(None, compacted.usage)
            said = await self._finish(compacted.service_tier)
        except Exception as exc:  # noqa: BLE001  # it is told of, or raised again
            said = await self._failed(exc)
        yield said


def _why_incomplete(response: Response) -> str | None:
    details = response.incomplete_details
    return None if details is None else details.reason


def _no_summary(response: Response) -> UpstreamError:
    if _why_incomplete(response) == "content_filter":
        return UpstreamError(
            "The upstream's content filter stopped the summary of the conversation.",
            status=400,
            type="invalid_request_error",
            code=POLICY,
        )
    return UpstreamError("The model wrote no summary of the conversation.")
