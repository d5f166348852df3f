"""Tools are looked up by their type: offered, left out by policy, or refused."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.toolbox import (
    HOSTED_TYPES,
    MAX_NAMESPACE_CHARS,
    MAX_TOOLS,
    OFFERED_TYPES,
    Toolbox,
    open_toolbox,
)
from adapter.types.tools import FunctionTool

F = {"type": "function", "name": "f"}
SEARCH = {"type": "tool_search", "execution": "client"}


def raw(given: Any) -> Raw:
    return Raw(msgspec.json.encode(given))


def toolbox(*tools: Any, found: Any = (), **options: Any) -> Toolbox:
    return open_toolbox(
        [raw(tool) for tool in tools], found=[(at, raw(tool)) for at, tool in found], **options
    )


def test_no_tools_are_an_empty_toolbox() -> None:
    assert toolbox() == Toolbox()


# A tool of each type that is offered, and the name of the function that stands for it.
OFFERED: dict[str, tuple[dict[str, Any], str]] = {
    "apply_patch": ({"type": "apply_patch"}, "apply_patch"),
    "computer": ({"type": "computer"}, "computer"),
    "computer_use_preview": ({"type": "computer_use_preview", "environment": "mac"}, "computer"),
    "custom": ({"type": "custom", "name": "c"}, "c"),
    "function": (F, "f"),
    "local_shell": ({"type": "local_shell"}, "local_shell"),
    "shell": ({"type": "shell", "environment": {"type": "local"}}, "shell"),
    "tool_search": (SEARCH, "tool_search"),
}


@pytest.mark.parametrize("tool_type", OFFERED_TYPES)
def test_a_tool_that_the_client_runs_is_offered(tool_type: str) -> None:
    tool, name = OFFERED[tool_type]
    opened = toolbox(tool)

    assert [each.definition.name for each in opened.offered.values()] == [name]
    assert (opened.types, opened.dropped) == ({name: tool_type}, ())


@pytest.mark.parametrize("tool_type", [*sorted(HOSTED_TYPES), "tool_search"])
def test_a_tool_that_a_server_would_run_is_left_out_and_reported(tool_type: str) -> None:
    opened = toolbox(F, {"type": tool_type, "x": 1})

    assert (list(opened.offered), opened.dropped) == (["f"], ("tools[1]",))


@pytest.mark.parametrize("tool_type", [*sorted(HOSTED_TYPES), "tool_search"])
def test_a_tool_that_a_server_would_run_is_refused_if_set(tool_type: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        toolbox(F, {"type": tool_type}, hosted="error")

    assert (caught.value.code, caught.value.param) == ("unsupported_value", "tools[1].type")


def test_functions_are_echoed_with_all_their_keys_and_others_as_they_came() -> None:
    hosted = {"type": "web_search", "filters": {"a": [1]}}

    assert toolbox(F, hosted, {"type": "shell"}).echo == (
        FunctionTool("f"),
        hosted,
        {"type": "shell"},
    )


def test_secrets_are_not_echoed() -> None:
    tool: dict[str, Any] = {
        "type": "mcp",
        "server_label": "a",
        "authorization": "s",
        "headers": {"x": "s"},
    }

    shown = {"type": "mcp", "server_label": "a"}
    assert toolbox(tool).echo == (shown,)

    namespace = {"type": "namespace", "name": "n", "tools": [tool]}
    assert toolbox(namespace).echo == ({**namespace, "tools": [shown]},)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mcp.example", "https://mcp.example"),
        ("https://mcp.example:8443/", "https://mcp.example:8443/"),
        ("https://mcp.example/s/secret/mcp", "https://mcp.example/<redacted>"),
        ("https://mcp.example?key=secret", "https://mcp.example/<redacted>"),
        ("https://mcp.example/#secret", "https://mcp.example/<redacted>"),
        ("https://user:secret@mcp.example/", "<redacted>"),
        ("https://secret\\@mcp.example/", "<redacted>"),
        ("secret", "<redacted>"),
    ],
)
def test_of_the_url_of_a_server_its_place_is_echoed(url: str, shown: str) -> None:
    """OpenAI's own: "server_url": "https://mcp.deepwiki.com/<redacted>"."""
    tool = {"type": "mcp", "server_label": "a", "server_url": url}

    assert toolbox(tool).echo == ({**tool, "server_url": shown},)


def test_the_same_tool_may_come_twice() -> None:
    assert list(toolbox(F, F).offered) == ["f"]


def test_a_namespace_is_flattened() -> None:
    custom = {"type": "custom", "name": "c", "description": "C."}
    namespace = {"type": "namespace", "name": "n", "description": "N.", "tools": [F, custom]}
    opened = toolbox(namespace, F)

    found = [(key, each.name, each.namespace) for key, each in opened.offered.items()]
    assert found == [("n__f", "f", "n"), ("n__c", "c", "n"), ("f", "f", msgspec.UNSET)]
    assert opened.offered["n__c"].definition.description == "N.\n\nC."


def test_tools_in_the_input_are_offered_but_not_echoed() -> None:
    opened = toolbox(F, found=[("input[2].tools[0]", {"type": "function", "name": "g"})])

    assert (list(opened.offered), opened.echo) == (["f", "g"], (FunctionTool("f"),))


def test_a_tool_in_the_input_replaces_the_one_of_its_name() -> None:
    opened = toolbox(F, found=[("input[2].tools[0]", {**F, "description": "new"})])

    assert opened.offered["f"].definition.description == "new"


# (name, tools, code, param)
REFUSED: list[tuple[str, list[Any], str, str]] = [
    ("no object", ["f"], "invalid_type", "tools[0]"),
    ("no type", [F, {}], "missing_required_parameter", "tools[1].type"),
    ("an unknown type", [F, {"type": "teleport"}], "unsupported_value", "tools[1].type"),
    ("two tools of one name", [F, {**F, "strict": True}], "invalid_value", "tools[1].name"),
    ("a namespace without a name", [{"type": "namespace"}], "missing_required_parameter", "tools[0].name"),
    ("a namespace with an empty name", [{"type": "namespace", "name": ""}], "invalid_value", "tools[0].name"),
    ("a namespace with a long name", [{"type": "namespace", "name": "n" * (MAX_NAMESPACE_CHARS + 1)}], "invalid_value", "tools[0].name"),
    ("a fault in a namespace", [{"type": "namespace", "name": "n", "tools": [F, {"type": "x"}]}], "unsupported_value", "tools[0].tools[1].type"),
    ("a namespace in a namespace", [{"type": "namespace", "name": "n", "tools": [{"type": "namespace", "name": "m"}]}], "unsupported_value", "tools[0].tools[0].type"),
    ("too many that nobody is offered", [{"type": "web_search"}] * (MAX_TOOLS + 1), "array_above_max_length", "tools"),
    ("too many", [{**F, "name": f"f{n}"} for n in range(MAX_TOOLS + 1)], "array_above_max_length", "tools"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tools", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_a_tool_that_cannot_be_offered_is_refused_by_its_path(
    tools: list[Any], code: str, param: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        toolbox(*tools)

    assert (caught.value.code, caught.value.param) == (code, param)


def test_a_fault_in_a_tool_of_the_input_is_named_by_its_path() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        toolbox(found=[("input[2].tools[0]", {"type": "function"})])

    assert caught.value.param == "input[2].tools[0].name"


def test_as_many_tools_as_are_allowed_are_offered() -> None:
    assert len(toolbox(*[{**F, "name": f"f{n}"} for n in range(MAX_TOOLS)]).offered) == MAX_TOOLS
