"""Messages and reasoning while they are written: a row per kind of item and of part.

An item turns what is appended into events, and is built as a value twice: empty when it is added,
whole when it is done. Numbers come from the response's own counter, so that every event is
numbered when it is made.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapter.stream.deltas import Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.tools.kinds import NextNumber
from adapter.types.events import (
    ContentPartAdded,
    ContentPartDone,
    Event,
    OpenReasoningDelta,
    OpenReasoningDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    ReasoningTextDelta,
    ReasoningTextDone,
    RefusalDone,
)
from adapter.types.events import (
    RefusalDelta as RefusalDeltaEvent,
)
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
)


class PartKind(msgspec.Struct, frozen=True):
    """How one kind of content part is shown.

    Attributes:
        part: (text, logprobs) to the part.
        delta: (number, item_id, output_index, content_index, delta) to the event.
        done: (number, item_id, output_index, content_index, text, logprobs) to the event.
    """

    part: Callable[[str, tuple[Logprob, ...]], OutputPart]
    delta: Callable[[int, str, int, int, Any], Event]
    done: Callable[[int, str, int, int, str, tuple[Logprob, ...]], Event]


class ContentKind(msgspec.Struct, frozen=True):
    """How one kind of item with content is shown.

    Attributes:
        id_prefix: prefix of the item's id.
        parts: the part kind for each kind of delta that it takes.
        item: (id, status, parts) to the item.
    """

    id_prefix: str
    parts: Mapping[type, PartKind]
    item: Callable[[str, ItemStatus, tuple[Any, ...]], OutputItem]


TEXT_PART = PartKind(
    part=lambda text, logprobs: OutputText(text, (), logprobs),
    delta=lambda n, id, output, content, delta: OutputTextDelta(
        n, id, output, content, delta.text, delta.logprobs
    ),
    done=OutputTextDone,
)
REFUSAL_PART = PartKind(
    part=lambda text, _: Refusal(text),
    delta=lambda n, id, output, content, delta: RefusalDeltaEvent(
        n, id, output, content, delta.text
    ),
    done=lambda n, id, output, content, text, _: RefusalDone(n, id, output, content, text),
)
REASONING_PART = PartKind(
    part=lambda text, _: ReasoningText(text),
    delta=lambda n, id, output, content, delta: ReasoningTextDelta(
        n, id, output, content, delta.text
    ),
    done=lambda n, id, output, content, text, _: ReasoningTextDone(n, id, output, content, text),
)
OPEN_REASONING_PART = PartKind(
    part=REASONING_PART.part,
    delta=lambda n, id, output, content, delta: OpenReasoningDelta(
        n, id, output, content, delta.text
    ),
    done=lambda n, id, output, content, text, _: OpenReasoningDone(n, id, output, content, text),
)

MESSAGE = ContentKind(
    id_prefix="msg",
    parts={TextDelta: TEXT_PART, RefusalDelta: REFUSAL_PART},
    item=lambda id, status, parts: Message(id, status, content=parts),
)
REASONING = ContentKind(
    id_prefix="rs",
    parts={ReasoningDelta: REASONING_PART},
    item=lambda id, _, parts: Reasoning(id, content=parts),
)
OPEN_REASONING = ContentKind(
    id_prefix="rs",
    parts={ReasoningDelta: OPEN_REASONING_PART},
    item=REASONING.item,
)


class ContentItem:
    """A message or reasoning: parts, one after the other."""

    def __init__(self, kind: ContentKind, id: str, output_index: int, number: NextNumber) -> None:
        self._kind = kind
        self._id = id
        self._output_index = output_index
        self._number = number
        self._done: list[OutputPart] = []
        self._part: PartKind | None = None
        self._pieces: list[str] = []
        self._logprobs: list[Logprob] = []

    def added(self) -> Event:
        item = self._kind.item(self._id, "in_progress", ())
        return OutputItemAdded(self._number(), self._output_index, item)

    def accepts(self, delta: Delta) -> bool:
        return type(delta) in self._kind.parts

    def append(self, delta: Any, events: list[Event]) -> None:
        """Add text; a delta of another kind than the last begins a new part."""
        part = self._kind.parts[type(delta)]
        if part is not self._part:
            self._close_part(events)
            self._open_part(part, events)
        self._pieces.append(delta.text)
        events.append(
            part.delta(self._number(), self._id, self._output_index, len(self._done), delta)
        )
        if part is TEXT_PART and delta.logprobs:
            self._logprobs += delta.logprobs

    def open_empty(self, events: list[Event]) -> None:
        """Begin a part that perhaps stays empty."""
        self._open_part(next(iter(self._kind.parts.values())), events)

    def close(self, status: ItemStatus, events: list[Event]) -> OutputItem:
        """End the item and return it whole."""
        self._close_part(events)
        item = self._kind.item(self._id, status, tuple(self._done))
        events.append(OutputItemDone(self._number(), self._output_index, item))
        return item

    def _open_part(self, part: PartKind, events: list[Event]) -> None:
        self._part = part
        events.append(
            ContentPartAdded(
                self._number(), self._id, self._output_index, len(self._done), part.part("", ())
            )
        )

    def _close_part(self, events: list[Event]) -> None:
        if self._part is None:
            return
        part, text, logprobs = self._part, "".join(self._pieces), tuple(self._logprobs)
        place = (self._id, self._output_index, len(self._done))
        whole = part.part(text, logprobs)
        events.append(part.done(self._number(), *place, text, logprobs))
        events.append(ContentPartDone(self._number(), *place, whole))
        self._done.append(whole)
        self._part = None
        self._pieces, self._logprobs = [], []
