"""Log probabilities of the text that is shown, and of no other token.

Servers list every token: also those of tags, of reasoning, of tool-call markup and of the end, on
chunks with an empty delta too (`observed.md` §2). The entries for a piece of text are the run whose
tokens spell it.
"""

from collections.abc import Sequence

from adapter.types.chat import ChunkLogprob, ChunkTopLogprob
from adapter.types.items import Logprob, TopLogprob


class LogprobQueue:
    """Entries that no text has claimed yet."""

    def __init__(self) -> None:
        self._waiting: list[Logprob] = []

    def add(self, entries: Sequence[ChunkLogprob]) -> None:
        """Take the entries of a chunk."""
        self._waiting.extend(map(_to_logprob, entries))

    def take(self, text: str) -> tuple[Logprob, ...]:
        """Return the entries that spell the text, and forget those before them.

        If none do (a server that spells tokens in its own way), all waiting entries are returned.
        """
        wanted = text.encode("utf-8", "surrogatepass")
        waiting = self._waiting
        found = _find_run([bytes(entry.bytes) for entry in waiting], wanted)
        start, end = found or (0, len(waiting))
        self._waiting = waiting[end:]
        return tuple(waiting[start:end])

    def forget(self) -> None:
        """Drop what waits: it belongs to tokens that are not shown as text."""
        self._waiting.clear()


def _find_run(tokens: Sequence[bytes], wanted: bytes) -> tuple[int, int] | None:
    """Return the first run of tokens that spells what is wanted."""
    joined = b"".join(tokens)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    place = 0
    for number, token in enumerate(tokens):
        starts[place] = number  # the last one, past tokens without bytes
        place += len(token)
        ends.setdefault(place, number + 1)
    at = joined.find(wanted)
    while at >= 0:
        if at in starts and at + len(wanted) in ends:
            return starts[at], ends[at + len(wanted)]
        at = joined.find(wanted, at + 1)
    return None


def _to_logprob(entry: ChunkLogprob) -> Logprob:
    return Logprob(
        token=entry.token or "",
        logprob=entry.logprob or 0.0,
        bytes=_bytes(entry),
        top_logprobs=tuple(
            TopLogprob(top.token or "", top.logprob or 0.0, _bytes(top))
            for top in entry.top_logprobs or ()
        ),
    )


def _bytes(entry: ChunkLogprob | ChunkTopLogprob) -> tuple[int, ...]:
    if entry.bytes is not None:
        return tuple(byte & 0xFF for byte in entry.bytes)
    return tuple((entry.token or "").encode("utf-8", "surrogatepass"))
