"""Server-sent events: bytes in, the data of each whole event out.

Not a general client: event names, ids and retry times are not kept, because chat servers put
everything into `data`. All line ends are understood, events may be cut anywhere, and a last event
without its blank line counts (some servers close right behind it).

Source: WHATWG HTML §9.2.6; quirks in `reported.md` §3.2 "SSE framing".
"""

from adapter.errors import UpstreamError

# How servers write an event of one line.
EVENT_START = b"data: "
EVENT_END = b"\n\n"
NEXT_EVENT = EVENT_END + EVENT_START

_BOM = b"\xef\xbb\xbf"
_BEGINNINGS_OF_BOM = (b"", _BOM[:1], _BOM[:2])


class SSEReader:
    """Splits a byte stream into the data of its events.

    Args:
        max_event_bytes: longest event to accept.

    Attributes:
        failure: an event is too long; those before it, perhaps in the same chunk, are returned all
            the same.
        is_between: all that came were whole events: the next byte begins one.
    """

    def __init__(self, max_event_bytes: int = 16 * 1024 * 1024) -> None:
        self.failure: UpstreamError | None = None
        self.is_between = True
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._searched = 0  # no event ends before this place of the buffer
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that are complete now, without empty ones."""
        if self._at_start:
            chunk = self._strip_bom(chunk)
        if self._after_cr or b"\r" in chunk:
            chunk = self._normalise(chunk)
        if len(chunk) > self._max_event_bytes:
            chunk = self._without_long(chunk)
        if self._buffer or not chunk.endswith(EVENT_END):
            chunk = self._take_whole(chunk)
        self.is_between = not (self._buffer or self._after_cr)
        return _data_of(chunk)

    def end(self) -> list[bytes]:
        """Return the data of a last event that no blank line follows."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return _data_of(rest + EVENT_END) if rest else []

    def _take_whole(self, chunk: bytes) -> bytes:
        """Return the events that are whole, and keep the beginning of the next."""
        self._buffer += chunk
        end = self._buffer.rfind(EVENT_END, max(self._searched - 1, 0))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > self._max_event_bytes:
                self._fail()
            return b""
        whole = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 2]
        self._searched = len(self._buffer)
        return whole

    def _without_long(self, chunk: bytes) -> bytes:
        """Return what comes before an event that is too long."""
        pieces = chunk.split(b"\n\n")
        for index, piece in enumerate(pieces):
            if len(piece) > self._max_event_bytes:
                self._fail()
                return b"\n\n".join([*pieces[:index], b""])
        return chunk

    def _fail(self) -> None:
        self.failure = UpstreamError(
            f"The upstream sent an event of more than {self._max_event_bytes} bytes."
        )

    def _strip_bom(self, chunk: bytes) -> bytes:
        start = bytes(self._buffer) + chunk
        if start in _BEGINNINGS_OF_BOM:
            self._buffer[:] = start
            return b""
        self._buffer.clear()
        self._at_start = False
        return start.removeprefix(_BOM)

    def _normalise(self, chunk: bytes) -> bytes:
        """Turn CRLF and CR into LF, also where a chunk border is between the two."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(chunk: bytes) -> list[bytes]:
    """Return the data of whole events, without empty ones."""
    if chunk.startswith(EVENT_START):
        # Of one line each, as servers send them: one split does it.
        found = chunk[6:-2].split(NEXT_EVENT)
        if chunk.count(b"\n") == 2 * len(found) and b"" not in found:
            return found
    return [data for event in chunk.split(EVENT_END) if (data := _read_lines(event))]


def _read_lines(event: bytes) -> bytes:
    lines = []
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            data = line[5:]
            lines.append(data[1:] if data.startswith(b" ") else data)
    return b"\n".join(lines)
