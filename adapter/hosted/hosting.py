"""What runs hosted tools: MCP servers of the settings, and runners of other types."""

from collections.abc import Mapping

import msgspec

from adapter.runners.base import McpRunner, McpServer, ToolRunner
from adapter.tools.mcp import Approval, ToolFilter


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
