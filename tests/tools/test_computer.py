"""`computer`: actions as strict clients take them, whatever the model writes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from openai.types.responses import ResponseComputerToolCall

from tests.strategies import JSON_VALUES
from tests.tools.calls import added, item, show, toolbox

COMPUTER = {"type": "computer"}
PREVIEW = {"type": "computer_use_preview", "environment": "linux"}
DEEP = '{"actions":' + "[" * 300 + "]" * 300 + "}"


def computer(*actions: Any, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "computer_call",
        "actions": list(actions),
        "status": status,
        "pending_safety_checks": [],
    }


def preview(action: Any, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "computer_call",
        "action": action,
        "status": status,
        "pending_safety_checks": [],
    }


def written(*actions: Any) -> str:
    return msgspec.json.encode({"actions": actions}).decode()


CLICK = {"type": "click", "x": 1, "y": 2, "button": "left"}

# (name, what the model writes, the action)
MENDED: list[tuple[str, Any, Any]] = [
    ("a click", {"type": "click", "x": 1, "y": 2, "button": "right", "keys": ["CTRL"]}, {"type": "click", "x": 1, "y": 2, "button": "right", "keys": ["CTRL"]}),
    ("a click without a button", {"type": "click", "x": 1, "y": 2}, CLICK),
    ("numbers of another form", {"type": "click", "x": 1.2, "y": "2"}, CLICK),
    ("more than is asked for", {**CLICK, "why": "because"}, CLICK),
    ("two clicks", {"type": "double_click", "x": 1, "y": 2}, {"type": "double_click", "x": 1, "y": 2}),
    ("a drag", {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}, {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}),
    ("keys", {"type": "keypress", "keys": ["CTRL", "C"]}, {"type": "keypress", "keys": ["CTRL", "C"]}),
    ("a move", {"type": "move", "x": 1, "y": 2}, {"type": "move", "x": 1, "y": 2}),
    ("a screenshot", {"type": "screenshot"}, {"type": "screenshot"}),
    ("half a scroll", {"type": "scroll", "scroll_y": 5}, {"type": "scroll", "x": 0, "y": 0, "scroll_x": 0, "scroll_y": 5}),
    ("text", {"type": "type", "text": "ä"}, {"type": "type", "text": "ä"}),
    ("a wait", {"type": "wait"}, {"type": "wait"}),
]  # fmt: skip

# What cannot be carried out.
LEFT_OUT = [
    7,
    "click",
    None,
    [],
    {},
    {"type": "teleport"},
    {"type": "click", "x": 1},
    {"type": "click", "x": "left", "y": 2},
    {"type": "click", "x": 1e300, "y": 2},
    {"type": "click", "x": 1, "y": 2, "button": "middle"},
    {"type": "type"},
    {"type": "keypress", "keys": "CTRL"},
    {"type": "drag", "path": [[1, 2]]},
]


@pytest.mark.parametrize(("given_action", "expected"), [row[1:] for row in MENDED], ids=[row[0] for row in MENDED])  # fmt: skip
def test_an_action_is_shown_as_clients_take_it(given_action: Any, expected: Any) -> None:
    assert item(COMPUTER, written(given_action)) == computer(expected)


@pytest.mark.parametrize("action", LEFT_OUT, ids=str)
def test_what_is_no_action_is_left_out(action: Any) -> None:
    assert item(COMPUTER, written(action, CLICK)) == computer(CLICK)


# (name, arguments, actions)
SHAPES: list[tuple[str, str, list[Any]]] = [
    ("several", written(CLICK, CLICK), [CLICK, CLICK]),
    ("one", msgspec.json.encode({"action": CLICK}).decode(), [CLICK]),
    ("one alone", msgspec.json.encode(CLICK).decode(), [CLICK]),
    ("none", '{"x": 1}', []),
    ("no JSON", "click", []),
    ("too deep to be read", DEEP, []),
]


@pytest.mark.parametrize(("arguments", "expected"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])  # fmt: skip
def test_actions_are_found_where_models_put_them(arguments: str, expected: list[Any]) -> None:
    assert item(COMPUTER, arguments) == computer(*expected)


@given(JSON_VALUES)
def test_the_sdk_understands_whatever_becomes_of_the_arguments(value: Any) -> None:
    shown = item(COMPUTER, msgspec.json.encode({"actions": [value]}).decode())

    ResponseComputerToolCall.model_validate({**shown, "id": "cu_1", "call_id": "call_a"})


def test_the_older_tool_has_one_action() -> None:
    assert item(PREVIEW, written(CLICK, {"type": "wait"})) == preview(CLICK)
    assert item(PREVIEW, msgspec.json.encode(CLICK).decode()) == preview(CLICK)


def test_the_older_tool_looks_at_the_screen_where_there_is_no_action() -> None:
    assert item(PREVIEW, "click") == preview({"type": "screenshot"})


def test_the_older_tool_is_offered_with_one_action() -> None:
    parameters = bytes(toolbox(PREVIEW).offered["computer"].definition.parameters)

    assert (b'"actions"' in parameters, b'"required":["type"]' in parameters) == (False, True)


@pytest.mark.parametrize("tool", [COMPUTER, PREVIEW])
def test_nothing_is_said_of_the_arguments(tool: dict[str, Any]) -> None:
    assert show(tool, '{"actions": ', "[]}") == []


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (COMPUTER, computer(status="in_progress")),
        (PREVIEW, preview({"type": "screenshot"}, "in_progress")),
    ],
)
def test_a_call_is_announced_without_arguments(
    tool: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert added(tool) == expected
