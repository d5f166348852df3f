"""Room for one conversation in the model's context, if the client wants it made.

With `context_management`, the conversation is compacted: once a turn has shown that it is longer
than the threshold, and when the upstream finds it too long. It is a turn's `usage` that says how
long it is, as nothing else knows the upstream's tokens for free; where there is none, only the
upstream's refusal counts. With `truncation: "auto"`, the oldest is left out of what is refused.

Source: sheet §3 and §7.2 COMPACT; OpenAI's recorded streams, in which the compaction comes after
the message that crossed the threshold, be it by the input alone.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from adapter.errors import AdapterError
from adapter.translate.compaction import Compacted, compact_threshold
from adapter.translate.items import PlacedItem
from adapter.translate.truncation import next_share
from adapter.types.input import CompactionItem
from adapter.types.request import ResponseRequest
from adapter.types.response import Usage

logger = logging.getLogger(__name__)

# (what the response has said so far) to a compaction of the whole conversation.
Compact = Callable[[Sequence[PlacedItem]], Awaitable[Compacted]]


class Room:
    """Makes room for one response.

    Args:
        request: what the client asked.
        compact: makes compactions; None if there is nothing that could.

    Attributes:
        drop_share: which share of the request is to be left out.
    """

    def __init__(self, request: ResponseRequest, compact: Compact | None) -> None:
        self.drop_share = 0.0
        self._compact = compact if request.context_management else None
        self._threshold = None if self._compact is None else compact_threshold(request)
        self._truncates = request.truncation == "auto"
        self._max_output_tokens = (
            request.max_output_tokens or request.max_completion_tokens or request.max_tokens
        )

    def is_short(self, usage: Usage | None) -> bool:
        """Tell whether a turn has shown that the conversation is to be compacted."""
        if self._compact is None or self._threshold is None or usage is None:
            return False
        return usage.total_tokens > self._threshold

    async def compact(self, said: Sequence[PlacedItem]) -> Compacted | None:
        """Return a compaction; None if it is not wanted, of no use, or cannot be had.

        The answer is worth more than that it is followed by a compaction, so none fails it.

        Args:
            said: what the response has said so far.
        """
        if self._compact is None or (said and isinstance(said[-1].item, CompactionItem)):
            return None
        try:
            return await self._compact(said)
        except AdapterError as error:
            logger.warning("a conversation could not be compacted: %s", error.code)
            return None

    def drop(self, refusal: str, dropped: float) -> bool:
        """Take note that more has to be left out, and tell whether anything may be.

        Args:
            refusal: the upstream's words.
            dropped: which share of the request was left out when they were said.
        """
        if self._truncates:
            self.drop_share = next_share(dropped, refusal, self._max_output_tokens)
        return self._truncates
