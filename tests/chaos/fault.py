"""One row of the table of faults: what an upstream does, and how a response may end then."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tests.servers.answers import Answer, Step, chunk, sse

TEXT: Final = "Hello wörld 🎉"
WORDS: Final = ("Hello", " wörld", " 🎉")
SSE: Final = {"content-type": "text/event-stream"}
JSON: Final = {"content-type": "application/json"}
HTML: Final = {"content-type": "text/html"}

# What only a page or a trace of the upstream's has, and no client may be shown.
LEAKS: Final = ("<html", "<!doctype", "Traceback (most recent", 'File "/')

# Seconds after which an upstream that hangs is given up. What does not hang has all the time.
SHORT: Final = 0.15


class Fault(msgspec.Struct, frozen=True):
    """One thing that an upstream can do.

    Attributes:
        name: of the row.
        answer: what it says to every request.
        text: what a response says that completes all the same; None: it must fail.
        ends: how it may end, if not as `text` says.
        hangs: the adapter has to give up: its time limits are short.
        is_wide: it is one of many alike, so each of them is asked for in one way only.
        on_wire: it is in the bytes of HTTP, which an app in the same process does not have.
        settings: more settings of the adapter.
    """

    name: str
    answer: Answer
    text: str | None = None
    ends: tuple[str, ...] = ()
    hangs: bool = False
    on_wire: bool = False
    is_wide: bool = False
    settings: Mapping[str, Any] = {}

    @property
    def allowed(self) -> tuple[str, ...]:
        return self.ends or (("failed",) if self.text is None else ("completed",))


def good_chunks() -> list[Mapping[str, Any] | str | Step]:
    """Return the chunks of an answer without fault."""
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": word}) for word in WORDS),
        chunk({}, "stop"),
    ]


def streamed(*chunks: Mapping[str, Any] | str | Step, done: bool = True) -> Answer:
    """Return a streamed answer of these chunks."""
    return Answer(headers=SSE, chunks=sse(*chunks, done=done))


def odd(data: Any) -> Answer:
    """Return an answer with something in its middle that is no ordinary chunk."""
    given = data if isinstance(data, bytes) else b"data: %b\n\n" % json.dumps(data).encode()
    chunks = good_chunks()
    return streamed(*chunks[:2], given, *chunks[2:])


def body_of(*chunks: Mapping[str, Any] | str | Step, done: bool = True) -> bytes:
    """Return the bytes of an event stream."""
    steps = sse(*chunks, done=done)
    return b"".join(step for step in steps if isinstance(step, bytes))


def steps_of(body: bytes, size: int) -> Sequence[bytes]:
    """Cut a body into pieces of so many bytes."""
    return [body[at : at + size] for at in range(0, len(body), size)]
