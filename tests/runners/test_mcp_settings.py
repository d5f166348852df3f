"""Configured servers: the table `[mcp.LABEL]`, what it allows, and that its secrets stay there."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.config import Settings, SettingsError
from adapter.runners.base import McpServer, authorization_header
from adapter.runners.mcp.settings import (
    McpServerSettings,
    configured_server,
)
from adapter.tools.mcp import ApprovalFilter, ToolFilter

FILE = """
[mcp.github]
url = "https://mcp.example/mcp"
headers = { x-team = "blue" }
authorization_env = "GITHUB_TOKEN"
allowed_tools = ["search"]
require_approval = "never"
description = "code and issues"

[mcp.files]
command = ["npx", "files"]
env = { ROOT = "/srv" }
pass_env = ["LANG"]
allowed_tools = { read_only = true }
require_approval = { never = { tool_names = ["read"] } }
"""
SECRET = "sk-very-secret"


def load(text: str, path: Path) -> Settings:
    file = path / "adapter.toml"
    file.write_text(text)
    return Settings.load(file, environ={})


def test_table_is_read(tmp_path: Path) -> None:
    assert load(FILE, tmp_path).mcp == {
        "github": McpServerSettings(
            url="https://mcp.example/mcp",
            headers={"x-team": "blue"},
            authorization_env="GITHUB_TOKEN",
            allowed_tools=("search",),
            require_approval="never",
            description="code and issues",
        ),
        "files": McpServerSettings(
            command=("npx", "files"),
            env={"ROOT": "/srv"},
            pass_env=("LANG",),
            allowed_tools=ToolFilter(read_only=True),
            require_approval=ApprovalFilter(never=ToolFilter(tool_names=["read"])),
        ),
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "'mcp.x': expected either a url or a command"),
        ('url = "http://a"\ncommand = ["b"]', "'mcp.x': expected either a url or a command"),
        ("command = []", "'mcp.x.command'"),
        ('url = "u"\nwhat = 1', "Unknown setting 'mcp.x.what'"),
        ('url = "u"\nrequire_approval = "maybe"', "expected one of always, never, got 'maybe'"),
        (
            'url = "u"\nauthorization = "a"\nauthorization_env = "b"',
            "'mcp.x': expected either authorization or authorization_env",
        ),
    ],
)
def test_table_that_does_not_fit_is_refused(table: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(f"[mcp.x]\n{table}", tmp_path)

    assert message in str(caught.value)


def test_server_has_what_its_table_says() -> None:
    settings = McpServerSettings(
        url="http://10.0.0.1/mcp", headers={"x-team": "blue"}, authorization_env="TOKEN"
    )

    assert configured_server("x", settings, {"TOKEN": "t"}) == McpServer(
        label="x",
        url="http://10.0.0.1/mcp",
        headers={"x-team": "blue", "authorization": "Bearer t"},
        is_configured=True,
    )


def test_program_gets_the_variables_that_are_named() -> None:
    settings = McpServerSettings(command=("run",), env={"A": "own"}, pass_env=("A", "B"))

    server = configured_server("x", settings, {"A": "ours", "B": "b", "C": "c"})

    assert server.env == {"A": "own", "B": "b"}
    assert server.command == ("run",)


@pytest.mark.parametrize(
    "more",
    [{"url": "u", "authorization_env": "GONE"}, {"command": ("run",), "pass_env": ("GONE",)}],
)
def test_variable_that_is_not_set_is_an_error(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the environment has no GONE"):
        configured_server("x", McpServerSettings(**more), {"GONE": ""})


@pytest.mark.parametrize(
    ("token", "header"),
    [("abc", "Bearer abc"), (" abc ", "Bearer abc"), ("Basic abc", "Basic abc")],
)
def test_token_is_a_bearer_unless_it_says_otherwise(token: str, header: str) -> None:
    assert authorization_header(token) == header


def test_secrets_are_not_shown() -> None:
    settings = McpServerSettings(
        url=f"https://x/?key={SECRET}", headers={"a": SECRET}, authorization=SECRET
    )
    program = McpServerSettings(command=("run", SECRET), env={"KEY": SECRET})
    servers = [configured_server("x", each, {}) for each in (settings, program)]

    shown = repr(Settings(mcp={"x": settings, "y": program})) + repr(servers)

    assert SECRET not in shown
    assert "url=…" in shown
    assert "command=…" in shown


def test_tables_are_values() -> None:
    settings = McpServerSettings(url="u")

    assert msgspec.structs.replace(settings) == settings
