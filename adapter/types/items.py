"""Items and parts that we put into `output` and into item events.

An item is built twice: empty when it is added, whole when it is done. Statuses and nulls follow
what OpenAI sends (`encrypted_content` and `content` of reasoning are absent rather than null).

Source: Open Responses 2026-04-24 `ItemField`; OpenAI SDK 3.51 `ResponseOutputItem`.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

ItemStatus = Literal["in_progress", "completed", "incomplete"]


class TopLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: tuple[int, ...] = ()


class Logprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top_logprobs: tuple[TopLogprob, ...] = ()


class OutputText(msgspec.Struct, frozen=True, tag="output_text"):
    text: str
    annotations: tuple[dict[str, Any], ...] = ()
    logprobs: tuple[Logprob, ...] = ()


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    refusal: str


class ReasoningText(msgspec.Struct, frozen=True, tag="reasoning_text"):
    text: str


class SummaryText(msgspec.Struct, frozen=True, tag="summary_text"):
    text: str


OutputPart = OutputText | Refusal | ReasoningText


class Message(msgspec.Struct, frozen=True, tag="message"):
    id: str
    status: ItemStatus
    role: Literal["assistant"] = "assistant"
    content: tuple[OutputText | Refusal, ...] = ()


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    id: str
    summary: tuple[SummaryText, ...] = ()
    content: tuple[ReasoningText, ...] | UnsetType = UNSET
    encrypted_content: str | UnsetType = UNSET


class FunctionCall(msgspec.Struct, frozen=True, tag="function_call"):
    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus
    namespace: str | UnsetType = UNSET
    extra_content: Raw | UnsetType = UNSET


OutputItem = Message | Reasoning | FunctionCall
