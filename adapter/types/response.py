"""The response object: what `POST /v1/responses` returns and what lifecycle events carry.

All 31 keys that Open Responses requires are always present, null where nothing is known; keys
that it does not know are absent unless they say something.

Source: Open Responses 2026-04-24 `ResponseResource`; OpenAI SDK 3.51 `Response`.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.types.items import Compaction, OutputItem

Status = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]


class InputTokensDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int = 0


class Usage(msgspec.Struct, frozen=True):
    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()
    total_tokens: int = 0


class IncompleteDetails(msgspec.Struct, frozen=True):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseError(msgspec.Struct, frozen=True):
    code: str
    message: str


class ConversationId(msgspec.Struct, frozen=True):
    id: str


class Response(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Status
    incomplete_details: IncompleteDetails | None = None
    model: str
    previous_response_id: str | None = None
    instructions: str | None = None
    output: tuple[OutputItem, ...] = ()
    error: ResponseError | None = None
    tools: tuple[Any, ...] = ()
    tool_choice: Any = "auto"
    truncation: str = "disabled"
    parallel_tool_calls: bool = True
    text: dict[str, Any]
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    top_logprobs: int = 0
    temperature: float = 1.0
    reasoning: dict[str, Any]
    usage: Usage | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    store: bool = False
    background: bool = False
    service_tier: str = "default"
    metadata: dict[str, str] = {}
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    user: str | None = None
    conversation: ConversationId | UnsetType = UNSET


class CompactedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/responses/compact` returns: the user's messages, and what stands for the rest.

    Source: Open Responses 2026-04-24 `CompactResource`.
    """

    id: str
    object: Literal["response.compaction"] = "response.compaction"
    created_at: int
    output: tuple[dict[str, Any] | Compaction, ...]
    usage: Usage
