"""The MCP servers of one response: which they are, and what tools they have."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec

from adapter.errors import InvalidRequestError
from adapter.hosted.hosting import Hosting
from adapter.runners.base import ListFailedError, McpRunner, McpServer, authorization_header
from adapter.stream.machine import ResponseStream
from adapter.tasks import stop
from adapter.tools.mcp import McpTool, ServerRules, is_allowed
from adapter.tools.toolbox import Toolbox
from adapter.types.events import Event
from adapter.types.hosted import ListedTool, ToolResult

logger = logging.getLogger(__name__)


class Servers:
    """The servers that a request names.

    Args:
        hosting: speaks to them, and knows those of the settings.
        toolbox: of the request.
        required: label of the one that the model has to call; None if there is none.

    Attributes:
        rules: what the settings say of the tools of those that they have.
        listed: the tools that may be called, by the label of the server, once they are listed.

    Raises:
        InvalidRequestError: a server that is not known, or too many of them.
    """

    def __init__(self, hosting: Hosting, toolbox: Toolbox, required: str | None) -> None:
        self.listed: dict[str, Sequence[ListedTool]] = {}
        self._hosting = hosting
        self._required = required
        self._servers = {tool.server_label: self._server(tool, at) for tool, at in toolbox.servers}
        if len(self._servers) > hosting.max_servers:
            raise _too_many_servers(hosting.max_servers)
        self._asked = {tool.server_label: tool for tool, _ in toolbox.servers}
        self.rules = self._configured_rules(toolbox)

    async def list_tools(
        self, machine: ResponseStream, known: Mapping[str, Sequence[ListedTool]]
    ) -> AsyncGenerator[list[Event], None]:
        """Ask the servers for their tools, all at once, and say what they answer.

        What the conversation has listed already is not said again. Of a configured server it counts
        for nothing else: it is the client's word, and what may be called with the operator's
        credentials is the server's and the settings'.

        Args:
            machine: says it.
            known: what the conversation has listed, by the label of the server.

        Raises:
            ListFailedError: of the server that the model has to call.
        """
        self.listed = {label: tuple(known[label]) for label in self._servers if label in known}
        asked = {
            label: asyncio.create_task(self._list(server))
            for label, server in self._servers.items()
            if label not in known or server.is_configured
        }
        try:
            for label, task in asked.items():
                is_said = label not in known
                if is_said:
                    yield machine.begin_list(label)
                listed = await task
                if isinstance(listed, ListFailedError):
                    self.listed[label] = ()
                    if is_said:
                        yield machine.end_list(listed.message)
                    if label == self._required:
                        raise listed
                else:
                    self.listed[label] = shown = self._allowed(label, listed)
                    if is_said:
                        yield machine.end_list(shown)
        finally:
            await stop(asked.values())

    async def call(self, label: str, tool: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool of a server; see `McpRunner.call`."""
        return await self._mcp.call(self._servers[label], tool, arguments)

    async def _list(self, server: McpServer) -> tuple[ListedTool, ...] | ListFailedError:
        try:
            return await self._mcp.list_tools(server)
        except ListFailedError as error:
            logger.debug("the tools of a server could not be listed: %s", error.code)
            return error

    @property
    def _mcp(self) -> McpRunner:
        assert self._hosting.mcp is not None, "servers are only taken where something asks them"
        return self._hosting.mcp

    def _allowed(self, label: str, listed: Sequence[ListedTool]) -> tuple[ListedTool, ...]:
        """Return the tools that may be called at all: the others are nobody's business."""
        rules = self.rules.get(label, ServerRules())
        asked = self._asked[label]
        return tuple(tool for tool in listed if is_allowed(asked, tool, rules))

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
