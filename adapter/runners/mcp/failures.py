"""What can go wrong between an MCP server and us, in the words of `mcp_call.error`.

Texts are ours alone: what a library says of a failure may quote URLs, headers and arguments.

Source: OpenAI SDK 3.51 `McpCall.error` (structured since August 2026); JSON-RPC 2.0 §5.1 and MCP's
own codes.
"""

from http import HTTPStatus
from typing import Any, Literal

import msgspec

INTERNAL_ERROR = -32603
INVALID_REQUEST = -32600
CONNECTION_CLOSED = -32000
REQUEST_TIMEOUT = -32001

# What OpenAI's own client reports of a server that it could not speak to ("Failed Dependency").
UNREACHABLE = 424

# What a server can make us repeat, in characters.
_MAX_MESSAGE = 2000


class Failure(msgspec.Struct, frozen=True):
    """What went wrong.

    Attributes:
        type: as in `mcp_call.error`.
        code: HTTP status, or JSON-RPC error code.
        message: for the client and the model.
    """

    type: Literal["http_error", "mcp_protocol_error"]
    code: int
    message: str

    def error(self) -> dict[str, Any]:
        """Return the object that the item shows."""
        return {"type": self.type, "code": self.code, "message": self.message}


class McpFailedError(Exception):
    """A list or a call that came to nothing.

    Attributes:
        failure: why.
        stands_in: the SDK made it up for an HTTP answer that it does not tell of.
    """

    def __init__(self, failure: Failure, *, stands_in: bool = False) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.stands_in = stands_in


def http_failure(status: int) -> Failure:
    """Return the failure of an answer with this status."""
    try:
        phrase = f" ({HTTPStatus(status).phrase})"
    except ValueError:
        phrase = ""
    reason = "; redirects to other places are not followed" if 300 <= status < 400 else ""
    message = f"The MCP server answered with HTTP status {status}{phrase}{reason}."
    return Failure("http_error", status, message)


def unreachable() -> Failure:
    """Return the one failure of connections, whatever it was.

    A refused address, an unknown name and a closed port are not told apart, so that nobody can look
    around in the network behind us.
    """
    return Failure("http_error", UNREACHABLE, "The MCP server could not be reached.")


def broken_off() -> Failure:
    return Failure(
        "mcp_protocol_error", CONNECTION_CLOSED, "The MCP server broke off the connection."
    )


def closed() -> Failure:
    return Failure("mcp_protocol_error", CONNECTION_CLOSED, "The session was closed.")


def timed_out(seconds: float) -> Failure:
    return Failure(
        "mcp_protocol_error",
        REQUEST_TIMEOUT,
        f"The MCP server did not answer within {seconds:g} s.",
    )


def too_large(limit: int) -> Failure:
    return Failure(
        "mcp_protocol_error", INTERNAL_ERROR, f"The MCP server sent more than {limit} bytes."
    )


def not_understood(what: str) -> Failure:
    """Return the failure of an answer that breaks the protocol.

    Args:
        what: was asked for, such as `a list of tools`.
    """
    return Failure(
        "mcp_protocol_error",
        INTERNAL_ERROR,
        f"The MCP server sent {what} that does not follow the protocol.",
    )


def refused_by_server(code: int, message: str) -> Failure:
    """Return the failure that the server itself tells of."""
    shown = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + "…"
    return Failure("mcp_protocol_error", code, shown or "The MCP server gave no reason.")
