"""A response that is a compaction: the model writes a summary, and the client gets it sealed.

The summary is the answer of a run of its own, so it learns from refusals as any other does. One
that does not fit into the context is asked for again: without a limit for the answer, and then of
the newer half of the conversation, and of the newer half of that. A shorter memory is better than a
conversation that cannot go on.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping

import msgspec

from adapter.dialects import Dialect
from adapter.errors import AdapterError, UpstreamError
from adapter.habits import Habits
from adapter.loop import Keep, ResponseRun, Surroundings
from adapter.sealing import Sealer
from adapter.translate.causes import OVERFLOW, POLICY
from adapter.translate.compaction import (
    summary_of,
    thoughts_of,
    to_summary_request,
    whole_conversation,
    without_oldest,
)
from adapter.translate.replay import History
from adapter.translate.request import Translation
from adapter.types.events import Event
from adapter.types.items import Compaction
from adapter.types.request import ResponseRequest
from adapter.types.response import Response
from adapter.upstream.base import Upstream

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 6  # the last one is of a sixteenth of the conversation

# (request, what was said before) to how it is translated.
Translate = Callable[[ResponseRequest, History | None], Callable[[Dialect], Translation]]


class CompactionRun(ResponseRun):
    """Makes one response that holds a compaction and nothing else.

    Args:
        request: what the client asked, without the trigger.
        history: what was said before.
        translate: how requests to the upstream are translated.
        habits: what is known of the upstream; what is learned is added.
        upstream: where to ask.
        headers: request headers for the upstream.
        surroundings: ids, the clock, limits.
        model: what the upstream calls the model.
        sealer: seals the summary.
        max_tokens: the longest summary to ask for.
        keep: keeps the response; see `ResponseRun`.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(
        self,
        request: ResponseRequest,
        history: History | None,
        translate: Translate,
        habits: Habits,
        upstream: Upstream,
        headers: Mapping[str, str],
        surroundings: Surroundings,
        *,
        model: str,
        sealer: Sealer,
        max_tokens: int,
        keep: Keep | None = None,
    ) -> None:
        super().__init__(
            request,
            translate(request, history),
            habits,
            upstream,
            headers,
            surroundings,
            model=model,
            keep=keep,
        )
        self._conversation = whole_conversation(request, history)
        self._translate_any = translate
        self._sealer = sealer
        asked = request.max_output_tokens
        self._max_tokens: int | None = min(asked or max_tokens, max_tokens)

    async def _answer(self) -> AsyncGenerator[list[Event], None]:
        summary = await self._summarise()
        text = summary_of(summary) or thoughts_of(summary)
        if not text:
            raise _no_summary(summary)
        sealed = self._sealer.seal("compaction", text)
        yield await self._end_with(Compaction(self._surroundings.new_id("cmp"), sealed), summary)

    async def _summarise(self) -> Response:
        """Return the model's answer to the request for a summary.

        Raises:
            AdapterError: there is none to be had.
        """
        attempts = MAX_ATTEMPTS
        while True:
            attempts -= 1
            try:
                summary = await self._ask()
            except AdapterError as error:
                if error.code != OVERFLOW or not attempts or not self._shorten():
                    raise
                logger.debug("the conversation does not fit for its summary; asking for less")
                continue
            is_cut = _why_incomplete(summary) == "max_output_tokens"
            if summary_of(summary) or not is_cut or self._max_tokens is None:
                return summary
            self._max_tokens = None  # reasoning took all of it

    async def _ask(self) -> Response:
        request = to_summary_request(self._request, self._max_tokens)
        run = ResponseRun(
            request,
            self._translate_any(request, History(self._conversation)),
            self._habits,
            self._upstream,
            self._headers,
            msgspec.structs.replace(self._surroundings, sealer=None),
            model=self._model,
        )
        return await run.collect()

    def _shorten(self) -> bool:
        """Ask for less next time, and tell whether that is possible."""
        if self._max_tokens is not None:
            self._max_tokens = None
            return True
        rest = without_oldest(self._conversation)
        self._conversation = rest or self._conversation
        return rest is not None

    async def _end_with(self, item: Compaction, summary: Response) -> list[Event]:
        return [
            *self._opening(),
            *self._machine.add(item),
            *self._machine.end_turn(None, summary.usage),
            *await self._finish(summary.service_tier),
        ]


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
