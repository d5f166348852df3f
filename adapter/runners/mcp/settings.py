"""A configured MCP server: a table `[mcp.LABEL]` of the TOML file.

Only here can a server be a program to start. Nothing heavy is imported: the settings are read
whether or not a server is ever spoken to.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapter.runners.base import McpServer, authorization_header
from adapter.tools.mcp import ApprovalFilter, ToolFilter


class McpServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that requests name by its label, and the operator answers for.

    It holds secrets, so it has no repr of them.

    Attributes:
        url: where it is, over streamable HTTP or SSE; http and private addresses are fine.
        headers: of every request to it.
        authorization: token for it, sent as `Bearer` unless it names a scheme.
        authorization_env: environment variable that holds the token instead.
        command: program and arguments of a server over standard input and output.
        env: environment of that program, besides the usual (`PATH`, `HOME`, …).
        pass_env: variables of our own environment that the program gets.
        allowed_tools: the only tools that may be called, by name or as a filter; None is all.
        require_approval: what the client must approve, where a request does not say.
        description: what the server is for, told to the model.

    Raises:
        ValueError: it has neither a URL nor a command, or both.
    """

    url: str | None = None
    headers: dict[str, str] = {}
    authorization: str | None = None
    authorization_env: str | None = None
    command: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    env: dict[str, str] = {}
    pass_env: tuple[str, ...] = ()
    allowed_tools: tuple[str, ...] | ToolFilter | None = None
    require_approval: Literal["always", "never"] | ApprovalFilter = "always"
    description: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.command is None):
            raise ValueError("expected either a url or a command")
        if self.authorization is not None and self.authorization_env is not None:
            raise ValueError("expected either authorization or authorization_env")

    def __repr__(self) -> str:
        place = "url=…" if self.command is None else "command=…"
        return f"McpServerSettings({place})"


def configured_server(
    label: str, settings: McpServerSettings, environ: Mapping[str, str]
) -> McpServer:
    """Return the server that a table means.

    Args:
        label: what requests call it.
        settings: the table.
        environ: where the variables are that it names.

    Raises:
        ValueError: a variable is not set.
    """
    headers = dict(settings.headers)
    token = settings.authorization
    if settings.authorization_env is not None:
        token = _variable(settings.authorization_env, environ)
    if token is not None:
        headers["authorization"] = authorization_header(token)
    passed = {name: _variable(name, environ) for name in settings.pass_env}
    return McpServer(
        label=label,
        url=settings.url,
        headers=headers,
        command=settings.command or (),
        env=passed | settings.env,
        is_configured=True,
    )


def _variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if not value:
        raise ValueError(f"the environment has no {name}")
    return value
