"""A name that the model spells in its own way is taken for the one tool that it can mean."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from adapter.tools.function import FUNCTION_CALL
from adapter.tools.kinds import OfferedTool
from adapter.tools.lookup import find_tool
from adapter.tools.toolbox import open_toolbox


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name}


def namespace(name: str, *tools: str) -> dict[str, Any]:
    return {"type": "namespace", "name": name, "tools": [function(tool) for tool in tools]}


def offered(*tools: Any) -> dict[str, OfferedTool]:
    return open_toolbox([Raw(msgspec.json.encode(tool)) for tool in tools]).offered


TOOLS = offered(
    function("exec_command"),
    function("search"),
    function("天気"),
    namespace("mcp__demo", "get_weather", "search"),
    namespace("mcp__other", "read-file", "search"),
    namespace("mcp__" + "long" * 20, "write_file"),
    namespace("functions", "wait"),
)

# (what the model writes, the tool's name, its namespace)
MEANT: list[tuple[str, str, Any]] = [
    ("exec_command", "exec_command", UNSET),
    ("functions.exec_command", "exec_command", UNSET),
    ("functions__exec_command", "exec_command", UNSET),
    ("default_api.exec_command", "exec_command", UNSET),
    ("tools/exec_command", "exec_command", UNSET),
    ("Exec-Command", "exec_command", UNSET),
    ("search", "search", UNSET),
    ("天気", "天気", UNSET),
    ("functions.天気", "天気", UNSET),
    ("mcp__demo__get_weather", "get_weather", "mcp__demo"),
    ("get_weather", "get_weather", "mcp__demo"),
    ("demo.get_weather", "get_weather", "mcp__demo"),
    ("mcp.demo.get_weather", "get_weather", "mcp__demo"),
    ("mcp_demo_get_weather", "get_weather", "mcp__demo"),
    ("mcp__demo.get_weather", "get_weather", "mcp__demo"),
    ("mcp__demo/get_weather", "get_weather", "mcp__demo"),
    ("functions.mcp__demo__get_weather", "get_weather", "mcp__demo"),
    ("demo__search", "search", "mcp__demo"),
    ("read_file", "read-file", "mcp__other"),
    ("write_file", "write_file", "mcp__" + "long" * 20),
    ("wait", "wait", "functions"),
    ("functions.wait", "wait", "functions"),
]


@pytest.mark.parametrize(("written", "name", "space"), MEANT)
def test_a_name_means_the_tool_that_is_spelled_like_it(written: str, name: str, space: Any) -> None:
    found = find_tool(written, TOOLS)

    assert (found.name, found.namespace) == (name, space)


@pytest.mark.parametrize(
    "written",
    [
        "weather",
        "xget_weather",
        "xdemo__get_weather",
        "elsewhere__get_weather",
        "mcp",
        "mcp__demo",
        "functions",
        "file",
        "時間",
        "...",
        "",
    ],
)
def test_a_name_that_no_tool_has_is_the_model_s_own(written: str) -> None:
    found = find_tool(written, TOOLS)

    assert found not in TOOLS.values()
    assert (found.name, found.kind, found.namespace) == (written, FUNCTION_CALL, UNSET)


def test_a_name_that_two_tools_have_is_the_model_s_own() -> None:
    tools = offered(namespace("alpha", "search"), namespace("beta", "search"))

    assert find_tool("search", tools) not in tools.values()
    assert find_tool("alpha.search", tools) is tools["alpha__search"]


@given(st.text())
def test_any_name_finds_something(name: str) -> None:
    found = find_tool(name, TOOLS)

    assert found in TOOLS.values() or found.name == name


@given(st.sampled_from(sorted(TOOLS)))
def test_the_name_that_was_offered_is_the_tool(name: str) -> None:
    assert find_tool(name, TOOLS) is TOOLS[name]
