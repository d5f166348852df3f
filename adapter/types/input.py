"""Items that a client may send in `input`.

Everything optional on the wire is nullable here: clients send our own output items back, often
with the nulls that their SDK added. `id`, `status` and unknown keys are tolerated. There are no
tags but that of messages: the reader looks items up by `type`, which the easy form leaves out.

Source: OpenAI SDK 3.51 `ResponseInputItem`; Open Responses 2026-04-24 `ItemParam`.
"""

from typing import Any, Literal

import msgspec
from msgspec import Raw

from adapter.types.hosted import ListedTool
from adapter.types.parts import ImageUrl, Part, ReasoningTextPart, SummaryTextPart, TextPart
from adapter.types.raw import ABSENT

Role = Literal["user", "assistant", "system", "developer"]
Content = str | list[Part]


class MessageItem(msgspec.Struct, frozen=True, tag="message"):
    role: Role
    content: Content | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class EasyMessageItem(MessageItem, frozen=True, tag=False):
    """A message that may leave its type out."""

    type: Literal["message"] | None = None


class EncryptedPart(msgspec.Struct, frozen=True, tag="encrypted_content"):
    encrypted_content: str


class AgentMessageItem(msgspec.Struct, frozen=True):
    """What one agent of Codex tells another.

    OpenAI's models seal what they write into arguments that are marked for it, and Codex passes
    them on unread; other models write plain text there.
    """

    content: list[Part | EncryptedPart] = []


class ReasoningItem(msgspec.Struct, frozen=True):
    id: str | None = None
    summary: list[SummaryTextPart | TextPart] | None = None
    content: list[ReasoningTextPart | TextPart] | None = None
    encrypted_content: str | None = None


class FunctionCallItem(msgspec.Struct, frozen=True):
    call_id: str
    name: str
    arguments: str | dict[str, Any] | None = None
    id: str | None = None
    namespace: str | None = None
    status: str | None = None
    extra_content: Raw = ABSENT


class FunctionCallOutputItem(msgspec.Struct, frozen=True):
    """Without a call id, the name says which call it answers."""

    call_id: str | None = None
    output: Content | None = None
    name: str | None = None
    namespace: str | None = None


class CustomToolCallItem(msgspec.Struct, frozen=True):
    call_id: str
    name: str
    input: str
    namespace: str | None = None


class CustomToolCallOutputItem(msgspec.Struct, frozen=True):
    call_id: str
    output: Content | None = None


class LocalShellCallItem(msgspec.Struct, frozen=True):
    action: dict[str, Any]
    call_id: str


class LocalShellCallOutputItem(msgspec.Struct, frozen=True):
    """The SDK's type has the call's id in `id`; clients send `call_id` too."""

    output: Content | None = None
    id: str | None = None
    call_id: str | None = None


class ShellCallItem(msgspec.Struct, frozen=True):
    action: dict[str, Any]
    call_id: str


class ShellOutput(msgspec.Struct, frozen=True):
    stdout: str | None = None
    stderr: str | None = None
    outcome: dict[str, Any] | None = None


class ShellCallOutputItem(msgspec.Struct, frozen=True):
    call_id: str
    output: list[ShellOutput] | str | None = None


class ApplyPatchCallItem(msgspec.Struct, frozen=True):
    call_id: str
    operation: dict[str, Any]


class ApplyPatchCallOutputItem(msgspec.Struct, frozen=True):
    call_id: str
    status: str | None = None
    output: str | None = None


class ToolSearchCallItem(msgspec.Struct, frozen=True):
    call_id: str | None = None
    arguments: dict[str, Any] | str | None = None


class ToolSearchOutputItem(msgspec.Struct, frozen=True):
    call_id: str | None = None
    tools: list[dict[str, Any]] = []


class AdditionalTools(msgspec.Struct, frozen=True):
    tools: list[Raw] = []


class ComputerCallItem(msgspec.Struct, frozen=True):
    call_id: str
    action: dict[str, Any] | None = None
    actions: list[dict[str, Any]] | None = None


class Screenshot(msgspec.Struct, frozen=True):
    image_url: str | ImageUrl | None = None
    file_id: str | None = None


class ComputerCallOutputItem(msgspec.Struct, frozen=True):
    call_id: str
    output: Screenshot


class CompactionItem(msgspec.Struct, frozen=True):
    """A summary of what was said before, sealed by whoever made it."""

    encrypted_content: str | None = None


class McpListToolsItem(msgspec.Struct, frozen=True):
    """The tools of a server as they were listed before: they need not be listed again."""

    server_label: str
    tools: list[ListedTool] = []
    error: Any = None


class McpCallItem(msgspec.Struct, frozen=True):
    id: str
    server_label: str
    name: str
    arguments: str = ""
    output: str | None = None
    error: Any = None
    approval_request_id: str | None = None


class McpApprovalRequestItem(msgspec.Struct, frozen=True):
    id: str
    server_label: str
    name: str
    arguments: str = ""


class McpApprovalResponseItem(msgspec.Struct, frozen=True):
    approval_request_id: str
    approve: bool
    reason: str | None = None


class ItemReference(msgspec.Struct, frozen=True):
    id: str


class Call(msgspec.Struct, frozen=True):
    """A call of any kind, as chat completions have it.

    Attributes:
        call_id: links it with its output.
        name: that of the function which stands for the tool.
        arguments: JSON text, or an object.
        extra_content: what the upstream wants back with it.
        server_label: the MCP server that has the tool, whose name is its own then.
    """

    call_id: str
    name: str
    arguments: str | dict[str, Any] | None
    extra_content: Raw = ABSENT
    server_label: str = ""


class CallOutput(msgspec.Struct, frozen=True):
    """The output of a call of any kind.

    Attributes:
        call_id: that of the call, or None if only the name is known.
        content: what came out.
        name: that of the function which stands for the tool.
    """

    call_id: str | None
    content: Content | None
    name: str = ""


# What is settled before messages are built (`adapter.translate.approvals`).
McpItem = McpListToolsItem | McpCallItem | McpApprovalRequestItem | McpApprovalResponseItem
InputItem = (
    MessageItem | ReasoningItem | Call | CallOutput | CompactionItem | ItemReference | McpItem
)
