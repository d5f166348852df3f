"""The body of `POST /v1/responses`, decoded and checked for type and range.

Every parameter is nullable: SDKs send nulls for what was not given, and null means absent. Items
and tools stay raw JSON here; `adapter.translate` decodes them by their `type`, so that an error can
name its path (`input[3].content[0].text`).

Source: OpenAI SDK 3.51 `ResponseCreateParams`; Open Responses 2026-04-24 `CreateResponseBody`; and
the spellings of look-alikes (`response_format`, `max_tokens`, `input_items`).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from adapter.types.raw import ABSENT

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
SummaryMode = Literal["auto", "concise", "detailed"]
Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]
ShortText = Annotated[str, Meta(max_length=128)]
Metadata = dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]]


class TextFormat(msgspec.Struct, frozen=True, tag="text"):
    pass


class JsonObjectFormat(msgspec.Struct, frozen=True, tag="json_object"):
    pass


class JsonSchemaFormat(msgspec.Struct, frozen=True, tag="json_schema"):
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


Format = TextFormat | JsonObjectFormat | JsonSchemaFormat


class TextOptions(msgspec.Struct, frozen=True):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningOptions(msgspec.Struct, frozen=True):
    effort: Effort | None = None
    summary: SummaryMode | None = None
    generate_summary: SummaryMode | None = None
    context: str | None = None
    mode: str | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    include_obfuscation: bool | None = None


class ChatJsonSchema(msgspec.Struct, frozen=True):
    """`json_schema` of a chat-style `response_format`."""

    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ChatResponseFormat(msgspec.Struct, frozen=True):
    """Chat-style `response_format`, which some look-alike clients send."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: ChatJsonSchema | None = None


class ContextManagement(msgspec.Struct, frozen=True):
    type: str
    compact_threshold: Annotated[int, Meta(ge=1)] | None = None


class ResponseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asked for; `adapter.translate.parameters` has a row for each field.

    Attributes:
        extras: top-level fields that this class does not name.
    """

    model: str | None = None
    input: Raw = ABSENT
    input_items: Raw = ABSENT
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    include: list[Include] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = ABSENT
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    response_format: ChatResponseFormat | None = None
    reasoning: ReasoningOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: ShortText | None = None
    prompt_cache_key: ShortText | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    service_tier: str | None = None
    client_metadata: dict[str, Any] | None = None
    context_management: list[ContextManagement] | None = None
    prompt: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    access_programs: Any | None = None
    image: Any | None = None
    personality: Any | None = None
    # Filled in by `decode_request`, whatever a client sends under this name.
    extras: dict[str, Raw] = msgspec.field(name="(extras)", default_factory=dict)
