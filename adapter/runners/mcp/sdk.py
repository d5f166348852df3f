"""The official MCP SDK: the only module that imports it, and it is imported late.

It takes most of a second, and it changes uvicorn: with it comes sse-starlette (3.7.0), which
replaces `uvicorn.Server.handle_exit` to end its own streams when the server stops. The server that
runs us keeps its own; sse-starlette also finds a stopping uvicorn without that.
"""

import uvicorn

_handle_exit = uvicorn.Server.handle_exit

from mcp.client.session import ClientSession  # noqa: E402
from mcp.client.sse import sse_client  # noqa: E402
from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from mcp.shared.dispatcher import ProgressFnT  # noqa: E402
from mcp.shared.exceptions import MCPError  # noqa: E402
from mcp_types import (  # noqa: E402
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS  # noqa: E402
from pydantic import TypeAdapter, ValidationError  # noqa: E402

uvicorn.Server.handle_exit = _handle_exit  # type: ignore[method-assign]  # put back, see above

__all__ = [
    "CONNECTION_CLOSED",
    "INTERNAL_ERROR",
    "METHOD_NOT_FOUND",
    "MODERN_PROTOCOL_VERSIONS",
    "PARSE_ERROR",
    "CallToolRequest",
    "CallToolRequestParams",
    "CallToolResult",
    "ClientSession",
    "Implementation",
    "InputRequiredResult",
    "MCPError",
    "PaginatedRequestParams",
    "ProgressFnT",
    "StdioServerParameters",
    "ToolListChangedNotification",
    "TypeAdapter",
    "ValidationError",
    "sse_client",
    "stdio_client",
    "streamable_http_client",
]
