"""Client-run `tool_search` and `computer`: their arguments are shown as they are."""

from typing import Any

import pytest

from tests.tools.calls import added, item, show, toolbox

SEARCH = {"type": "tool_search", "execution": "client"}
COMPUTER = {"type": "computer"}


def search(arguments: Any, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "tool_search_call",
        "arguments": arguments,
        "status": status,
        "execution": "client",
    }


def computer(*actions: Any, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "computer_call",
        "actions": list(actions),
        "status": status,
        "pending_safety_checks": [],
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


CLICK = '{"type": "click", "x": 1}'

# (name, arguments, actions)
ACTIONS: list[tuple[str, str, list[Any]]] = [
    ("actions", f'{{"actions": [{CLICK}, {CLICK}]}}', [{"type": "click", "x": 1}] * 2),
    ("one action", f'{{"action": {CLICK}}}', [{"type": "click", "x": 1}]),
    ("an action alone", CLICK, [{"type": "click", "x": 1}]),
    ("what is no action", '{"actions": [7, "click"]}', []),
    ("something else", '{"x": 1}', []),
    ("no JSON", "click", []),
    ("too deep to be written", DEEP, []),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [pytest.param(*case, id=name) for name, *case in ACTIONS]
)
def test_a_computer_call_has_actions(arguments: str, expected: list[Any]) -> None:
    assert item(COMPUTER, arguments) == computer(*expected)


@pytest.mark.parametrize("tool", [SEARCH, COMPUTER])
def test_nothing_is_said_of_the_arguments(tool: dict[str, Any]) -> None:
    assert show(tool, '{"query": ', '"a"}') == []


@pytest.mark.parametrize(
    ("tool", "expected"),
    [(SEARCH, search({}, "in_progress")), (COMPUTER, computer(status="in_progress"))],
)
def test_a_call_is_announced_without_arguments(
    tool: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert added(tool) == expected
