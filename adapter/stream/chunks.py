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
from adapter.stream.logprobs import LogprobQueue
from adapter.stream.slots import CallSlots
from adapter.stream.think_tags import ThinkTagSplitter
from adapter.translate.answer import stream_error
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
    """

    def __init__(
        self, dialect: Dialect, *, logprobs: bool = False, max_calls: int | None = None
    ) -> None:
        self.finish_reason: str | None = None
        self.service_tier: str | None = None
        self.has_chunks = False
        self.dropped_calls = 0
        self._usage = ABSENT
        self._splitter: ThinkTagSplitter | None = ThinkTagSplitter(dialect.think_tags)
        self._details = ReasoningDetails(cumulative=dialect.cumulative_details)
        self._slots = CallSlots()
        self._logprobs = LogprobQueue() if logprobs else None
        self._max_calls = max_calls

    @property
    def usage(self) -> Any:
        return _read_open(self._usage) if self._usage else None

    def read(self, data: bytes) -> list[Delta]:
        """Return the deltas of one chunk.

        Raises:
            UpstreamError: the chunk is an error, or cannot be understood.
        """
        chunk = self._decode(data)
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
        if self._splitter is None:
            return []
        return self._as_deltas(self._splitter.end())

    def _decode(self, data: bytes) -> ChatChunk:
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise _not_a_chunk(data) from exc
        if (
            is_given(chunk.error)
            or chunk.object == "error"
            or (chunk.choices is None and (chunk.detail or chunk.base_resp))
        ):
            raise stream_error(_read_open(data))
        return chunk

    def _keep_usage(self, usage: msgspec.Raw) -> None:
        if usage != NULL:
            self._usage = usage

    def _read_choice(self, choice: ChunkChoice) -> list[Delta]:
        self.has_chunks = True
        if is_given(choice.error):
            raise stream_error(_read_open(choice.error))
        if choice.usage and not self._usage:
            self._keep_usage(choice.usage)
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        if self._logprobs is not None and choice.logprobs is not None:
            self._logprobs.add(choice.logprobs.content or ())
        delta = choice.delta or choice.message
        return [] if delta is None else self._read_delta(delta)

    def _read_delta(self, delta: ChunkDelta) -> list[Delta]:
        deltas: list[Delta] = []
        reasoning = delta.reasoning or delta.reasoning_content
        if not reasoning and delta.reasoning_details:
            reasoning = self._details.read(delta.reasoning_details)
        if reasoning:
            deltas += self.end()
            self._splitter = None  # a server that has a field for it does not use tags
            deltas.append(ReasoningDelta(reasoning))
        content = delta.content
        if content:
            if isinstance(content, str):
                deltas += self._read_text(content)
            else:
                deltas += self._read_parts(content)
        elif self._logprobs is not None and (reasoning or delta.tool_calls):
            self._logprobs.forget()
        if delta.refusal:
            deltas.append(RefusalDelta(delta.refusal))
        if delta.tool_calls is not None:
            calls = delta.tool_calls
            for call in calls if isinstance(calls, list) else [calls]:
                self._read_call(call, deltas)
        elif delta.function_call is not None:
            self._read_call(ChunkToolCall(index=0, function=delta.function_call), deltas)
        return deltas

    def _read_text(self, text: str) -> list[Delta]:
        splitter = self._splitter
        if splitter is None:
            return [self._text(text)]
        deltas = self._as_deltas(splitter.split(text))
        if splitter.passes:
            self._splitter = None
        return deltas

    def _as_deltas(self, pieces: list[tuple[bool, str]]) -> list[Delta]:
        return [
            ReasoningDelta(text) if is_reasoning else self._text(text)
            for is_reasoning, text in pieces
        ]

    def _text(self, text: str) -> TextDelta:
        return TextDelta(text, () if self._logprobs is None else self._logprobs.take(text))

    def _read_parts(self, parts: list[Any]) -> list[Delta]:
        """Read content that is an array (Mistral: thinking and text parts)."""
        deltas: list[Delta] = []
        for part in parts:
            match part:
                case str() if part:
                    deltas += self._read_text(part)
                case {"type": "text", "text": str(text)} if text:
                    deltas += self._read_text(text)
                case {"type": str(kind), **rest} if kind in _THINKING_PARTS:
                    if text := _text_of(rest.get(kind)):
                        deltas.append(ReasoningDelta(text))
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
        deltas.append(CallDelta(slot, id, name, arguments, call.extra_content))


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
