"""The body of one upstream answer to deltas, whichever way it comes: SSE, or one JSON document."""

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.alike import MAX_RUN, AlikeChunks
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import CallDelta, Delta
from adapter.stream.sse import SSEReader
from adapter.stream.text_call import TextCall
from adapter.translate.usage import read_usage
from adapter.types.response import Usage

_DONE = b"[DONE]"
_json = msgspec.json.Decoder()


class TurnReader:
    """Reads one upstream answer.

    Args:
        dialect: the upstream's habits.
        content_type: that of the answer; JSON is read whole, as one big chunk.
        logprobs: the client asked for log probabilities.
        max_calls: the most calls to let through.
        text_call: the function whose call the answer's text stands for.
        joins: nobody is shown the deltas: those of a kind that come together may be one.
        max_event_bytes: the longest event, or the longest JSON document, to accept.

    Attributes:
        failure: why the answer is over before it is complete, or None. What came before it, perhaps
            in the same read, is returned all the same; nothing behind it is read.
        is_done: the upstream has said that nothing more comes.
    """

    def __init__(
        self,
        dialect: Dialect,
        content_type: str = "text/event-stream",
        *,
        logprobs: bool = False,
        max_calls: int | None = None,
        text_call: str | None = None,
        joins: bool = False,
        max_event_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self.failure: UpstreamError | None = None
        self._sse = None if "json" in content_type.lower() else SSEReader(max_event_bytes)
        self._chunks = ChunkReader(dialect, logprobs=logprobs, max_calls=max_calls)
        self._alike = AlikeChunks(joins=joins)
        self._text_call = None if text_call is None else TextCall(text_call)
        self._document = bytearray()
        self._max_event_bytes = max_event_bytes
        self.is_done = False

    @property
    def has_begun(self) -> bool:
        """Whether the model has begun to answer, perhaps without a word yet."""
        return self._chunks.has_chunks

    @property
    def finish_reason(self) -> str | None:
        return self._chunks.finish_reason

    @property
    def usage(self) -> Usage | None:
        return read_usage(self._chunks.usage)

    @property
    def service_tier(self) -> str | None:
        return self._chunks.service_tier

    @property
    def dropped_calls(self) -> int:
        return self._chunks.dropped_calls

    def feed(self, chunk: bytes) -> list[Delta]:
        """Return the deltas in the next bytes; `failure` tells whether they end in one."""
        deltas: list[Delta] = []
        sse = self._sse
        try:
            if sse is None:
                self._keep(chunk)
            elif self.failure is None and not (
                sse.is_between
                and len(chunk) <= self._max_event_bytes
                and self._alike.read(chunk, deltas)
            ):
                self._read(sse.feed(chunk), deltas)
                self.failure = sse.failure
        except UpstreamError as error:
            self.failure = error
        return deltas if self._text_call is None else self._text_call.feed(deltas)

    def end(self) -> list[Delta]:
        """Return what was held back: no more bytes come. An answer that was cut off failed."""
        deltas: list[Delta] = []
        try:
            if self.failure is None:
                self._read_end(deltas)
        except UpstreamError as error:
            self.failure = error
        deltas += self._chunks.end()
        if self._text_call is None:
            return deltas
        return self._text_call.feed(deltas) + self._text_call.end(self.finish_reason)

    def _read_end(self, deltas: list[Delta]) -> None:
        if self._sse is None:
            deltas += self._chunks.read(bytes(self._document).lstrip())
            self.is_done = True
        elif rest := self._sse.end():
            self._read(rest, deltas)
        if not self._chunks.has_chunks:
            raise UpstreamError("The upstream's answer is empty.")
        if self._chunks.finish_reason is None and not self.is_done:
            raise UpstreamError("The upstream's answer was cut off before it was complete.")

    def _keep(self, chunk: bytes) -> None:
        self._document += chunk
        if len(self._document) > self._max_event_bytes:
            raise UpstreamError(
                f"The upstream sent an answer of more than {self._max_event_bytes} bytes."
            )

    def _read(self, events: list[bytes], deltas: list[Delta]) -> None:
        """Read the data of events: those that are alike together, others one by one."""
        alike = self._alike
        at = 0
        while at < len(events):
            data = events[at]
            count = 0
            if data.startswith(alike.before):
                count = alike.read_data(events[at : at + MAX_RUN], deltas)
            if not count:
                self._read_data(data, deltas)
            at += count or 1

    def _read_data(self, data: bytes, deltas: list[Delta]) -> None:
        if self._alike.kind is CallDelta:
            self._alike.forget()  # the next chunk may begin another call, at the same index
        if data == _DONE:
            self.is_done = True
        elif b"\n" in data:
            self._read_lines(data, deltas)
        elif found := self._chunks.read(data):
            deltas += found
            if len(found) == 1 and self._chunks.is_all(found[0]):
                self._alike.learn(data, found[0], self._chunks.note)

    def _read_lines(self, data: bytes, deltas: list[Delta]) -> None:
        """Read data of several lines: one JSON document, or one each from a server that forgets
        the blank lines between its events.
        """
        if _is_json(data):
            deltas += self._chunks.read(data)
        else:
            self._read([line for line in data.split(b"\n") if line.strip()], deltas)


def _is_json(data: bytes) -> bool:
    try:
        _json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
