"""One request as it was recorded: everything that went in and out, in the order of its time.

What is seen on the page is made of this log alone: what the client sent, what was asked upstream,
what came from there, and what the client got. Bytes are kept as they came.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from adapter.inspector.masking import header_secrets, mask_headers, mask_pieces, mask_request
from adapter.inspector.reading import (
    MAX_CHARS,
    Asked,
    Said,
    find_last,
    has_delta,
    read_document,
    read_last,
    read_request,
)

if TYPE_CHECKING:
    from adapter.loop import ResponseRun

Way = Literal["http", "websocket", "background"]
Kind = Literal[
    "request",  # of the client
    "chat",  # what is asked upstream
    "answer",  # its status and headers
    "chunk",  # a piece of its body
    "end",  # of it
    "start",  # of our answer: status and headers
    "sent",  # a piece of our answer
    "made",  # events of a response in the background, which are sent to nobody
    "over",  # nothing more is sent to the client
]

ENTRY_BYTES = 200  # what an entry costs besides its data


class Entry(msgspec.Struct, frozen=True):
    """Something that went in or out.

    Attributes:
        at: seconds since the request began.
        kind: what it was.
        turn: the number of the upstream call that it belongs to, from 1; 0 is the client's side.
        data: its bytes.
        about: what else is known of it.
    """

    at: float
    kind: Kind
    turn: int = 0
    data: bytes = b""
    about: dict[str, Any] = {}


class Exchange:
    """One request, from its first byte to the last of its answer and of all upstream calls.

    Args:
        id: of the request here.
        way: how it came.
        method: of the request.
        path: of the request.
        headers: of the request.
        clock: seconds of any kind.
        started_at: when it began, in seconds since the epoch.
        grow: is told how many bytes were added, and whether to keep them.

    Attributes:
        entries: all that was kept.
        owner: whom it belongs to; None while that is not known.
        run: makes the response, while one is made.
        is_over: nothing more is sent to the client.
        dialect: in which the upstream was asked.
        note: what else is to be known to make it anew.
    """

    def __init__(
        self,
        id: str,
        way: Way,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        *,
        clock: Callable[[], float],
        started_at: float,
        grow: Callable[["Exchange", int], bool],
    ) -> None:
        headers = list(headers)
        self.id = id
        self.way: Way = way
        self.method = method
        self.path = path[:MAX_CHARS]
        self.started_at = started_at
        self.request_id = next(
            (value[:MAX_CHARS] for name, value in headers if name.lower() == "x-request-id"), None
        )
        self.entries: list[Entry] = []
        self.owner: str | None = None
        self.run: ResponseRun | None = None
        self.is_over = False
        self.is_cut = False
        self.dialect: Any = None
        self.note = ""
        self.size = 0
        self.secrets = header_secrets(headers)
        self._headers = mask_headers(headers)
        self._clock = clock
        self._began = clock()
        self._grow = grow
        self._turns = 0
        self._open_turns = 0
        self._asked = Asked()
        self._dropped: tuple[str, ...] = ()
        self._adapted: tuple[str, ...] = ()
        self._said = Said()
        self._status: int | None = None
        self._is_complete = False
        self._first_delta: float | None = None
        self._ended: float | None = None

    # What goes through

    def asked(self, body: bytes) -> None:
        """Note the body of the request; of several, the first."""
        if any(entry.kind == "request" for entry in self.entries):
            return
        shown, secrets = mask_request(body)
        self.secrets |= secrets
        self._asked = read_request(self._masked(shown))
        about = {"headers": self._headers, "masked": bool(secrets) or shown != body}
        self._add("request", data=shown, about=about)

    def started(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Note the beginning of our answer."""
        self._status = status
        self._add("start", about={"status": status, "headers": mask_headers(headers)})

    def sent(self, data: bytes) -> None:
        """Note a piece of our answer."""
        self._look_at(data)
        self._add("sent", data=data)

    def made(self, data: bytes) -> None:
        """Note events that are sent to nobody; those of a stream are noted when they are sent."""
        self._look_at(data)
        if not self._asked.streams:
            self._add("made", data=data)

    def hold(self) -> None:
        """Let the request run on when it is answered, until `release`."""
        self._open_turns += 1
        self._ended = None

    def release(self) -> None:
        """End what `hold` began."""
        self._open_turns -= 1
        self._add("end")
        self._settle()

    def ended(self, *, is_complete: bool) -> None:
        """Note that nothing more is sent to the client."""
        if self.is_over:
            return
        self.is_over = True
        self._is_complete = is_complete
        self._read_document()
        self._add("over", about={"complete": is_complete})
        self._settle()

    def ask(self, body: bytes, headers: Mapping[str, str], path: str) -> "Turn":
        """Note a call of the upstream."""
        self._turns += 1
        self._open_turns += 1
        self._ended = None
        pairs = list(headers.items())
        self.secrets |= header_secrets(pairs)
        about: dict[str, Any] = {"path": path, "headers": mask_headers(pairs)}
        if self.run is not None:
            self._read_marks(self.run)
            about |= {"dropped": self._dropped, "adapted": self._adapted}
            about["truncated"] = self.run.translation.truncated
        self._add("chat", self._turns, body, about)
        return Turn(self, self._turns)

    def add_of_turn(self, kind: Kind, turn: int, data: bytes = b"", **about: Any) -> None:
        """Note what came of a call; `Turn` does."""
        self._add(kind, turn, data, about)
        if kind == "end":
            self._open_turns -= 1
            self._settle()

    # What is shown

    @property
    def state(self) -> str:
        """How it stands, in one word."""
        if not self.is_over or self._open_turns:
            return "running"
        if not self._is_complete:
            return "disconnected"
        if (self._status or 200) >= 400:
            return "failed"
        return self._said.status or "completed"

    def summary(self) -> dict[str, Any]:
        """Return what the list of requests shows."""
        last = self._ended if self._ended is not None else self._now()
        return {
            "id": self.id,
            "way": self.way,
            "method": self.method,
            "path": self.path,
            "request_id": self.request_id,
            "started_at": self.started_at,
            "state": self.state,
            "status": self._status,
            "model": self._asked.model,
            "stream": self._asked.streams,
            "preview": self._asked.preview,
            "seconds": last,
            "first_delta": self._first_delta,
            "turns": self._turns,
            "dropped": len(self._dropped),
            "adapted": len(self._adapted),
            "usage": self._said.usage,
            "response_id": self._said.id,
            "error": self._said.error,
            "cut": self.is_cut,
        }

    # Within

    def _now(self) -> float:
        return self._clock() - self._began

    def _add(
        self,
        kind: Kind,
        turn: int = 0,
        data: bytes = b"",
        about: dict[str, Any] | None = None,
    ) -> None:
        size = len(data) + ENTRY_BYTES + (len(str(about)) if about else 0)
        if self._grow(self, size):
            self.size += size
            self.entries.append(Entry(self._now(), kind, turn, bytes(data), about or {}))
        else:
            self.is_cut = True  # and stays so: an entry may lean on any before it

    def _settle(self) -> None:
        if self.is_over and not self._open_turns:
            self._ended = self._now()
            if self.run is not None:
                self._read_marks(self.run)
                self.run = None  # it holds all that was said, and counts for nothing here

    def _masked(self, body: bytes) -> bytes:
        return mask_pieces([body], self.secrets)[0]

    def _read_marks(self, run: "ResponseRun") -> None:
        self._dropped, self._adapted = run.translation.dropped, run.translation.adapted

    def _look_at(self, data: bytes) -> None:
        if self._first_delta is None and has_delta(data):
            self._first_delta = self._now()
        if (event := find_last(data)) is not None:
            self._said = read_last(self._masked(event)) or self._said

    def _read_document(self) -> None:
        """Read an answer that is no stream."""
        if self._said == Said() and self.way != "websocket":
            body = b"".join(entry.data for entry in self.entries if entry.kind == "sent")
            self._said = read_document(self._masked(body))


class Turn:
    """One call of the upstream.

    Args:
        exchange: that it belongs to.
        number: of the call, from 1.
    """

    def __init__(self, exchange: Exchange, number: int) -> None:
        self._add = exchange.add_of_turn
        self._number = number
        self._has_ended = False

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Note the status and the headers of the answer."""
        shown = mask_headers(headers.items())
        self._add("answer", self._number, status=status, headers=shown)

    def chunk(self, data: bytes) -> None:
        """Note a piece of the answer's body."""
        self._add("chunk", self._number, data)

    def ended(self, error: BaseException | None = None) -> None:
        """Note the end of the call, and what broke it off."""
        if not self._has_ended:
            self._has_ended = True
            self._add("end", self._number, error=None if error is None else type(error).__name__)
