"""The facts that make up a dialect.

The defaults describe a server that we know nothing of: write only what all known servers accept,
read everything that any of them sends. Nothing else in the package asks for an upstream's name;
what one learns of an upstream is a dialect with other facts (`adapter.translate.learn`).
"""

from typing import Any, Literal

import msgspec

ThinkTags = Literal["start", "opened", "anywhere", "off"]
ReasoningField = Literal["reasoning", "reasoning_content", "tags", "parts", "none"]
ReasoningReplay = Literal["optional", "all_or_nothing", "always"]
ToolChoiceForm = Literal["none", "auto", "required", "named"]
FormatForm = Literal["json_object", "json_schema"]

ALL_TOOL_CHOICES: frozenset[ToolChoiceForm] = frozenset({"none", "auto", "required", "named"})
ALL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class ThinkingSwitch(msgspec.Struct, frozen=True):
    """How thinking is switched, where `reasoning_effort` does not do it.

    Attributes:
        field: path of the request field, such as `chat_template_kwargs.enable_thinking`.
        on: its value for any effort.
        off: its value for effort `none`.
    """

    field: str
    on: Any
    off: Any


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An upstream's habits.

    Attributes:
        name: how settings and logs call it.
        source: where the facts come from, with a date or version.
        hosts: endings of host names that are this upstream.
        owners: values of `owned_by` in its `/v1/models`.
        servers: beginnings of its `server` header.
        system_role: role of instructions.
        late_system: a system or developer message after the conversation has begun is sent as
            `system`, or as a `user` message in `<system>` tags, which keeps the prefix cacheable
            and suits templates that want the system message first.
        merge_same_role: consecutive user messages are sent as one, for templates that want
            strict alternation.
        parts: content parts beyond text that it takes.
        image_urls: it fetches images from `any` URL, or takes `data` URLs alone.
        refusal_field: assistant messages may carry `refusal`; otherwise it is sent as content.
        reasoning_field: where the reasoning of earlier turns is sent back: a field, `<think>`
            tags in the content, thinking parts of the content, or nowhere.
        reasoning_replay: whether messages with calls need it: `optional`, on all if on any, or
            `always`.
        reasoning_filler: what stands where it is needed and there is none.
        efforts: values of `reasoning_effort` that it takes; others are clamped; empty if it has
            no such field.
        effort_field: path of the field.
        thinking: how thinking is switched besides.
        output_limit: name of the field for the longest answer.
        parameters: optional request fields that it knows beyond the ones all servers take.
        refuses: request fields that it answers with an error; they are not sent.
        refused_values: (field, JSON of the value) that it answers with an error.
        tool_choices: forms of `tool_choice` that it obeys.
        strict_tools: a function may carry `strict`.
        object_arguments: arguments in history are objects, not strings.
        call_id_length: exact length of alphanumeric call ids, or None if any will do.
        signature_filler: thought signature for calls that have none; None where there are no
            signatures.
        schema_refuses: JSON schema keywords that it refuses.
        formats: forms of `response_format` beyond text.
        format_shape: how a schema is sent: as OpenAI's `json_schema`, or TGI's `json`.
        think_tags: where `<think>` in content is reasoning: at the `start` of the answer,
            `anywhere`, `opened` (the template wrote the first tag, the answer starts inside), or
            `off`.
        cumulative_details: `reasoning_details` repeat what they said before.
    """

    name: str
    source: str
    hosts: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    # Messages
    system_role: Literal["system", "developer"] = "system"
    late_system: Literal["system", "user"] = "user"
    merge_same_role: bool = True
    parts: frozenset[str] = frozenset({"image_url"})
    image_urls: Literal["any", "data"] = "any"
    refusal_field: bool = False
    # Reasoning
    reasoning_field: ReasoningField = "reasoning_content"
    reasoning_replay: ReasoningReplay = "optional"
    reasoning_filler: str = ""
    efforts: tuple[str, ...] = ALL_EFFORTS
    effort_field: str = "reasoning_effort"
    thinking: ThinkingSwitch | None = None
    # Parameters
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    parameters: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    refused_values: frozenset[tuple[str, str]] = frozenset()
    # Tools
    tool_choices: frozenset[ToolChoiceForm] = frozenset({"none", "auto", "required"})
    strict_tools: bool = True
    object_arguments: bool = False
    call_id_length: int | None = None
    signature_filler: str | None = None
    schema_refuses: frozenset[str] = frozenset()
    # Output
    formats: frozenset[FormatForm] = frozenset({"json_object", "json_schema"})
    format_shape: Literal["openai", "tgi"] = "openai"
    think_tags: ThinkTags = "start"
    cumulative_details: bool = False
