"""What hosted tools list and what comes of their calls, whoever runs them.

Source: OpenAI SDK 3.51 `McpListTools`, `McpCall` (structured errors since August 2026).
"""

from typing import Any

import msgspec

from adapter.types.parts import Part


class ListedTool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool as an MCP server lists it, and as `mcp_list_tools` items show it.

    Attributes:
        name: of the tool.
        input_schema: JSON schema of its arguments.
        description: what it is for.
        annotations: hints, such as `readOnlyHint`.
    """

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    annotations: dict[str, Any] | None = None


class Source(msgspec.Struct, frozen=True):
    """Where something of a result comes from, to be cited."""

    url: str
    title: str = ""


class ToolResult(msgspec.Struct, frozen=True):
    """What came of a call.

    Attributes:
        output: the text of it, as the item shows it.
        content: what the model is told, if that is more than `output` (images).
        error: structured error in the form of `mcp_call.error`, or None if the call went well.
        sources: what can be cited.
        structured: the structured content, if there is any.
    """

    output: str = ""
    content: tuple[Part, ...] = ()
    error: dict[str, Any] | None = None
    sources: tuple[Source, ...] = ()
    structured: Any = None


def failure(kind: str, message: str, code: int = -32603) -> ToolResult:
    """Return the result of a call that could not be made.

    Args:
        kind: `http_error` or `mcp_protocol_error`.
        message: what went wrong, for the model and the client.
        code: HTTP status, or JSON-RPC error code (by default: internal error).
    """
    return ToolResult(message, error={"type": kind, "code": code, "message": message})
