"""Tools of remote MCP servers: which of them a request may call, and how their calls are shown.

A request names a server, not its tools: those are listed first, by whoever speaks to it
(`adapter.runners`). What is allowed and what needs approval is decided here, for every tool by
itself, from the request alone.

Source: sheet §5 and §7.2; OpenAI SDK 3.51 `Mcp`; OpenAI's recorded streams.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw

from adapter.errors import InvalidRequestError
from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.tools.names import chat_name
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.decoding import decode_at, missing_parameter
from adapter.types.events import Event
from adapter.types.hosted import ListedTool, ToolResult
from adapter.types.hosted_events import (
    McpCallArgumentsDelta,
    McpCallArgumentsDone,
    McpCallCompleted,
    McpCallFailed,
    McpCallInProgress,
)
from adapter.types.items import CallStatus, ItemStatus, McpApprovalRequest, McpCall

MAX_LABEL_CHARS = 64
_encode = msgspec.json.Encoder().encode

# readOnlyHint is the protocol's (2025-03-26, "Tool annotations"); OpenAI shows it as read_only.
_READ_ONLY = ("readOnlyHint", "read_only")


class ToolFilter(msgspec.Struct, frozen=True):
    """Which tools; both are to fit where both are given."""

    tool_names: list[str] | None = None
    read_only: bool | None = None

    def fits(self, tool: ListedTool) -> bool:
        if self.tool_names is not None and tool.name not in self.tool_names:
            return False
        return self.read_only is None or self.read_only is is_read_only(tool)


class ApprovalFilter(msgspec.Struct, frozen=True):
    always: ToolFilter | None = None
    never: ToolFilter | None = None


Approval = Literal["always", "never"] | ApprovalFilter


class ServerRules(msgspec.Struct, frozen=True):
    """What is said of the tools of a server, besides what a request says.

    Attributes:
        allowed_tools: the only ones that may be called; None is all.
        require_approval: which calls the client must approve, where the request does not say.
        description: what the server is for, where the request does not say.
    """

    allowed_tools: list[str] | ToolFilter | None = None
    require_approval: Approval | None = None
    description: str = ""


class McpTool(msgspec.Struct, frozen=True):
    """A server, as `tools` names it. It holds secrets; the response echoes it without them."""

    server_label: Annotated[str, Meta(min_length=1, max_length=MAX_LABEL_CHARS)]
    server_url: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    server_description: str | None = None
    allowed_tools: list[str] | ToolFilter | None = None
    require_approval: Approval | None = None

    def __repr__(self) -> str:
        return f"McpTool(server_label={self.server_label!r})"


_tool = msgspec.json.Decoder(McpTool)
_SECRETS = frozenset({"authorization", "headers"})
_PLACE = re.compile(r"https?://[^/?#@\\]+(?=[/?#]|$)", re.IGNORECASE)  # without a user
_REDACTED = "<redacted>"


def without_secrets(tool: Any) -> Any:
    """Return the JSON of any tool without what is for the server alone, in namespaces too."""
    if not isinstance(tool, dict):
        return tool
    kept = {name: value for name, value in tool.items() if name not in _SECRETS}
    if isinstance(inner := kept.get("tools"), list):
        kept["tools"] = [without_secrets(each) for each in inner]
    return kept


def as_shown(tool: Any) -> Any:
    """Return the JSON of any tool as a response shows it: as OpenAI's, without paths of servers.

    Keys stand in many of them, and in their queries; the response is stored, and logged.
    """
    if not isinstance(tool, dict):
        return tool
    kept = without_secrets(tool)
    if isinstance(url := kept.get("server_url"), str):
        kept["server_url"] = _shown_url(url)
    if isinstance(inner := kept.get("tools"), list):
        kept["tools"] = [as_shown(each) for each in inner]
    return kept


def _shown_url(url: str) -> str:
    place = _PLACE.match(url)
    if place is None:
        return _REDACTED
    return url if url in (place[0], f"{place[0]}/") else f"{place[0]}/{_REDACTED}"


class McpCallWriter:
    """Says the arguments as they come, and then what came of the call."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place
        self._begun = False
        self._arguments = ""

    def added(self) -> McpCall:
        return self._item("", "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        place = self._place
        self._begin(events)
        events.append(McpCallArgumentsDelta(place.number(), place.id, place.output_index, piece))

    def written(self, arguments: str, events: list[Event]) -> None:
        place = self._place
        self._begin(events)
        if not arguments.strip():
            self.feed("{}", events)
            arguments += "{}"
        self._arguments = arguments
        events.append(McpCallArgumentsDone(place.number(), place.id, place.output_index, arguments))

    def resolve(self, result: ToolResult, events: list[Event]) -> McpCall:
        place = self._place
        outcome = McpCallCompleted if result.error is None else McpCallFailed
        events.append(outcome(place.number(), place.id, place.output_index))
        status: CallStatus = "completed" if result.error is None else "failed"
        return self._item(self._arguments, status, result)

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> McpCall:
        """End a call that is not made."""
        if self._arguments:
            return self._item(self._arguments, "incomplete")
        place = self._place
        self._begin(events)
        events.append(McpCallArgumentsDone(place.number(), place.id, place.output_index, arguments))
        return self._item(arguments, "incomplete")

    def _begin(self, events: list[Event]) -> None:
        if not self._begun:
            self._begun = True
            place = self._place
            events.append(McpCallInProgress(place.number(), place.id, place.output_index))

    def _item(
        self, arguments: str, status: CallStatus, result: ToolResult | None = None
    ) -> McpCall:
        place, error = self._place, result.error if result else None
        return McpCall(
            place.id,
            place.tool.server_label,
            place.tool.name,
            arguments,
            status,
            output=None if result is None or error else result.output,
            error=error,
            approval_request_id=place.approval_request_id,
        )


class ApprovalRequestWriter:
    """Asks the client whether a call may be made."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> McpApprovalRequest:
        raise AssertionError("it is announced when it is whole")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing: it has no events of its own."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> McpApprovalRequest:
        tool = self._place.tool
        arguments = arguments if arguments.strip() else "{}"
        return McpApprovalRequest(self._place.id, tool.server_label, tool.name, arguments)


MCP_CALL = CallKind(id_prefix="mcp", writer=McpCallWriter, is_hosted=True)
MCP_APPROVAL = CallKind(id_prefix="mcpr", writer=ApprovalRequestWriter, is_whole=True)


def read_mcp(raw: Raw, at: str) -> McpTool:
    """Decode a tool that names a server.

    Raises:
        InvalidRequestError: no label, two addresses, or a field of the wrong type.
    """
    tool: McpTool = decode_at(_tool, raw, at)
    if tool.server_url is not None and tool.connector_id is not None:
        raise InvalidRequestError(
            f"Invalid '{at}': expected `server_url` or `connector_id`, got both.",
            code="invalid_value",
            param=at,
        )
    if tool.server_url == "":
        raise missing_parameter(f"{at}.server_url")
    return tool


_NO_RULES = ServerRules()


def offer_mcp(
    server: McpTool, tool: ListedTool, rules: ServerRules = _NO_RULES
) -> OfferedTool | None:
    """Return a tool of a server as a chat function, or None if it may not be called.

    Args:
        server: as the request names it.
        tool: as the server lists it.
        rules: what the settings say of it.
    """
    if not is_allowed(server, tool, rules):
        return None
    asks = _asks(server.require_approval or rules.require_approval, tool)
    about = server.server_description or rules.description
    description = "\n\n".join(filter(None, (about, tool.description)))
    definition = ChatFunctionDefinition(
        name=chat_name(tool.name),
        parameters=Raw(_encode(_with_properties(tool.input_schema))),
        description=description or UNSET,
    )
    kind = MCP_APPROVAL if asks else MCP_CALL
    return OfferedTool(definition, kind, tool.name, server_label=server.server_label)


def is_allowed(server: McpTool, tool: ListedTool, rules: ServerRules) -> bool:
    """Tell whether both the request and the settings let a tool be called; see `offer_mcp`."""
    return _allows(server.allowed_tools, tool) and _allows(rules.allowed_tools, tool)


def _allows(allowed: list[str] | ToolFilter | None, tool: ListedTool) -> bool:
    """Tell whether a tool may be called; `[]` allows none."""
    if isinstance(allowed, ToolFilter):
        return allowed.fits(tool)
    return allowed is None or tool.name in allowed


def _asks(wanted: Approval | None, tool: ListedTool) -> bool:
    """Tell whether the client is asked before a call, as it is unless it says otherwise."""
    if isinstance(wanted, ApprovalFilter):
        if wanted.always is not None and wanted.always.fits(tool):
            return True
        return wanted.never is None or not wanted.never.fits(tool)
    return wanted != "never"


def is_read_only(tool: ListedTool) -> bool:
    hints: Mapping[str, object] = tool.annotations or {}
    return any(hints.get(name) is True for name in _READ_ONLY)


def _with_properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    """Return the schema with `type` and `properties`, without which chat servers refuse it."""
    return {"type": "object", "properties": {}, **schema}
