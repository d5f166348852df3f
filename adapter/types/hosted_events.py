"""The events of hosted tools: what is listed, called, searched and cited.

Source: OpenAI SDK 3.51 `ResponseStreamEvent`; OpenAI's recorded streams.
"""

from typing import Any

import msgspec


class McpListToolsInProgress(
    msgspec.Struct, frozen=True, gc=False, tag="response.mcp_list_tools.in_progress"
):
    sequence_number: int
    item_id: str
    output_index: int


class McpListToolsCompleted(
    msgspec.Struct, frozen=True, gc=False, tag="response.mcp_list_tools.completed"
):
    sequence_number: int
    item_id: str
    output_index: int


class McpListToolsFailed(
    msgspec.Struct, frozen=True, gc=False, tag="response.mcp_list_tools.failed"
):
    sequence_number: int
    item_id: str
    output_index: int


class McpCallInProgress(msgspec.Struct, frozen=True, gc=False, tag="response.mcp_call.in_progress"):
    sequence_number: int
    item_id: str
    output_index: int


class McpCallCompleted(msgspec.Struct, frozen=True, gc=False, tag="response.mcp_call.completed"):
    sequence_number: int
    item_id: str
    output_index: int


class McpCallFailed(msgspec.Struct, frozen=True, gc=False, tag="response.mcp_call.failed"):
    sequence_number: int
    item_id: str
    output_index: int


class WebSearchCallInProgress(
    msgspec.Struct, frozen=True, gc=False, tag="response.web_search_call.in_progress"
):
    sequence_number: int
    item_id: str
    output_index: int


class WebSearchCallSearching(
    msgspec.Struct, frozen=True, gc=False, tag="response.web_search_call.searching"
):
    sequence_number: int
    item_id: str
    output_index: int


class WebSearchCallCompleted(
    msgspec.Struct, frozen=True, gc=False, tag="response.web_search_call.completed"
):
    sequence_number: int
    item_id: str
    output_index: int


class FileSearchCallInProgress(
    msgspec.Struct, frozen=True, gc=False, tag="response.file_search_call.in_progress"
):
    sequence_number: int
    item_id: str
    output_index: int


class FileSearchCallSearching(
    msgspec.Struct, frozen=True, gc=False, tag="response.file_search_call.searching"
):
    sequence_number: int
    item_id: str
    output_index: int


class FileSearchCallCompleted(
    msgspec.Struct, frozen=True, gc=False, tag="response.file_search_call.completed"
):
    sequence_number: int
    item_id: str
    output_index: int


class CodeInterpreterCallInProgress(
    msgspec.Struct, frozen=True, gc=False, tag="response.code_interpreter_call.in_progress"
):
    sequence_number: int
    item_id: str
    output_index: int


class CodeInterpreterCallInterpreting(
    msgspec.Struct, frozen=True, gc=False, tag="response.code_interpreter_call.interpreting"
):
    sequence_number: int
    item_id: str
    output_index: int


class CodeInterpreterCallCompleted(
    msgspec.Struct, frozen=True, gc=False, tag="response.code_interpreter_call.completed"
):
    sequence_number: int
    item_id: str
    output_index: int


class McpCallArgumentsDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.mcp_call_arguments.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class McpCallArgumentsDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.mcp_call_arguments.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    arguments: str


class CodeInterpreterCallCodeDelta(
    msgspec.Struct, frozen=True, gc=False, tag="response.code_interpreter_call_code.delta"
):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class CodeInterpreterCallCodeDone(
    msgspec.Struct, frozen=True, gc=False, tag="response.code_interpreter_call_code.done"
):
    sequence_number: int
    item_id: str
    output_index: int
    code: str


class AnnotationAdded(
    msgspec.Struct, frozen=True, gc=False, tag="response.output_text.annotation.added"
):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    annotation_index: int
    annotation: dict[str, Any]


HostedEvent = (
    McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | McpCallInProgress
    | McpCallCompleted
    | McpCallFailed
    | WebSearchCallInProgress
    | WebSearchCallSearching
    | WebSearchCallCompleted
    | FileSearchCallInProgress
    | FileSearchCallSearching
    | FileSearchCallCompleted
    | CodeInterpreterCallInProgress
    | CodeInterpreterCallInterpreting
    | CodeInterpreterCallCompleted
    | McpCallArgumentsDelta
    | McpCallArgumentsDone
    | CodeInterpreterCallCodeDelta
    | CodeInterpreterCallCodeDone
    | AnnotationAdded
)
