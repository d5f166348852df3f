"""Chat completions: what we send upstream and the parts of its answer that we read.

Requests are written in one shape that all known servers accept: no nulls, text-only content as one
string, arguments as a JSON object in a string. Answers are read tolerantly: missing, null and
empty are the same, and fields that we do not use are not decoded at all.

Source: OpenAI chat completions; recorded answers of vLLM 0.32, llama.cpp b11434, SGLang 0.5.23,
transformers 5.23, llama-cpp-python 0.3.36.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from adapter.types.raw import ABSENT

ChatRole = Literal["system", "developer", "user", "assistant", "tool"]
ChatPart = dict[str, Any]


class ChatFunction(msgspec.Struct, frozen=True):
    name: str
    arguments: str | Raw


class ChatToolCall(msgspec.Struct, frozen=True):
    id: str
    function: ChatFunction
    type: Literal["function"] = "function"
    extra_content: Raw | UnsetType = UNSET


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    role: ChatRole
    content: str | list[ChatPart] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: tuple[ChatToolCall, ...] = ()
    tool_call_id: str | UnsetType = UNSET


class ChatFunctionDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """In the usual order: chat templates show it as it comes, and models were trained so."""

    name: str
    description: str | UnsetType = UNSET
    parameters: dict[str, Raw] | Raw
    strict: bool | UnsetType = UNSET


class ChatTool(msgspec.Struct, frozen=True, tag="function"):
    function: ChatFunctionDefinition


class ChatRequest(msgspec.Struct, frozen=True):
    """One request for `/chat/completions`.

    Attributes:
        model: passed on untouched.
        messages: the conversation.
        parameters: every other top-level field, by its name on the wire.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    parameters: dict[str, Any]

    def encode(self) -> bytes:
        """Return the JSON body."""
        return _encoder.encode({"model": self.model, "messages": self.messages, **self.parameters})


_encoder = msgspec.json.Encoder()


class ChunkFunction(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | list[Any] | None = None


class ChunkToolCall(msgspec.Struct, frozen=True, gc=False):
    index: int | None = None
    id: str | int | None = None
    function: ChunkFunction | None = None
    extra_content: Raw = ABSENT


class ChunkDelta(msgspec.Struct, frozen=True, gc=False):
    """`delta` of a chunk, or `message` of a whole answer: we read the same keys of both."""

    content: str | list[Any] | dict[str, Any] | None = None
    reasoning: str | dict[str, Any] | None = None
    reasoning_content: str | dict[str, Any] | None = None
    reasoning_details: list[Any] | dict[str, Any] | str | None = None
    refusal: str | None = None
    tool_calls: list[ChunkToolCall] | ChunkToolCall | None = None
    function_call: ChunkFunction | None = None


class ChunkTopLogprob(msgspec.Struct, frozen=True, gc=False):
    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None


class ChunkLogprob(msgspec.Struct, frozen=True, gc=False):
    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[ChunkTopLogprob] | None = None


class ChunkLogprobs(msgspec.Struct, frozen=True, gc=False):
    content: list[ChunkLogprob] | None = None


class ChunkChoice(msgspec.Struct, frozen=True, gc=False):
    index: int | None = None
    delta: ChunkDelta | None = None
    message: ChunkDelta | None = None
    finish_reason: str | None = None
    logprobs: ChunkLogprobs | None = None
    error: Raw = ABSENT
    usage: Raw = ABSENT


class ChunkGroq(msgspec.Struct, frozen=True, gc=False):
    usage: Raw = ABSENT


class ChatChunk(msgspec.Struct, frozen=True, gc=False):
    """A `chat.completion.chunk`, a whole `chat.completion`, or an error in their place."""

    choices: list[ChunkChoice] | None = None
    usage: Raw = ABSENT
    error: Raw = ABSENT
    service_tier: str | None = None
    object: str | None = None
    x_groq: ChunkGroq | None = None
    detail: Raw = ABSENT
    base_resp: Raw = ABSENT
