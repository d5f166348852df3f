"""Hosted tools of one response: lists what there is, makes the calls, remembers what came of them.

The calls of a turn are made together and said in their order. Everything is bounded: servers,
calls, turns, and the time of all of them together. Whatever goes wrong with one call is told to the
model, which may find another way; the response goes on.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapter.errors import InvalidRequestError, ToolError
from adapter.runners.base import (
    ListFailedError,
    McpRunner,
    McpServer,
    ToolRunner,
    authorization_header,
)
from adapter.stream.machine import ResponseStream
from adapter.stream.pending import ApprovedCall, PendingCall
from adapter.told import MadeCall, MadeCalls
from adapter.tools.choice import required_server
from adapter.tools.function import NO_PARAMETERS
from adapter.tools.kinds import OfferedTool
from adapter.tools.mcp import (
    MCP_CALL,
    Approval,
    McpTool,
    ServerRules,
    ToolFilter,
    is_allowed,
)
from adapter.tools.toolbox import HostedListing, Toolbox
from adapter.translate.items import PlacedItem
from adapter.translate.request import Progress, Translation
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.hosted import ListedTool, ToolResult, failure
from adapter.types.input import McpApprovalRequestItem
from adapter.types.items import OutputItem
from adapter.types.request import ResponseRequest

logger = logging.getLogger(__name__)

# Of one response, whatever its client allows: a model can be talked into thousands of calls at once.
MAX_CALLS = 512
# Of what they gave, together: all of it is kept, and sent with every further turn.
MAX_RESULT_BYTES = 32 * 1024 * 1024

_INVALID_PARAMS = -32602  # of JSON-RPC
_object = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class ConfiguredServer(msgspec.Struct, frozen=True):
    """A server of the settings, and what they say of its tools.

    Attributes:
        server: where it is.
        allowed_tools: the only ones that may be called, whatever a request allows; None is all.
        require_approval: which calls the client must approve, where a request does not say.
        description: what the server is for.
    """

    server: McpServer
    allowed_tools: list[str] | ToolFilter | None = None
    require_approval: Approval | None = None
    description: str = ""


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """What runs hosted tools, and how much of it one response may have.

    Attributes:
        mcp: speaks to MCP servers; None if nothing does.
        servers: configured servers, by label.
        runners: what runs other types of tools, by type.
        max_servers: in one request.
        max_turns: calls of the upstream; in the last one no hosted tool is offered.
        timeout_seconds: for all calls of a response; after it the model has to do without.
    """

    mcp: McpRunner | None = None
    servers: Mapping[str, ConfiguredServer] = {}
    runners: Mapping[str, ToolRunner] = {}
    max_servers: int = 16
    max_turns: int = 16
    timeout_seconds: float = 600.0

    @property
    def types(self) -> frozenset[str]:
        """The types of tools that are run."""
        return frozenset(self.runners) | ({"mcp"} if self.mcp is not None else set())


class UnknownApprovalError(ToolError):
    """The client approves what it was never asked."""

    def __init__(self, id: str) -> None:
        super().__init__(f"MCP approval request '{id[:128]}' not found", code="server_error")


class HostedTools:
    """The hosted tools of one response.

    Args:
        hosting: what runs them.
        request: what the client asked.
        translation: what became of it; its toolbox names servers and types.
        now: seconds of a clock.

    Attributes:
        may_call: the model was offered hosted tools in this turn. If it calls one all the same, the
            response ends.

    Raises:
        InvalidRequestError: a server that is not known, or too many of them.
    """

    def __init__(
        self,
        hosting: Hosting,
        request: ResponseRequest,
        translation: Translation,
        now: Callable[[], float],
    ) -> None:
        toolbox = translation.toolbox
        self.may_call = True
        self._hosting = hosting
        self._required = required_server(request.tool_choice)
        wanted = request.max_tool_calls
        self._max_calls = MAX_CALLS if wanted is None else min(wanted, MAX_CALLS)
        self._bytes_left = MAX_RESULT_BYTES
        self._settled = translation.settled
        self._servers = {tool.server_label: self._server(tool, at) for tool, at in toolbox.servers}
        if len(self._servers) > hosting.max_servers:
            raise _too_many_servers(hosting.max_servers)
        self._asked = {tool.server_label: tool for tool, _ in toolbox.servers}
        self._rules = self._configured_rules(toolbox)
        self._types = toolbox.hosted
        self._listing = HostedListing()
        self._results = MadeCalls()
        self._calls = 0
        self._turns = 0
        self._now = now
        self._ends_at = now() + hosting.timeout_seconds

    def progress(self, output: Sequence[OutputItem]) -> Progress:
        """Return what came of the request, to ask for the next turn.

        Args:
            output: what the response has said.
        """
        self._turns += 1
        self.may_call = self._may_call()
        return Progress(self.said(output), self._listing, bool(self._results), self.may_call)

    def said(self, output: Sequence[OutputItem]) -> tuple[PlacedItem, ...]:
        """Return what the response has said, and what came of its calls, as the model is told."""
        return self._results.told(output)

    def _may_call(self) -> bool:
        return (
            self._calls < self._max_calls
            and self._turns < self._hosting.max_turns
            and self._seconds_left() > 0
        )

    def _seconds_left(self) -> float:
        return self._ends_at - self._now()

    # Listing

    async def list_tools(self, machine: ResponseStream) -> AsyncGenerator[list[Event], None]:
        """Ask the servers for their tools, all at once, and say what they answer.

        What the conversation has listed already is not said again. Of a configured server it counts
        for nothing else: it is the client's word, and what may be called with the operator's
        credentials is the server's and the settings'.

        Raises:
            ListFailedError: of the server that the model has to call.
        """
        known = {label: tuple(tools) for label, tools in self._settled.lists.items()}
        servers: dict[str, Sequence[ListedTool]] = {
            label: known[label] for label in self._servers if label in known
        }
        asked = {
            label: asyncio.create_task(self._list(server))
            for label, server in self._servers.items()
            if label not in known or server.is_configured
        }
        types = asyncio.create_task(self._describe())
        try:
            for label, task in asked.items():
                is_said = label not in known
                if is_said:
                    yield machine.begin_list(label)
                listed = await task
                if isinstance(listed, ListFailedError):
                    servers[label] = ()
                    if is_said:
                        yield machine.end_list(listed.message)
                    if label == self._required:
                        raise listed
                else:
                    servers[label] = shown = self._allowed(label, listed)
                    if is_said:
                        yield machine.end_list(shown)
            self._listing = HostedListing(servers, await types, self._rules)
        finally:
            await _cancel([types, *asked.values()])

    def _allowed(self, label: str, listed: Sequence[ListedTool]) -> tuple[ListedTool, ...]:
        """Return the tools that may be called at all: the others are nobody's business."""
        rules = self._rules.get(label, ServerRules())
        asked = self._asked[label]
        return tuple(tool for tool in listed if is_allowed(asked, tool, rules))

    async def _list(self, server: McpServer) -> tuple[ListedTool, ...] | ListFailedError:
        assert self._hosting.mcp is not None, "servers are only taken where something asks them"
        try:
            return await self._hosting.mcp.list_tools(server)
        except ListFailedError as error:
            logger.debug("the tools of a server could not be listed: %s", error.code)
            return error

    async def _describe(self) -> dict[str, ListedTool]:
        described: dict[str, ListedTool] = {}
        for type_ in self._types:
            try:
                described[type_] = await self._hosting.runners[type_].describe()
            except ToolError as error:
                logger.warning("the tool that runs %s is out of order: %s", type_, error.message)
        return described

    def _server(self, tool: McpTool, at: str) -> McpServer:
        """Return where a server is.

        Raises:
            InvalidRequestError: neither the request nor the settings say.
        """
        if tool.server_url is None:
            configured = self._hosting.servers.get(tool.connector_id or tool.server_label)
            if configured is None:
                raise _unknown_server(tool, at)
            return msgspec.structs.replace(configured.server, label=tool.server_label)
        headers = dict(tool.headers or {})
        if tool.authorization:
            headers["authorization"] = authorization_header(tool.authorization)
        return McpServer(label=tool.server_label, url=tool.server_url, headers=headers)

    def _configured_rules(self, toolbox: Toolbox) -> dict[str, ServerRules]:
        configured = {
            tool.server_label: self._hosting.servers[tool.connector_id or tool.server_label]
            for tool, _ in toolbox.servers
            if tool.server_url is None
        }
        return {
            label: ServerRules(server.allowed_tools, server.require_approval, server.description)
            for label, server in configured.items()
        }

    # Calling

    def approved_calls(self, toolbox: Toolbox) -> list[ApprovedCall]:
        """Return the calls that the client has approved and that are still to be made.

        Raises:
            UnknownApprovalError: it approves what it was never asked.
        """
        if self._settled.unknown:
            raise UnknownApprovalError(self._settled.unknown)
        return [
            ApprovedCall(_tool_of(asked, toolbox), asked.arguments, asked.id)
            for asked in self._settled.approved
        ]

    async def run(
        self, machine: ResponseStream, toolbox: Toolbox
    ) -> AsyncGenerator[list[Event], None]:
        """Make the pending calls, all at once, and say what comes of them, in their order.

        Args:
            machine: has the calls, and says what comes of them.
            toolbox: the tools that may be called.
        """
        calls = machine.pending_calls
        tasks = [asyncio.create_task(self._call(call, toolbox)) for call in calls]
        try:
            for call, task in zip(calls, tasks, strict=True):
                result = await task
                self._results[machine.pending_id] = MadeCall(self._turns, call, result)
                yield machine.resolve(result)
        finally:
            await _cancel(tasks)

    async def _call(self, call: PendingCall, toolbox: Toolbox) -> ToolResult:
        if not self.may_call or call.tool.definition.name not in toolbox.offered:
            return failure("mcp_protocol_error", "There is no such tool.", _INVALID_PARAMS)
        if self._calls >= self._max_calls:
            return failure("mcp_protocol_error", "No more tool calls are allowed (max_tool_calls).")
        self._calls += 1
        try:
            arguments = _object.decode(call.arguments.strip() or "{}")
        except (msgspec.DecodeError, RecursionError):
            message = "The arguments are not a JSON object."
            return failure("mcp_protocol_error", message, _INVALID_PARAMS)
        try:
            async with asyncio.timeout(max(self._seconds_left(), 0.0)):
                return self._counted(await self._make(call, arguments))
        except TimeoutError:
            return failure("mcp_protocol_error", "The time for tool calls is over.")

    def _counted(self, result: ToolResult) -> ToolResult:
        """Return the result, unless all of them together are too much."""
        size = len(_encode((result.output, result.content, result.error)))
        if size > self._bytes_left:
            return failure("mcp_protocol_error", "There is no room for more results of tools.")
        self._bytes_left -= size
        return result

    async def _make(self, call: PendingCall, arguments: dict[str, Any]) -> ToolResult:
        tool = call.tool
        try:
            if tool.hosted_type:
                return await self._hosting.runners[tool.hosted_type].call(arguments)
            assert self._hosting.mcp is not None, "servers are only taken where something asks them"
            server = self._servers[tool.server_label]
            return await self._hosting.mcp.call(server, tool.name, arguments)
        except ToolError as error:
            return failure("mcp_protocol_error", error.message)
        except Exception:
            logger.exception("a hosted tool failed unexpectedly")
            return failure("mcp_protocol_error", "The tool failed.")


def _tool_of(asked: McpApprovalRequestItem, toolbox: Toolbox) -> OfferedTool:
    """Return the tool to call, or one that nobody offers if there is none such any more."""
    for tool in toolbox.tools_of(asked.server_label):
        if tool.name == asked.name:
            return msgspec.structs.replace(tool, kind=MCP_CALL)
    # No tool is offered under such a name.
    definition = ChatFunctionDefinition(name=f"({asked.name})", parameters=NO_PARAMETERS)
    return OfferedTool(definition, MCP_CALL, asked.name, server_label=asked.server_label)


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Stop what is under way, and wait until it has stopped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _unknown_server(tool: McpTool, at: str) -> InvalidRequestError:
    if tool.connector_id is None and tool.tunnel_id is None:
        return InvalidRequestError(
            f"Missing required parameter: '{at}.server_url'. "
            f"No server of this server's settings is called {tool.server_label!r}.",
            code="missing_required_parameter",
            param=f"{at}.server_url",
        )
    name = "tunnel_id" if tool.connector_id is None else "connector_id"
    return InvalidRequestError(
        f"Unsupported value: '{at}.{name}' names no server of this server's settings.",
        code="unsupported_value",
        param=f"{at}.{name}",
    )


def _too_many_servers(limit: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid 'tools': expected at most {limit} MCP servers.",
        code="array_above_max_length",
        param="tools",
    )
