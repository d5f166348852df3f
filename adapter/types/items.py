"""Items and parts that we put into `output` and into item events.

An item is built twice: empty when it is added, whole when it is done. Statuses and nulls follow
what OpenAI sends (`encrypted_content` and `content` of reasoning are absent rather than null).

Source: Open Responses 2026-04-24 `ItemField`; OpenAI SDK 3.51 `ResponseOutputItem`.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from adapter.types.hosted import ListedTool

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


class CustomToolCall(msgspec.Struct, frozen=True, tag="custom_tool_call"):
    id: str
    call_id: str
    name: str
    input: str
    status: ItemStatus
    namespace: str | UnsetType = UNSET


class LocalShellAction(msgspec.Struct, frozen=True, tag="exec"):
    """What is not given is left out: Vercel's AI SDK ends a stream at a null here."""

    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    timeout_ms: int | UnsetType = UNSET
    user: str | UnsetType = UNSET
    working_directory: str | UnsetType = UNSET


class LocalShellCall(msgspec.Struct, frozen=True, tag="local_shell_call"):
    id: str
    call_id: str
    action: LocalShellAction
    status: ItemStatus


class ShellAction(msgspec.Struct, frozen=True):
    commands: tuple[str, ...] = ()
    timeout_ms: int | None = None
    max_output_length: int | None = None


class ShellCall(msgspec.Struct, frozen=True, tag="shell_call"):
    id: str
    call_id: str
    action: ShellAction
    status: ItemStatus


class PatchOperation(msgspec.Struct, frozen=True):
    type: Literal["create_file", "update_file", "delete_file"]
    path: str
    diff: str | UnsetType = UNSET


class ApplyPatchCall(msgspec.Struct, frozen=True, tag="apply_patch_call"):
    """Cut short, it stays in progress: there is no `incomplete` for it in the SDK."""

    id: str
    call_id: str
    operation: PatchOperation
    status: Literal["in_progress", "completed"]


class ToolSearchCall(msgspec.Struct, frozen=True, tag="tool_search_call"):
    id: str
    call_id: str
    arguments: Any
    status: ItemStatus
    execution: Literal["client"] = "client"


class ComputerCall(msgspec.Struct, frozen=True, tag="computer_call"):
    """Several actions, or the one of `computer_use_preview`."""

    id: str
    call_id: str
    actions: tuple[dict[str, Any], ...] | UnsetType
    status: ItemStatus
    action: dict[str, Any] | UnsetType = UNSET
    pending_safety_checks: tuple[Any, ...] = ()


class Compaction(msgspec.Struct, frozen=True, tag="compaction"):
    """What stands for a conversation from now on; it has no status."""

    id: str
    encrypted_content: str


CallStatus = Literal["in_progress", "completed", "incomplete", "failed"]  # of a hosted call


class McpListTools(msgspec.Struct, frozen=True, tag="mcp_list_tools"):
    """It has no status; the error is text here, unlike that of a call."""

    id: str
    server_label: str
    tools: tuple[ListedTool, ...] = ()
    error: str | UnsetType = UNSET


class McpCall(msgspec.Struct, frozen=True, tag="mcp_call"):
    id: str
    server_label: str
    name: str
    arguments: str
    status: CallStatus
    output: str | None = None
    error: dict[str, Any] | None = None
    approval_request_id: str | None = None


class McpApprovalRequest(msgspec.Struct, frozen=True, tag="mcp_approval_request"):
    """It has no status: the client answers it in a request of its own."""

    id: str
    server_label: str
    name: str
    arguments: str


class WebSearchCall(msgspec.Struct, frozen=True, tag="web_search_call"):
    id: str
    status: CallStatus
    action: dict[str, Any]


class FileSearchCall(msgspec.Struct, frozen=True, tag="file_search_call"):
    id: str
    status: CallStatus
    queries: tuple[str, ...] = ()
    results: tuple[dict[str, Any], ...] | None = None


class CodeInterpreterCall(msgspec.Struct, frozen=True, tag="code_interpreter_call"):
    id: str
    status: CallStatus
    code: str
    container_id: str
    outputs: tuple[dict[str, Any], ...] | None = None


class ExtensionCall(msgspec.Struct, frozen=True):
    """A call of a tool of another vendor's type, `slug:name`; it is called `slug:name_call`.

    Source: Open Responses 2026-04-24, "Extending": call, status and result in one item.
    """

    type: str
    id: str
    status: CallStatus
    arguments: str
    output: str | None = None
    error: dict[str, Any] | None = None


OutputItem = (
    Message
    | Reasoning
    | FunctionCall
    | CustomToolCall
    | LocalShellCall
    | ShellCall
    | ApplyPatchCall
    | ToolSearchCall
    | ComputerCall
    | Compaction
    | McpListTools
    | McpCall
    | McpApprovalRequest
    | WebSearchCall
    | FileSearchCall
    | CodeInterpreterCall
    | ExtensionCall
)
