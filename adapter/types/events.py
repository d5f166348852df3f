"""The events that we stream, one struct per `type`.

A struct's tag is its `type` on the wire and the name of the SSE event. Nothing reachable from an
event changes after it was made.

Source: OpenAI SDK 3.51 `ResponseStreamEvent`; Open Responses 2026-04-24 events; `keepalive` is what
OpenAI's own service sends and Codex counts as activity (openai/codex#31539).
"""

import msgspec

from adapter.types.hosted_events import HostedEvent
from adapter.types.items import Logprob, OutputItem, OutputPart, SummaryText
from adapter.types.response import Response


class ResponseCreated(msgspec.Struct, frozen=True, gc=False, tag="response.created"):
    sequence_number: int
    response: Response


class ResponseQueued(msgspec.Struct, frozen=True, gc=False, tag="response.queued"):
    sequence_number: int
    response: Response


class ResponseInProgress(msgspec.Struct, frozen=True, gc=False, tag="response.in_progress"):
    sequence_number: int
    response: Response


class ResponseCompleted(msgspec.Struct, frozen=True, gc=False, tag="response.completed"):
    sequence_number: int
    response: Response


class ResponseIncomplete(msgspec.Struct, frozen=True, gc=False, tag="response.incomplete"):
    sequence_number: int
    response: Response


class ResponseFailed(msgspec.Struct, frozen=True, gc=False, tag="response.failed"):
    sequence_number: int
    response: Response


class ErrorBody(msgspec.Struct, frozen=True):
    type: str
    code: str | None
    message: str
    param: str | None


class ErrorEvent(msgspec.Struct, frozen=True, gc=False, tag="error"):
    """Nested, as OpenAI sends it (its SDK's type is flat)."""

    sequence_number: int
    error: ErrorBody


class Keepalive(msgspec.Struct, frozen=True, gc=False, tag="keepalive"):
    sequence_number: int


class OutputItemAdded(msgspec.Struct, frozen=True, gc=False, tag="response.output_item.added"):
    sequence_number: int
    output_index: int
    item: OutputItem


class OutputItemDone(msgspec.Struct, frozen=True, gc=False, tag="response.output_item.done"):
    sequence_number: int
    output_index: int
    item: OutputItem


class ContentPartAdded(msgspec.Struct, frozen=True, gc=False, tag="response.content_part.added"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    part: OutputPart


class ContentPartDone(msgspec.Struct, frozen=True, gc=False, tag="response.content_part.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    part: OutputPart


class OutputTextDelta(msgspec.Struct, frozen=True, gc=False, tag="response.output_text.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: tuple[Logprob, ...] = ()


class OutputTextDone(msgspec.Struct, frozen=True, gc=False, tag="response.output_text.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: tuple[Logprob, ...] = ()


class RefusalDelta(msgspec.Struct, frozen=True, gc=False, tag="response.refusal.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class RefusalDone(msgspec.Struct, frozen=True, gc=False, tag="response.refusal.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    refusal: str


class ReasoningTextDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_text.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class ReasoningTextDone(msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_text.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str


class OpenReasoningDelta(msgspec.Struct, frozen=True, gc=False, tag="response.reasoning.delta"):
    """The name that Open Responses 2026-04-24 has for `response.reasoning_text.delta`."""

    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class OpenReasoningDone(msgspec.Struct, frozen=True, gc=False, tag="response.reasoning.done"):
    """The name that Open Responses 2026-04-24 has for `response.reasoning_text.done`."""

    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str


class FunctionCallArgumentsDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.function_call_arguments.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class FunctionCallArgumentsDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.function_call_arguments.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    arguments: str


class ReasoningSummaryPartAdded(
    msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_summary_part.added"
):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class ReasoningSummaryTextDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_summary_text.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    delta: str


class ReasoningSummaryTextDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_summary_text.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    text: str


class ReasoningSummaryPartDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.reasoning_summary_part.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class CustomToolCallInputDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.custom_tool_call_input.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class CustomToolCallInputDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.custom_tool_call_input.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    input: str


class ShellCallCommandAdded(
    msgspec.Struct, frozen=True, gc=False, tag="response.shell_call_command.added"
):
    sequence_number: int
    output_index: int
    command_index: int
    command: str


class ShellCallCommandDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.shell_call_command.delta"
):
    sequence_number: int
    output_index: int
    command_index: int
    delta: str


class ShellCallCommandDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.shell_call_command.done"
):
    sequence_number: int
    output_index: int
    command_index: int
    command: str


class ApplyPatchDiffDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.apply_patch_call_operation_diff.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class ApplyPatchDiffDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.apply_patch_call_operation_diff.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    diff: str


Event = (
    ResponseCreated
    | ResponseQueued
    | ResponseInProgress
    | ResponseCompleted
    | ResponseIncomplete
    | ResponseFailed
    | ErrorEvent
    | Keepalive
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputTextDelta
    | OutputTextDone
    | RefusalDelta
    | RefusalDone
    | ReasoningTextDelta
    | ReasoningTextDone
    | OpenReasoningDelta
    | OpenReasoningDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | ReasoningSummaryPartAdded
    | ReasoningSummaryTextDelta
    | ReasoningSummaryTextDone
    | ReasoningSummaryPartDone
    | CustomToolCallInputDelta
    | CustomToolCallInputDone
    | ShellCallCommandAdded
    | ShellCallCommandDelta
    | ShellCallCommandDone
    | ApplyPatchDiffDelta
    | ApplyPatchDiffDone
    | HostedEvent
)
