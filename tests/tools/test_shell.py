"""Shells are functions with command lines; their calls are shown as actions."""

from typing import Any

import pytest

from tests.tools.calls import added, item, show, toolbox

SHELL, LOCAL = {"type": "shell"}, {"type": "local_shell"}


def shell(*commands: str, **limits: Any) -> dict[str, Any]:
    action = {"commands": list(commands), "timeout_ms": None, "max_output_length": None, **limits}
    return {"type": "shell_call", "action": action, "status": "completed"}


def local(*command: str, **fields: Any) -> dict[str, Any]:
    """Return the item; Vercel's AI SDK takes no null in it."""
    action = {"type": "exec", "command": list(command), "env": {}, **fields}
    return {"type": "local_shell_call", "action": action, "status": "completed"}


@pytest.mark.parametrize("tool", [SHELL, LOCAL])
def test_a_shell_is_offered_under_the_name_of_its_type(tool: dict[str, Any]) -> None:
    assert list(toolbox(tool).offered) == [tool["type"]]


# (name, arguments, item)
SHELL_CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("commands", '{"commands": ["ls", "pwd"]}', shell("ls", "pwd")),
    (
        "everything",
        '{"commands": ["ls"], "timeout_ms": 5, "max_output_length": 6}',
        shell("ls", timeout_ms=5, max_output_length=6),
    ),
    ("commands as text", '{"commands": "ls"}', shell("ls")),
    ("under the other name", '{"command": ["ls"]}', shell("ls")),
    ("under the other name, as text", '{"command": "ls"}', shell("ls")),
    ("an empty command", '{"commands": [""]}', shell("")),
    ("nothing", "{}", shell()),
    ("no JSON", "ls -l", shell("ls -l")),
    ("a wrong type", '{"commands": 7}', shell('{"commands": 7}')),
    ("no arguments", "", shell()),
    ("too deep", "[" * 100_000, shell("[" * 100_000)),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [pytest.param(*case, id=name) for name, *case in SHELL_CALLS]
)
def test_a_shell_call_has_commands(arguments: str, expected: dict[str, Any]) -> None:
    assert item(SHELL, arguments) == expected


def test_the_commands_of_a_shell_call_are_said_one_by_one() -> None:
    assert show(SHELL, '{"commands": ["ls', '", ""]}') == [
        ("shell_call_command.added", ""),
        ("shell_call_command.delta", "ls"),
        ("shell_call_command.done", "ls"),
        ("shell_call_command.added", ""),
        ("shell_call_command.done", ""),
    ]


def test_a_shell_call_that_was_cut_is_incomplete() -> None:
    found = item(SHELL, '{"commands": ["rm -r', finish_reason="length")

    assert found["status"] == "incomplete"


# (name, arguments, item)
LOCAL_CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("a command", '{"command": ["ls", "-l"]}', local("ls", "-l")),
    (
        "everything",
        '{"command": ["ls"], "env": {"A": "b"}, "timeout_ms": 5, "working_directory": "/"}',
        local("ls", env={"A": "b"}, timeout_ms=5, working_directory="/"),
    ),
    ("a command line", '{"command": "ls -l"}', local("sh", "-c", "ls -l")),
    ("nothing", "{}", local()),
    ("no JSON", "ls -l", local("sh", "-c", "ls -l")),
    ("no arguments", " ", local()),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [pytest.param(*case, id=name) for name, *case in LOCAL_CALLS]
)
def test_a_local_shell_call_has_one_command(arguments: str, expected: dict[str, Any]) -> None:
    assert item(LOCAL, arguments) == expected


def test_a_local_shell_call_has_no_events_of_its_own() -> None:
    assert show(LOCAL, '{"command": ["ls"]}') == []


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (SHELL, {**shell(), "status": "in_progress"}),
        (LOCAL, {**local(), "status": "in_progress"}),
    ],
)
def test_a_call_is_announced_without_a_command(
    tool: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert added(tool) == expected
