"""Hosted tools of other packages: found by name, and refused with it."""

from importlib.metadata import EntryPoint

import pytest

from adapter import hosted_tool
from adapter.runners.plugins import GROUP, load_tool


@hosted_tool("acme:hello")
def hello(name: str) -> str:
    return f"Hello {name}"


def _entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


ENTRIES = [
    _entry("hello", "tests.runners.test_plugins:hello"),
    _entry("broken", "tests.runners.test_plugins:nothing"),
    _entry("other", "tests.runners.test_plugins:ENTRIES"),
]


def test_a_tool_is_found_by_its_name() -> None:
    assert load_tool("hello", ENTRIES) is hello


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "no installed package"), ("broken", "cannot be loaded"), ("other", "no ToolRunner")],
)
def test_what_is_no_tool_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_tool(name, ENTRIES)


def test_nothing_is_installed_under_a_name_of_nobody() -> None:
    with pytest.raises(ValueError, match="no installed package has a tool 'nobody'"):
        load_tool("nobody")
