"""Chunks that differ from an earlier one in their text alone: nine of ten that a server sends.

What stands before and behind the text is kept from a chunk that was read with care. A chunk that
begins and ends so, and has one whole JSON string between, says the same with another text: nothing
else of it need be decoded. Servers whose chunks differ in more (a time, a padding) are read as
before, at the price of a comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from adapter.stream.deltas import Delta, ReasoningDelta, TextDelta

# Where every chunk has a time or a padding of its own, it is not worth while to look for more.
MAX_MISSES = 8

# Where the text stands; a chunk that has two such places is not learned.
_KEYS: Final[Mapping[type[Delta], tuple[bytes, ...]]] = {
    TextDelta: (b'"content":',),
    ReasoningDelta: (b'"reasoning_content":', b'"reasoning":'),
}
_STEMS: Final[Mapping[type[Delta], bytes]] = {
    TextDelta: b'"content":',
    ReasoningDelta: b'"reasoning',
}
_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class AlikeChunks:
    """Knows one chunk, by what is around its text.

    Args:
        joins: make one delta of the text of chunks that came together.
    """

    def __init__(self, *, joins: bool = False) -> None:
        self._joins = joins
        self._before = self._behind = b"\n"  # no data of one line begins so
        self._start, self._end = 1, -1
        self._make: Callable[[str], Delta] = TextDelta
        self._hear: Callable[[str], None] | None = None
        self._misses = 0

    def learn(
        self,
        data: bytes,
        delta: TextDelta | ReasoningDelta,
        hear: Callable[[str], None] | None = None,
    ) -> None:
        """Take a chunk for what others may be like; no longer, once many in a row were not.

        Args:
            data: the chunk.
            delta: all that it says; to read another one like it changes nothing else.
            hear: is told each text.
        """
        if self._misses == MAX_MISSES:
            return
        self._misses += 1
        kind = type(delta)
        key = next((key for key in _KEYS[kind] if key in data), b"")
        if not key or data.count(_STEMS[kind]) > 1:
            return
        written = _encode(delta.text)
        start = data.find(key) + len(key)
        if data.startswith(b" ", start):
            start += 1
        if data.startswith(written, start):
            self._start, self._end = start, start + len(written) - len(data)
            self._before, self._behind = data[:start], data[self._end :]
            self._make, self._hear = kind, hear

    def read(self, events: Sequence[bytes], place: int, deltas: list[Delta]) -> int:
        """Read chunks as long as they are alike.

        Args:
            events: the data of events.
            place: of the first to read.
            deltas: where their deltas go.

        Returns:
            The place of the first that is not alike.
        """
        before, behind, start, end = self._before, self._behind, self._start, self._end
        make, hear = self._make, self._hear
        first, known = place, len(deltas)
        while place < len(events):
            data = events[place]
            if not (data.startswith(before) and data.endswith(behind)):
                break
            try:
                text = _text(data[start:end])
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            if text:
                deltas.append(make(text))
                if hear is not None:
                    hear(text)
            place += 1
        if place > first:
            self._misses = 0
            if self._joins and len(deltas) > known + 1:
                deltas[known:] = [make("".join(delta.text for delta in deltas[known:]))]  # type: ignore[union-attr]  # both kinds have one
        return place
