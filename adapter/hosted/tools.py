"""Hosted tools of one response: lists what there is, makes the calls, remembers what came of them.

The calls of a turn are made together and said in their order. Everything is bounded: servers,
calls, turns, and the time of all of them together. Whatever goes wrong with one call is told to the
model, which may find another way; the response goes on.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from adapter.errors import ToolError
from adapter.hosted.hosting import Hosting
from adapter.hosted.servers import Servers
from adapter.hosted.told import MadeCall, MadeCalls
from adapter.stream.machine import ResponseStream
from adapter.stream.pending import ApprovedCall, PendingCall
from adapter.tasks import stop
from adapter.tools.choice import required_server
from adapter.tools.function import NO_PARAMETERS
from adapter.tools.kinds import OfferedTool
from adapter.tools.mcp import MCP_CALL
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
        wanted = request.max_tool_calls
        self._max_calls = MAX_CALLS if wanted is None else min(wanted, MAX_CALLS)
        self._bytes_left = MAX_RESULT_BYTES
        self._settled = translation.settled
        self._servers = Servers(hosting, toolbox, required_server(request.tool_choice))
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

    async def list_tools(self, machine: ResponseStream) -> AsyncGenerator[list[Event], None]:
        """See what tools there are, and say what servers answer; see `Servers.list_tools`."""
        types = asyncio.create_task(self._describe())
        try:
            listing = self._servers.list_tools(machine, self._settled.lists)
            async with aclosing(listing) as said:
                async for events in said:
                    yield events
            self._listing = HostedListing(self._servers.listed, await types, self._servers.rules)
        finally:
            await stop([types])

    async def _describe(self) -> dict[str, ListedTool]:
        described: dict[str, ListedTool] = {}
        for type_ in self._types:
            try:
                described[type_] = await self._hosting.runners[type_].describe()
            except ToolError as error:
                logger.warning("the tool that runs %s is out of order: %s", type_, error.message)
        return described

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
            await stop(tasks)

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
            return await self._servers.call(tool.server_label, tool.name, arguments)
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
