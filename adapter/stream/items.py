"""Messages and reasoning while they are written: a row per kind of item and of part.

An item turns what is appended into events, and is built as a value twice: empty when it is added,
whole when it is done. Numbers come from the response's own counter, so that every event is
numbered when it is made.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from adapter.stream.citations import find_citations
from adapter.stream.deltas import Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.tools.kinds import NextNumber
from adapter.types import events as wire
from adapter.types.events import (
    Event,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
)
from adapter.types.hosted import Source
from adapter.types.hosted_events import AnnotationAdded
from adapter.types.items import (
    ItemStatus,
    Logprob,
    Message,
    OutputItem,
    OutputPart,
    OutputText,
    Reasoning,
    ReasoningText,
    Refusal,
    SummaryText,
)

Part = OutputPart | SummaryText
Summaries = Literal["never", "with_text", "instead"]


class PartKind(msgspec.Struct, frozen=True):
    """How one kind of part is shown. `place` is (item_id, output_index, index).

    Text is the only one with log probabilities, which come last in its part and its events.

    Attributes:
        part: (text) to the part.
        added: (number, *place, part) to the event.
        delta: (number, *place, text) to the event.
        done: (number, *place, text) to the event.
        closed: (number, *place, part) to the event.
    """

    part: Callable[[str], Part]
    added: Callable[[int, str, int, int, Any], Event]
    delta: Callable[[int, str, int, int, str], Event]
    done: Callable[[int, str, int, int, str], Event]
    closed: Callable[[int, str, int, int, Any], Event]


class ContentKind(msgspec.Struct, frozen=True):
    """How one kind of item with content is shown.

    Attributes:
        id_prefix: prefix of the item's id.
        parts: the part kind for each kind of delta that it takes.
        item: (id, status, parts) to the item.
        repeats: a part that says the whole text once more at the end.
    """

    id_prefix: str
    parts: Mapping[type, PartKind]
    item: Callable[[str, ItemStatus, tuple[Part, ...]], OutputItem]
    repeats: PartKind | None = None


TEXT_PART = PartKind(
    part=OutputText,
    added=wire.ContentPartAdded,
    delta=OutputTextDelta,
    done=OutputTextDone,
    closed=wire.ContentPartDone,
)
REFUSAL_PART = PartKind(
    part=Refusal,
    added=wire.ContentPartAdded,
    delta=wire.RefusalDelta,
    done=wire.RefusalDone,
    closed=wire.ContentPartDone,
)
REASONING_PART = PartKind(
    part=ReasoningText,
    added=wire.ContentPartAdded,
    delta=wire.ReasoningTextDelta,
    done=wire.ReasoningTextDone,
    closed=wire.ContentPartDone,
)
OPEN_REASONING_PART = PartKind(
    part=ReasoningText,
    added=wire.ContentPartAdded,
    delta=wire.OpenReasoningDelta,
    done=wire.OpenReasoningDone,
    closed=wire.ContentPartDone,
)
SUMMARY_PART = PartKind(
    part=SummaryText,
    added=wire.ReasoningSummaryPartAdded,
    delta=wire.ReasoningSummaryTextDelta,
    done=wire.ReasoningSummaryTextDone,
    closed=wire.ReasoningSummaryPartDone,
)

MESSAGE = ContentKind(
    id_prefix="msg",
    parts={TextDelta: TEXT_PART, RefusalDelta: REFUSAL_PART},
    item=lambda id, status, parts: Message(id, status, content=parts),  # type: ignore[arg-type]  # its kinds of part
)


def reasoning_kind(
    *,
    open_names: bool = False,
    summaries: Summaries = "never",
    seal: Callable[[str], str] | None = None,
) -> ContentKind:
    """Return how the reasoning of one response is shown.

    Args:
        open_names: name raw reasoning events as Open Responses 2026-04-24 does.
        summaries: whether the text is said as a summary, for clients that show only that, and
            whether it is said as it is too.
        seal: encrypts the text for the client to carry; None leaves it out.
    """

    def item(id: str, status: ItemStatus, parts: tuple[Part, ...]) -> Reasoning:
        content = tuple(part for part in parts if isinstance(part, ReasoningText))
        summary = tuple(part for part in parts if isinstance(part, SummaryText))
        text = "".join(part.text for part in content or summary)
        return Reasoning(
            id,
            summary,
            UNSET if summaries == "instead" else content,
            seal(text) if seal is not None and text else UNSET,
        )

    raw = OPEN_REASONING_PART if open_names else REASONING_PART
    return ContentKind(
        id_prefix="rs",
        parts={ReasoningDelta: raw if summaries == "never" else SUMMARY_PART},
        item=item,
        repeats=raw if summaries == "with_text" else None,
    )


class ContentItem:
    """A message or reasoning: parts, one after the other.

    Args:
        kind: which of them.
        id: of the item.
        output_index: its place in the output.
        number: the response's counter.
        sources: what hosted tools have found, and a text may cite.
    """

    def __init__(
        self,
        kind: ContentKind,
        id: str,
        output_index: int,
        number: NextNumber,
        sources: Mapping[str, Source],
    ) -> None:
        self._kind = kind
        self._id = id
        self._output_index = output_index
        self._number = number
        self._sources = sources
        self._done: list[Part] = []
        self._part: PartKind | None = None
        self._delta: type[Delta] | None = None  # the kind that the open part takes
        self._index = 0
        self._pieces: list[str] = []
        self._logprobs: list[Logprob] = []

    def added(self) -> Event:
        item = self._kind.item(self._id, "in_progress", ())
        return OutputItemAdded(self._number(), self._output_index, item)

    def take(self, delta: Any, events: list[Event]) -> bool:
        """Add text, if it is for an item of this kind; another kind of delta than the last begins
        a new part.
        """
        if type(delta) is not self._delta and not self._turn_to(type(delta), events):
            return False
        text = delta.text
        self._pieces.append(text)
        part = self._part
        if part is TEXT_PART:
            # The one that comes with every token, and the only one with log probabilities.
            logprobs = delta.logprobs
            events.append(
                OutputTextDelta(
                    self._number(), self._id, self._output_index, self._index, text, logprobs
                )
            )
            if logprobs:
                self._logprobs += logprobs
        else:
            assert part is not None, "a part is open that takes this kind"
            events.append(
                part.delta(self._number(), self._id, self._output_index, self._index, text)
            )
        return True

    def open_empty(self, events: list[Event]) -> None:
        """Begin a part that perhaps stays empty."""
        self._open_part(next(iter(self._kind.parts.values())), events)

    def close(self, status: ItemStatus, events: list[Event]) -> OutputItem:
        """End the item and return it whole."""
        self._close_part(events)
        if self._kind.repeats is not None:
            self._say_whole(self._kind.repeats, "".join(self._pieces), events)
        item = self._kind.item(self._id, status, tuple(self._done))
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def _turn_to(self, delta: type[Delta], events: list[Event]) -> bool:
        """Begin the part for a kind of delta, if there is one here."""
        part = self._kind.parts.get(delta)
        if part is None:
            return False
        if self._part is not None:
            self._close_part(events)
        self._open_part(part, events)
        self._delta = delta
        return True

    def _say_whole(self, part: PartKind, text: str, events: list[Event]) -> None:
        self._open_part(part, events)
        self._pieces.append(text)
        place = (self._id, self._output_index, self._index)
        events.append(part.delta(self._number(), *place, text))
        self._close_part(events)

    def _open_part(self, part: PartKind, events: list[Event]) -> None:
        self._part = part
        if self._done:
            self._pieces, self._logprobs = [], []
            # Summaries are counted apart from content.
            is_summary = part is SUMMARY_PART
            self._index = sum(isinstance(done, SummaryText) is is_summary for done in self._done)
        events.append(
            part.added(self._number(), self._id, self._output_index, self._index, part.part(""))
        )

    def _close_part(self, events: list[Event]) -> None:
        part = self._part
        assert part is not None, "a part is closed that was opened"
        number, id, output_index, index = self._number, self._id, self._output_index, self._index
        text = "".join(self._pieces)
        if part is TEXT_PART:
            annotations = self._say_citations(text, events) if self._sources else ()
            logprobs = tuple(self._logprobs)
            whole: Part = OutputText(text, annotations, logprobs)
            events.append(OutputTextDone(number(), id, output_index, index, text, logprobs))
        else:
            whole = part.part(text)
            events.append(part.done(number(), id, output_index, index, text))
        events.append(part.closed(number(), id, output_index, index, whole))
        self._done.append(whole)
        self._part = None

    def _say_citations(self, text: str, events: list[Event]) -> tuple[dict[str, Any], ...]:
        annotations = find_citations(text, self._sources)
        place = (self._id, self._output_index, self._index)
        for number, annotation in enumerate(annotations):
            events.append(AnnotationAdded(self._number(), *place, number, annotation))
        return annotations
