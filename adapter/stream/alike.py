"""Chunks that differ from an earlier one in their text alone: nine of ten that a server sends.

What stands before and behind the text is kept from a chunk that was read with care. Events that
begin and end so, and have one whole JSON string between, say the same with other texts: those that
come together are decoded together, and nothing of them but the texts. Servers whose chunks differ
in more (a time, a padding) are read as before, at the price of a comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, repeat, takewhile
from operator import and_, truth
from typing import Any, Final

import msgspec

from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.sse import EVENT_END, EVENT_START, NEXT_EVENT

# Where every chunk has a time or a padding of its own, it is not worth while to look for more.
MAX_MISSES = 8

# So many events are looked at together, so that it does not matter how often the look fails.
MAX_RUN = 128

# Where the text stands: behind what, and what may be between. A chunk that has two such places is
# not learned.
_SPACE = frozenset({b"", b" "})
_PLACES: Final[Mapping[type[Delta], tuple[bytes, frozenset[bytes]]]] = {
    TextDelta: (b'"content":', _SPACE),
    ReasoningDelta: (b'"reasoning', frozenset({b'":', b'": ', b'_content":', b'_content": '})),
    CallDelta: (b'"arguments":', _SPACE),
}
_encode = msgspec.json.Encoder().encode
_strings = msgspec.json.Decoder(list[tuple[str]]).decode
_texts = msgspec.json.Decoder(list[TextDelta]).decode
_reasoning = msgspec.json.Decoder(list[ReasoningDelta]).decode
# No JSON string has a line break in it, so that none of them runs into the next.
_NEXT_TEXT = b'"],\n["'
_NEVER = b"\n"  # no data of one line begins so
_NOWHERE = slice(0, 0)  # is no string


class AlikeChunks:
    """Knows one chunk, by what is around its text.

    Args:
        joins: make one delta of the texts of events that came together.

    Attributes:
        kind: of the delta that the chunk says.
        before: what the data of chunks that are alike begins with.
        behind: what it ends with.
    """

    def __init__(self, *, joins: bool = False) -> None:
        self._joins = joins
        self._misses = 0
        self._note: Callable[[list[Any]], None] | None = None
        self._decode: Callable[[bytes], list[Any]] = _texts
        self._make: Callable[..., Any] | None = None  # of a string, where strings are decoded
        self.forget()

    def forget(self) -> None:
        """Take no chunk for alike until the next one is learned."""
        self.kind: type[Delta] = TextDelta
        self.before = self.behind = self._start = self._end = self._between = _NEVER
        self._text = _NOWHERE

    def learn(
        self, data: bytes, delta: Delta, note: Callable[[list[Any]], None] | None = None
    ) -> None:
        """Take a chunk for what others may be like; no longer, once many in a row were not.

        Args:
            data: the chunk.
            delta: all that it says; to read another one like it changes nothing else.
            note: is told the deltas of those that are like it, if they are no text.
        """
        if self._misses == MAX_MISSES:
            return
        self._misses += 1
        kind = type(delta)
        stem, spaces = _PLACES[kind]
        text = delta.arguments if isinstance(delta, CallDelta) else delta.text
        before, _, rest = data.partition(stem)
        space, written, behind = rest.partition(_encode(text))
        if not written or space not in spaces or stem in behind:
            return
        # The quotes are kept with what is around, so that nothing but one string is between.
        self.before, self.behind = b'%b%b%b"' % (before, stem, space), b'"' + behind
        self._start, self._end = EVENT_START + self.before, self.behind + EVENT_END
        self._between = self._end + self._start
        self._text = slice(len(self._start) - 1, 1 - len(self._end))
        self.kind = kind
        self._note = None if kind is TextDelta else note
        if isinstance(delta, CallDelta):
            self._decode, self._make = _strings, partial(CallDelta, delta.slot, delta.id, "")
        elif self._joins:
            self._decode, self._make = _strings, kind
        else:
            self._decode, self._make = (_texts if kind is TextDelta else _reasoning), None

    def read(self, chunk: bytes, deltas: list[Delta]) -> bool:
        """Read events, if all of them are alike.

        Args:
            chunk: whole events, as they came.
            deltas: where their deltas go.

        Returns:
            Whether they are; if not, nothing was read.
        """
        if not (chunk.startswith(self._start) and chunk.endswith(self._end)):
            return False
        pieces = chunk[self._text].split(self._between)
        written = b"[[%b]]" % _NEXT_TEXT.join(pieces)
        try:
            found = self._decode(written)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        if len(found) != len(pieces):
            return False  # what looked like the end of a text and the beginning of the next
        if self._make is not None:
            texts = chain.from_iterable(found)
            found = [*map(self._make, ["".join(texts)] if self._joins else texts)]
        if self._note is not None:
            self._note(found)
        if b'""' in written and self.kind is not CallDelta:
            found = [delta for delta in found if delta.text]  # an empty one says nothing
        deltas += found
        self._misses = 0
        return True

    def read_data(self, data: Sequence[bytes], deltas: list[Delta]) -> int:
        """Read events, as many of them as are alike, as `read` does.

        Args:
            data: that of each.
            deltas: where their deltas go.

        Returns:
            How many they are.
        """
        starts = map(bytes.startswith, data, repeat(self.before))
        ends = map(bytes.endswith, data, repeat(self.behind))
        count = sum(takewhile(truth, map(and_, starts, ends)))
        if not count:
            return 0
        chunk = EVENT_START + NEXT_EVENT.join(data[:count]) + EVENT_END
        return count if self.read(chunk, deltas) else 0
