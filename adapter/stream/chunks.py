"""Chunks of a chat completion to deltas: the one place that knows what servers do differently.

A delta may hold several things at once; their order in time is reasoning, content, calls, finish.
A whole answer (`message` in place of `delta`) is one big chunk. Missing, null and empty are the
same. Only the first choice is read.

Source: `observed.md` §2 and §8, `reported.md` §3.2.
"""

from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.stream.details import ReasoningDetails
from adapter.stream.echo import EchoFilter
from adapter.stream.logprobs import LogprobQueue
from adapter.stream.mend import mend_chunk
from adapter.stream.slots import CallSlots
from adapter.stream.think_tags import ThinkTagSplitter
from adapter.translate.errors import stream_error
from adapter.types.chat import (
    ChatChunk,
    ChunkChoice,
    ChunkDelta,
    ChunkFunction,
    ChunkToolCall,
)
from adapter.types.raw import ABSENT, NULL, is_given

_chunk = msgspec.json.Decoder(ChatChunk)
_any = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_CHUNK = "chat.completion.chunk"
_THINKING_PARTS = ("thinking", "reasoning")


class ChunkReader:
    """Reads the chunks of one turn.

    Args:
        dialect: the upstream's habits.
        logprobs: the client asked for log probabilities.
        max_calls: the most calls to let through; further ones are dropped.

    Attributes:
        finish_reason: the last one that was given, or None.
        usage: the last usage that was given, decoded, or None.
        service_tier: the last one that was given, or None.
        has_chunks: a chunk with a choice has come.
        dropped_calls: how many calls were dropped.
        is_plain: content is text from now on: nothing is left to look for in it.
    """

    def __init__(
        self, dialect: Dialect, *, logprobs: bool = False, max_calls: int | None = None
    ) -> None:
        self.finish_reason: str | None = None
        self.service_tier: str | None = None
        self.has_chunks = False
        self.dropped_calls = 0
        self._usage = ABSENT
        self._marks = dialect.think_marks
        self._splitter: ThinkTagSplitter | None = ThinkTagSplitter(dialect.think_tags, self._marks)
        self._details = ReasoningDetails(cumulative=dialect.cumulative_details)
        self._echo: EchoFilter | None = None
        self._has_reasoning = self._has_text = self._has_calls = False
        self._slots = CallSlots()
        self._logprobs = LogprobQueue() if logprobs else None
        self._max_calls = max_calls
        self.is_plain = False

    @property
    def usage(self) -> Any:
        return _read_open(self._usage) if self._usage else None

    @property
    def reasons_plainly(self) -> bool:
        """Whether reasoning is text in a field of its own, and nothing hangs on it but `hear`."""
        return (
            self._has_reasoning
            and self._splitter is None
            and self._logprobs is None
            and not self._details.is_cumulative
        )

    def hear(self, reasoning: str) -> None:
        """Take note of reasoning that was read elsewhere."""
        if self._echo is not None:
            self._echo.say(reasoning)

    def read(self, data: bytes) -> list[Delta]:
        """Return the deltas of one chunk.

        Raises:
            UpstreamError: the chunk is an error, or cannot be understood.
        """
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            chunk = _mend(data, exc)
        if chunk.object != _CHUNK or chunk.error:
            _check(chunk, data)
        if chunk.usage:
            self._keep_usage(chunk.usage)
        elif chunk.x_groq is not None and chunk.x_groq.usage:
            self._keep_usage(chunk.x_groq.usage)
        if chunk.service_tier is not None:
            self.service_tier = chunk.service_tier
        for choice in chunk.choices or ():
            if not choice.index:
                try:
                    return self._read_choice(choice)
                except RecursionError as exc:
                    raise UpstreamError("The upstream sent a chunk nested too deeply.") from exc
        return []

    def end(self) -> list[Delta]:
        """Return what was held back, now that the answer is over."""
        if self._echo is not None:
            text = self._echo.end()
            return [self._text(text)] if text else []
        if self._splitter is None:
            return []
        return self._as_deltas(self._splitter.end())

    def _keep_usage(self, usage: msgspec.Raw) -> None:
        if usage != NULL:
            self._usage = usage

    def _read_choice(self, choice: ChunkChoice) -> list[Delta]:
        self.has_chunks = True
        if choice.error and is_given(choice.error):
            raise stream_error(_read_open(choice.error))
        if choice.usage and not self._usage:
            self._keep_usage(choice.usage)
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        if self._logprobs is not None and choice.logprobs is not None:
            self._logprobs.add(choice.logprobs.content or ())
        delta = choice.delta
        if choice.message is not None:
            deltas = [] if delta is None else self._read_delta(delta)
            return deltas + self._read_message(choice.message)
        return [] if delta is None else self._read_delta(delta)

    def _read_message(self, message: ChunkDelta) -> list[Delta]:
        """Read a whole answer; at the end of a stream, as MiniMax sends it, what is new in it."""
        said: set[type[Delta]] = set()
        if self._has_reasoning:
            said.add(ReasoningDelta)
        if self._has_text:
            said |= {TextDelta, ReasoningDelta}  # the content may hold both
        if self._has_calls:
            said.add(CallDelta)
        return [delta for delta in self._read_delta(message) if type(delta) not in said]

    def _read_delta(self, delta: ChunkDelta) -> list[Delta]:
        deltas: list[Delta] = []
        reasoning: Any = delta.reasoning or delta.reasoning_content or delta.reasoning_details
        if reasoning:
            self._read_reasoning(reasoning, deltas)
        content = delta.content
        if content:
            self._has_text = True
            if isinstance(content, str):
                if self.is_plain:
                    deltas.append(TextDelta(content))
                else:
                    deltas += self._read_text(content)
            else:
                deltas += self._read_parts(content)
        elif self._logprobs is not None and (reasoning or delta.tool_calls):
            self._logprobs.forget()
        if delta.refusal:
            deltas.append(RefusalDelta(delta.refusal))
        if delta.tool_calls is not None:
            self._has_calls = True
            calls = delta.tool_calls
            for call in calls if isinstance(calls, list) else [calls]:
                self._read_call(call, deltas)
        elif delta.function_call is not None:
            self._read_call(ChunkToolCall(index=0, function=delta.function_call), deltas)
        return deltas

    def _read_reasoning(self, reasoning: Any, deltas: list[Delta]) -> None:
        if self._details.is_cumulative or not isinstance(reasoning, str):
            reasoning = self._details.read(reasoning)
        if not reasoning:
            return
        self._has_reasoning = True
        if self._splitter is not None:
            deltas += self.end()
            self._splitter = None  # a server that has a field for it does not use tags
            self._echo = EchoFilter(self._marks)
        if self._echo is not None:
            self._echo.say(reasoning)
        deltas.append(ReasoningDelta(reasoning))

    def _read_text(self, text: str) -> list[Delta]:
        if self._echo is not None:
            text = self._echo.filter(text)
            if self._echo.passes:
                self._echo = None
                self._settle()
            return [self._text(text)] if text else []
        splitter = self._splitter
        if splitter is None:
            return [self._text(text)]
        deltas = self._as_deltas(splitter.split(text))
        if splitter.passes:
            self._splitter = None
            self._settle()
        return deltas

    def _settle(self) -> None:
        """Take content for text from now on, if nothing is left to look for in it."""
        self.is_plain = self._logprobs is None and self._splitter is None and self._echo is None

    def _as_deltas(self, pieces: list[tuple[bool, str]]) -> list[Delta]:
        return [
            ReasoningDelta(text) if is_reasoning else self._text(text)
            for is_reasoning, text in pieces
        ]

    def _text(self, text: str) -> TextDelta:
        return TextDelta(text, () if self._logprobs is None else self._logprobs.take(text))

    def _read_parts(self, parts: list[Any] | dict[str, Any]) -> list[Delta]:
        """Read content that is an array (Mistral: thinking and text parts)."""
        deltas: list[Delta] = []
        for part in parts if isinstance(parts, list) else [parts]:
            match part:
                case str() if part:
                    deltas += self._read_text(part)
                case {"type": "text", "text": str(text)} if text:
                    deltas += self._read_text(text)
                case {"type": str(kind), **rest} if kind in _THINKING_PARTS:
                    if text := _text_of(rest.get(kind)):
                        deltas.append(ReasoningDelta(text))
                case _:
                    pass
        return deltas

    def _read_call(self, call: ChunkToolCall, deltas: list[Delta]) -> None:
        function = call.function or ChunkFunction()
        arguments = function.arguments
        if arguments is None:
            arguments = ""
        elif not isinstance(arguments, str):  # Ollama, TGI: an object
            arguments = _encode(arguments).decode()
        id = "" if call.id is None else str(call.id)
        name = (function.name or "").strip()
        slot = self._slots.assign(call.index, id, name, arguments)
        if self._max_calls is not None and slot >= self._max_calls:
            self.dropped_calls = max(self.dropped_calls, slot + 1 - self._max_calls)
            return
        extra = _read_open(call.extra_content) if call.extra_content else None
        # Written anew, because it becomes part of an event, which is one line of UTF-8.
        extra_content = ABSENT if extra is None else msgspec.Raw(_encode(extra))
        deltas.append(CallDelta(slot, id, name, arguments, extra_content))


def _mend(data: bytes, exc: Exception) -> ChatChunk:
    mended = mend_chunk(data)
    if mended is None:
        raise _not_a_chunk(data) from exc
    return mended


def _check(chunk: ChatChunk, data: bytes) -> None:
    """Look whether what is no ordinary chunk is an error."""
    if (
        is_given(chunk.error)
        or chunk.object == "error"
        or (chunk.choices is None and chunk.detail)
        or (not chunk.choices and chunk.base_resp and _is_failure(chunk.base_resp))
        or (chunk.choices is None and chunk.object is None and _tells_error(_read_open(data)))
    ):
        raise stream_error(_read_open(data))


def _tells_error(value: Any) -> bool:
    """Tell whether an object that is no chunk is an error all the same (`event: error`)."""
    match value:
        case {"message": str(text)} if text:
            return True
        case {"type": "error"}:
            return True
        case _:
            return False


def _text_of(value: Any) -> str:
    """Return the text in a thinking part: a string, or a list of text parts."""
    match value:
        case str():
            return value
        case list():
            return "".join(map(_text_of, value))
        case {"text": str(text)}:
            return text
        case _:
            return ""


def _is_failure(base_resp: msgspec.Raw) -> bool:
    """Tell whether MiniMax's word on how things went is a bad one; it stands in good chunks too."""
    match _read_open(base_resp):
        case {"status_code": int(code)}:
            return code != 0
        case _:
            return False


def _read_open(raw: bytes | msgspec.Raw) -> Any:
    """Decode what was only skipped over before; None if it cannot be (`1e999`, bytes that are no
    UTF-8).
    """
    try:
        return _any.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _not_a_chunk(data: bytes) -> UpstreamError:
    match error := _read_open(data):
        case None:
            return UpstreamError("The upstream sent an event that is not JSON.")
        case {"error": inner} if inner:
            return stream_error(error)
        case [{"error": inner}, *_] if inner:
            return stream_error(error)
        case _:
            return UpstreamError("The upstream sent an event that is not a chat completion chunk.")
