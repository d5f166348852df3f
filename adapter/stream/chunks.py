"""Chunks of a chat completion to deltas: the one place that knows what servers do differently.

A delta may hold several things at once; their order in time is reasoning, content, calls, finish.
A whole answer (`message` in place of `delta`) is one big chunk. Missing, null and empty are the
same. Only the first choice is read.

Source: `observed.md` §2 and §8, `reported.md` §3.2.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.stream.chunk_errors import check_chunk, not_a_chunk, read_open
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
_encode = msgspec.json.Encoder().encode
_text, _arguments = attrgetter("text"), attrgetter("arguments")
_CHUNK = "chat.completion.chunk"
_THINKING_PARTS = ("thinking", "reasoning")
_SILENT = (ChunkDelta(), ChunkDelta(content=""))
_PIECES = ReasoningDetails(cumulative=False)  # keeps nothing


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
        self._details = ReasoningDetails(cumulative=True) if dialect.cumulative_details else _PIECES
        self._echo: EchoFilter | None = None
        self._has_reasoning = self._has_text = self._has_calls = False
        self._slots: CallSlots | None = None  # once there is a call
        self._logprobs = LogprobQueue() if logprobs else None
        self._max_calls = max_calls
        self._is_plain = False  # content is text from now on: nothing is left to look for in it

    @property
    def usage(self) -> Any:
        return read_open(self._usage) if self._usage else None

    def is_all(self, delta: Delta) -> bool:
        """Tell whether a chunk that said this alone did nothing else.

        Those that differ from it in the text alone need not be read with care, as long as `note`
        hears of what is no text of the answer.
        """
        if type(delta) is TextDelta:
            return self._is_plain
        if self._logprobs is not None:
            return False
        if isinstance(delta, CallDelta):
            return not (delta.name or delta.extra_content)  # a name could begin another call
        is_field = self._has_reasoning and self._splitter is None
        return isinstance(delta, ReasoningDelta) and is_field and not self._details.is_cumulative

    def note(self, deltas: Sequence[Delta]) -> None:
        """Take note of reasoning, or of arguments of one call, that were read elsewhere."""
        first = deltas[0]
        if self._slots is not None and isinstance(first, CallDelta):
            self._slots.add(first.slot, map(_arguments, deltas))
        elif self._echo is not None:
            self._echo.say("".join(map(_text, deltas)))

    def read(self, data: bytes) -> list[Delta]:
        """Return the deltas of one chunk.

        Raises:
            UpstreamError: the chunk is an error, or cannot be understood.
        """
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            mended = mend_chunk(data)
            if mended is None:
                raise not_a_chunk(data) from exc
            chunk = mended
        if chunk.object != _CHUNK or chunk.error:
            check_chunk(chunk, data)
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
            raise stream_error(read_open(choice.error))
        if choice.usage and not self._usage:
            self._keep_usage(choice.usage)
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        if self._logprobs is not None and choice.logprobs is not None:
            self._logprobs.add(choice.logprobs.content or ())
        delta = choice.delta
        # The first and the last chunk of a stream: a role, a reason.
        deltas = [] if delta is None or delta in _SILENT else self._read_delta(delta)
        return deltas if choice.message is None else deltas + self._read_message(choice.message)

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
                if self._is_plain:
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
                self._is_plain = self._logprobs is None
            return [self._text(text)] if text else []
        splitter = self._splitter
        if splitter is None:
            return [self._text(text)]
        deltas = self._as_deltas(splitter.split(text))
        if splitter.passes:
            self._splitter = None
            self._is_plain = self._logprobs is None
        return deltas

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
        if self._slots is None:
            self._slots = CallSlots()
        slot = self._slots.assign(call.index, id, name, arguments)
        if self._max_calls is not None and slot >= self._max_calls:
            self.dropped_calls = max(self.dropped_calls, slot + 1 - self._max_calls)
            return
        extra = read_open(call.extra_content) if call.extra_content else None
        # Written anew, because it becomes part of an event, which is one line of UTF-8.
        extra_content = ABSENT if extra is None else msgspec.Raw(_encode(extra))
        deltas.append(CallDelta(slot, id, name, arguments, extra_content))


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
