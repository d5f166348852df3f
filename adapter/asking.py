"""What is asked upstream for one response: of whom, in which dialect, and with what has come since.

A refusal may teach how else to ask, an upstream that is down may have another behind it, and what is
too long may be asked with less. The loop asks (`new_turn`); here is decided what.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from adapter.checked import CheckedTurn, checks_of
from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError, UpstreamError
from adapter.fetch.images import inline_images
from adapter.room import Room
from adapter.surroundings import Surroundings
from adapter.translate.approvals import Settled
from adapter.translate.items import PlacedItem
from adapter.translate.learn import is_lasting, learn
from adapter.translate.media import find_image_paths
from adapter.translate.parameters import wants_logprobs
from adapter.translate.request import Progress, Translation
from adapter.turn import InlineImages, Target, Turn
from adapter.types.chat import ChatRequest
from adapter.types.request import ResponseRequest

logger = logging.getLogger(__name__)

Translate = Callable[..., Translation]
Fallbacks = Iterator[tuple[Target, Translate]]

# Refusals that one request may learn from; an upstream that refuses field by field has had its say.
MAX_LESSONS = 12
# Headers that hold one: those of OpenAI, Azure, Anthropic, Google and their gateways, and cookies.
_OF_A_KEY = re.compile("auth|key|token|secret|cookie")
MIN_KEY_CHARS = 8  # shorter ones are placeholders, such as "none", and words of other texts
# In place of a conversation that is not asked again.
_ASKED = ChatRequest("", (), {})
_SETTLED = Settled(())


class Asking:
    """What to ask next.

    Args:
        request: what the client asked.
        translate: what to ask upstream; see `ResponseRun`.
        target: where to ask.
        surroundings: ids, the clock, limits.
        room: what may be left out of what is too long.
        fallbacks: where to ask, and what, if the upstream is down; None is nowhere else.

    Attributes:
        translation: what is asked now.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(
        self,
        request: ResponseRequest,
        translate: Translate,
        target: Target,
        surroundings: Surroundings,
        room: Room,
        fallbacks: Fallbacks | None = None,
    ) -> None:
        self._request = request
        self._logprobs = wants_logprobs(request)
        self._translate = translate
        self._target = target
        self._surroundings = surroundings
        self._room = room
        self._fallbacks = fallbacks
        self._dialect = target.habits.of(target.model)
        self._lessons: list[tuple[Dialect, Dialect]] = []
        self._refusals = 0
        self._progress: Progress | None = None
        self.translation: Translation = translate(self._dialect)

    @property
    def learned(self) -> frozenset[str]:
        """Names of the facts that refusals taught, and that later requests begin with."""
        return frozenset[str]().union(
            *(after.learned - before.learned for before, after in self._lessons)
        )

    def new_turn(self, *, joins: bool) -> Turn:
        """Return the call of the upstream that asks.

        Args:
            joins: nobody is shown the deltas, so that they may be joined.
        """
        translation = self.translation
        options: dict[str, Any] = {
            "images": self._inline_images() if self._dialect.image_urls == "data" else None,
            "logprobs": self._logprobs,
            "max_calls": translation.max_calls,
            "joins": joins,
        }
        parts = (self._target, self._dialect, self._surroundings)
        checks = checks_of(translation, self._ask_again)
        return CheckedTurn(*parts, checks=checks, **options) if checks else Turn(*parts, **options)

    def go_on(self, progress: Progress) -> None:
        """Ask with what has come since.

        Raises:
            InvalidRequestError: it cannot be translated.
        """
        self._progress = progress
        self.translation = self._translated()

    def begun(self, *, is_last: bool) -> None:
        """Take note that the model has begun to answer: another would go on from what it has not said.

        Args:
            is_last: nothing is asked after this, and a long request need not stay for as long as its
                answer.
        """
        self._fallbacks = None
        if is_last:
            self.translation = msgspec.structs.replace(
                self.translation, chat=_ASKED, settled=_SETTLED
            )
            del self._request, self._translate

    def remember(self) -> None:
        """Let later requests of the model begin with what was learned, now that it worked."""
        for before, after in self._lessons:
            self._target.habits.learn(self._target.model, before, after)

    def refused(self, error: UpstreamError) -> bool:
        """Take note of a refusal, and tell whether it is the last that is put up with.

        Args:
            error: what the upstream said. Some quote the key that they refuse: ours is taken out.
        """
        for name, value in self._target.headers.items():
            if _OF_A_KEY.search(name) is None:
                continue
            for key in (value, value.rpartition(" ")[2]):  # with its scheme, and without
                if len(key) >= MIN_KEY_CHARS:
                    error.message = error.message.replace(key, "***")
        self._refusals += 1
        return self._refusals > MAX_LESSONS

    def mend(self, error: UpstreamError) -> bool:
        """Ask in another way, or elsewhere, and tell whether there is another.

        Raises:
            InvalidRequestError: what the refusal taught is that the request cannot be sent.
        """
        return self._learn(error) or self._fall_back(error)

    def shorten(self, error: UpstreamError) -> bool:
        """Ask with less of the conversation, and tell whether there is less."""
        before = self.translation.truncated
        if self._room.drop(error.message, before):
            self.translation = self._translated()
        return self.translation.truncated > before

    def _ask_again(self, name: str, said: Sequence[PlacedItem]) -> Translation:
        """Return what to ask for another call of a function, for the client to hear of alone."""
        before = self._progress or Progress()
        again = msgspec.structs.replace(before, said=(*before.said, *said), must_call=name)
        return self._translated(again)

    def _inline_images(self) -> InlineImages | None:
        fetcher = self._surroundings.fetcher
        if fetcher is None:
            return None

        async def inlined(chat: ChatRequest) -> ChatRequest:
            # Few upstreams need it, and the paths take another look at the whole input.
            paths = find_image_paths(self._request)
            return await inline_images(chat, fetcher=fetcher, paths=paths)

        return inlined

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
            self.translation = self._translated()
        except InvalidRequestError:
            self.remember()
            raise
        # Headers may have left already, so the log has what they would say.
        logger.debug(
            "learned from a refusal (%s); asking again, dropped: %s, adapted: %s",
            ", ".join(sorted(better.learned)),
            ", ".join(self.translation.dropped),
            ", ".join(self.translation.adapted),
        )
        return True

    def _fall_back(self, error: UpstreamError) -> bool:
        """Turn to another upstream if nobody is at this one, and tell whether there is another."""
        if error.status < 500 or self._fallbacks is None:
            return False
        for target, translate in self._fallbacks:
            dialect = target.habits.of(target.model)
            try:
                self.translation = translate(dialect, **self._since())
            except InvalidRequestError:  # what the first can be sent, this one cannot
                continue
            logger.info("the upstream is down (status %d): another one is asked", error.status)
            self._target, self._translate, self._dialect = target, translate, dialect
            self._lessons.clear()
            return True
        return False

    def _translated(self, progress: Progress | None = None) -> Translation:
        return self._translate(self._dialect, **self._since(progress))

    def _since(self, progress: Progress | None = None) -> dict[str, Any]:
        since: dict[str, Any] = {}
        if (progress := progress or self._progress) is not None:
            since["progress"] = progress
        if self._room.drop_share:
            since["drop_share"] = self._room.drop_share
        return since
