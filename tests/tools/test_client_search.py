"""Client-run `tool_search`: its arguments are shown as they are."""

from typing import Any

import pytest

from tests.tools.calls import added, item, show, toolbox

SEARCH = {"type": "tool_search", "execution": "client"}


def search(arguments: Any, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "tool_search_call",
        "arguments": arguments,
        "status": status,
        "execution": "client",
    }


DEEP = '{"a":' * 300 + "1" + "}" * 300

# (name, arguments, what is shown of them)
SEARCHES: list[tuple[str, str, Any]] = [
    ("an object", '{"query": "a", "limit": 3}', {"query": "a", "limit": 3}),
    ("a string", '"a"', {"query": "a"}),
    ("no JSON", " a b ", {"query": "a b"}),
    ("nothing", "", {"query": ""}),
    ("too deep to be written", DEEP, {"query": DEEP}),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [pytest.param(*case, id=name) for name, *case in SEARCHES]
)
def test_the_arguments_of_a_search_are_an_object(arguments: str, expected: Any) -> None:
    """Codex wants no string there."""
    assert item(SEARCH, arguments) == search(expected)


def test_a_search_is_offered_with_the_parameters_of_the_client() -> None:
    definition = (
        toolbox({**SEARCH, "description": "d", "parameters": {"type": "object"}})
        .offered["tool_search"]
        .definition
    )

    assert (definition.description, list(definition.parameters)) == ("d", ["type"])


def test_a_search_without_parameters_has_a_query() -> None:
    definition = toolbox(SEARCH).offered["tool_search"].definition

    assert b'"required":["query"]' in bytes(definition.parameters)


def test_nothing_is_said_of_the_arguments() -> None:
    assert show(SEARCH, '{"query": ', '"a"}') == []


def test_a_call_is_announced_without_arguments() -> None:
    assert added(SEARCH) == search({}, "in_progress")
