"""What runs a hosted type: a table `[tools.TYPE]` of the TOML file."""

import msgspec


class ToolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What runs the tools of one type.

    Attributes:
        mcp: label of the configured MCP server that has the tool.
        tool: name of that tool.
        plugin: name of an entry point of the group `adapter.tools` instead: a `ToolRunner`.

    Raises:
        ValueError: it names neither, or both.
    """

    mcp: str | None = None
    tool: str | None = None
    plugin: str | None = None

    def __post_init__(self) -> None:
        if (self.mcp is None) == (self.plugin is None):
            raise ValueError("expected either mcp and tool, or plugin")
        if (self.mcp is None) != (self.tool is None):
            raise ValueError("expected mcp and tool together")
