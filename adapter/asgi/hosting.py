"""What runs hosted tools here: the client of MCP servers, tools of the settings, and given ones."""

import os
from collections.abc import Sequence
from importlib.util import find_spec

from adapter.config import Settings, SettingsError
from adapter.hosted.hosting import ConfiguredServer, Hosting
from adapter.runners.base import McpRunner, ToolRunner
from adapter.runners.mapped import MappedTool
from adapter.runners.mcp.runner import MISSING_SDK, McpClient, McpLimits
from adapter.runners.mcp.settings import configured_server
from adapter.runners.plugins import load_tool
from adapter.tools.hosted import can_be_hosted, hosted_type


def make_hosting(settings: Settings, tools: Sequence[ToolRunner] = ()) -> Hosting | None:
    """Return what runs hosted tools, or None if nothing does.

    Args:
        settings: the settings.
        tools: given in code; they win over tools of the settings.

    Raises:
        SettingsError: a server or tool of the settings that cannot be used.
    """
    mcp = _mcp_client(settings)
    servers = {label: _server(label, settings) for label in settings.mcp}
    runners = {
        hosted_type(type_): _runner(type_, settings, servers, mcp) for type_ in settings.tools
    }
    runners |= {hosted_type(tool.type): tool for tool in tools}
    for type_ in runners:
        if not can_be_hosted(type_):
            raise SettingsError(
                f"Invalid setting 'tools.{type_}': expected web_search, file_search, "
                "code_interpreter, or a type of your own such as acme:lookup."
            )
    if mcp is None and not runners:
        return None
    return Hosting(
        mcp=mcp,
        servers=servers,
        runners=runners,
        max_servers=settings.max_mcp_servers,
        max_turns=settings.max_turns,
        timeout_seconds=settings.tools_timeout,
    )


def _mcp_client(settings: Settings) -> McpClient | None:
    """Return the client of MCP servers; None without the SDK, or where none may be named.

    Raises:
        SettingsError: the settings need the SDK, and it is not installed.
    """
    if find_spec("mcp") is None:
        if settings.mcp:
            raise SettingsError(f"The setting 'mcp' cannot be used: {MISSING_SDK}")
        return None
    if settings.max_mcp_servers == 0 and not settings.mcp:
        return None
    limits = McpLimits(
        list_seconds=settings.mcp_list_timeout,
        call_seconds=settings.mcp_call_timeout,
        list_ttl_seconds=settings.mcp_list_ttl,
        max_tools=settings.max_mcp_tools,
        max_output_bytes=settings.max_tool_output_bytes,
    )
    return McpClient(limits, settings.fetch)


def _server(label: str, settings: Settings) -> ConfiguredServer:
    given = settings.mcp[label]
    try:
        server = configured_server(label, given, os.environ)
    except ValueError as exc:
        raise SettingsError(f"Invalid setting 'mcp.{label}': {exc}.") from exc
    allowed = given.allowed_tools
    return ConfiguredServer(
        server,
        allowed_tools=list(allowed) if isinstance(allowed, tuple) else allowed,
        require_approval=given.require_approval,
        description=given.description or "",
    )


def _runner(
    type_: str,
    settings: Settings,
    servers: dict[str, ConfiguredServer],
    mcp: McpRunner | None,
) -> ToolRunner:
    given = settings.tools[type_]
    if given.plugin is not None:
        try:
            return load_tool(given.plugin)
        except ValueError as exc:
            raise SettingsError(f"Invalid setting 'tools.{type_}': {exc}.") from exc
    assert given.mcp is not None and given.tool is not None, "the settings see to it"  # noqa: PT018
    if given.mcp not in servers or mcp is None:
        raise SettingsError(
            f"Invalid setting 'tools.{type_}.mcp': there is no table [mcp.{given.mcp}]."
        )
    return MappedTool(hosted_type(type_), mcp, servers[given.mcp].server, given.tool)
