"""Calls and outputs of every kind are shown to the model as calls of the function that it knows."""

import json
from typing import Any

import pytest

from adapter.translate.history import HISTORY
from tests.translate.requests import messages, refusal, translate

ID = {"call_id": "c"}
CALL: dict[str, Any] = {"type": "function_call", **ID, "name": "f", "arguments": "{}"}
OUTPUT: dict[str, Any] = {"type": "function_call_output", **ID, "output": "ok"}

# (name, call, function, arguments)
CALLS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("function_call", CALL, "f", {}),
    (
        "function_call of a namespace",
        {**CALL, "namespace": "n", "arguments": '{"a": 1}'},
        "n__f",
        {"a": 1},
    ),
    (
        "custom_tool_call",
        {"type": "custom_tool_call", **ID, "name": "w", "input": "*** Begin\n"},
        "w",
        {"input": "*** Begin\n"},
    ),
    (
        "custom_tool_call of a namespace",
        {"type": "custom_tool_call", **ID, "name": "w", "namespace": "n", "input": ""},
        "n__w",
        {"input": ""},
    ),
    (
        "local_shell_call",
        {
            "type": "local_shell_call",
            **ID,
            "action": {"type": "exec", "command": ["ls"], "env": {}, "user": None},
        },
        "local_shell",
        {"command": ["ls"]},
    ),
    (
        "shell_call",
        {
            "type": "shell_call",
            **ID,
            "action": {"commands": ["ls", "pwd"], "timeout_ms": 0, "max_output_length": None},
        },
        "shell",
        {"commands": ["ls", "pwd"], "timeout_ms": 0},
    ),
    (
        "apply_patch_call",
        {
            "type": "apply_patch_call",
            **ID,
            "operation": {"type": "delete_file", "path": "a", "diff": None},
        },
        "apply_patch",
        {"type": "delete_file", "path": "a"},
    ),
    (
        "tool_search_call",
        {"type": "tool_search_call", **ID, "arguments": {"query": "a"}},
        "tool_search",
        {"query": "a"},
    ),
    (
        "computer_call",
        {"type": "computer_call", **ID, "actions": [{"type": "screenshot"}]},
        "computer",
        {"actions": [{"type": "screenshot"}]},
    ),
    (
        "computer_call with one action",
        {"type": "computer_call", **ID, "action": {"type": "wait"}},
        "computer",
        {"actions": [{"type": "wait"}]},
    ),
    (
        "computer_call without an action",
        {"type": "computer_call", **ID},
        "computer",
        {"actions": [{}]},
    ),
]


@pytest.mark.parametrize(
    ("call", "name", "arguments"), [pytest.param(*case, id=name) for name, *case in CALLS]
)
def test_a_call_of_any_kind_is_one_of_a_function(
    call: dict[str, Any], name: str, arguments: Any
) -> None:
    function = messages([call, OUTPUT])[0]["tool_calls"][0]["function"]

    assert (function["name"], json.loads(function["arguments"])) == (name, arguments)


def shell(**fields: Any) -> dict[str, Any]:
    return {"type": "shell_call_output", **ID, "output": [fields]}


# (name, output, what the model is told)
OUTPUTS: list[tuple[str, dict[str, Any], Any]] = [
    ("function_call_output", OUTPUT, "ok"),
    ("custom_tool_call_output", {"type": "custom_tool_call_output", **ID, "output": "ok"}, "ok"),
    ("local_shell_call_output", {"type": "local_shell_call_output", **ID, "output": "ok"}, "ok"),
    (
        "local_shell_call_output as the SDK types it",
        {"type": "local_shell_call_output", "id": "c", "output": "ok"},
        "ok",
    ),
    ("shell_call_output", shell(stdout="ok", outcome={"type": "exit", "exit_code": 0}), "ok"),
    (
        "shell_call_output with everything",
        shell(stdout="a", stderr="b", outcome={"type": "exit", "exit_code": 2}),
        "a\n[stderr]\nb\n[exit code 2]",
    ),
    ("shell_call_output that took too long", shell(outcome={"type": "timeout"}), "[timed out]"),
    ("shell_call_output without anything", shell(), ""),
    (
        "shell_call_output of several commands",
        {"type": "shell_call_output", **ID, "output": [{"stdout": "a"}, {"stdout": "b"}]},
        "a\nb",
    ),
    ("shell_call_output as text", {"type": "shell_call_output", **ID, "output": "ok"}, "ok"),
    ("shell_call_output of null", {"type": "shell_call_output", **ID, "output": None}, ""),
    (
        "apply_patch_call_output",
        {"type": "apply_patch_call_output", **ID, "status": "failed", "output": "no"},
        "no",
    ),
    (
        "apply_patch_call_output without words",
        {"type": "apply_patch_call_output", **ID, "status": "failed"},
        "failed",
    ),
    ("apply_patch_call_output without anything", {"type": "apply_patch_call_output", **ID}, "completed"),
    (
        "tool_search_output",
        {
            "type": "tool_search_output",
            **ID,
            "tools": [
                {"type": "function", "name": "f"},
                {"type": "web_search"},
                {
                    "type": "namespace",
                    "name": "n",
                    "tools": [{"type": "function", "name": "g"}, {"type": "shell"}],
                },
                {"type": "namespace", "name": "m"},
            ],
        },
        "Tools found: f, web_search, n__g, n__shell, m.",
    ),
    (
        "tool_search_output without tools",
        {"type": "tool_search_output", **ID, "tools": []},
        "Tools found: none.",
    ),
    (
        "computer_call_output",
        {
            "type": "computer_call_output",
            **ID,
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA=="},
        },
        "(see the next message)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("output", "expected"), [pytest.param(*case, id=name) for name, *case in OUTPUTS]
)
def test_an_output_of_any_kind_is_one_of_a_tool(output: dict[str, Any], expected: str) -> None:
    found = messages([CALL, output])

    assert found[1] == {"role": "tool", "content": expected, "tool_call_id": "c"}


def test_every_row_is_tried() -> None:
    tried = {item["type"] for _, item, *_ in [*CALLS, *OUTPUTS]}

    assert tried | {"agent_message"} == HISTORY.keys()


def test_a_screenshot_follows_in_a_user_message() -> None:
    screenshot = {"image_url": "data:image/png;base64,AA=="}
    found = messages([CALL, {"type": "computer_call_output", **ID, "output": screenshot}])

    assert [part["type"] for part in found[2]["content"]] == ["text", "image_url"]


def test_a_screenshot_in_a_file_is_refused_by_its_path() -> None:
    screenshot = {"file_id": "file_1"}
    found = refusal(input=[CALL, {"type": "computer_call_output", **ID, "output": screenshot}])

    assert found[1] == "input[1].output[0].file_id"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "tool_search_call", "call_id": None, "arguments": {}},
        {"type": "tool_search_output", "tools": []},
    ],
)
def test_a_search_of_the_server_is_not_shown(item: dict[str, Any]) -> None:
    assert messages([{"role": "user", "content": "Hi"}, item]) == [
        {"role": "user", "content": "Hi"}
    ]


@pytest.mark.parametrize("item_type", ["tool_search_output", "additional_tools"])
def test_tools_that_an_item_brings_are_offered(item_type: str) -> None:
    item = {"type": item_type, "tools": [{"type": "function", "name": "f"}]}
    translation = translate(input=[{"role": "user", "content": "Hi"}, item])

    assert (list(translation.toolbox.offered), translation.dropped) == (["f"], ())


def agent_message(*content: Any) -> dict[str, Any]:
    """Return what Codex 0.169 tells a sub-agent."""
    return {
        "type": "agent_message",
        "id": "amsg_1",
        "author": "/root",
        "recipient": "/root/who",
        "content": list(content),
    }


TASK = {"type": "input_text", "text": "Message Type: NEW_TASK\nPayload:\n"}
SEALED = {"type": "encrypted_content", "encrypted_content": "gAAAAABpH0" + "x-_Y" * 40 + "=="}


def test_what_an_agent_tells_another_is_a_user_message() -> None:
    plain = {"type": "encrypted_content", "encrypted_content": "Who are you?"}

    assert messages([agent_message(TASK, plain)]) == [
        {"role": "user", "content": "Message Type: NEW_TASK\nPayload:\nWho are you?"}
    ]


def test_what_only_models_of_openai_can_read_is_not_shown() -> None:
    assert messages([agent_message(TASK, SEALED)]) == [{"role": "user", "content": TASK["text"]}]


def test_an_agent_s_message_without_a_word_is_left_out_and_reported() -> None:
    translation = translate(input=[agent_message(SEALED), {"role": "user", "content": "Hi"}])

    assert (len(translation.chat.messages), translation.dropped) == (1, ("input[0]",))


def test_a_message_between_a_call_and_its_output_does_not_part_them() -> None:
    roles = [each["role"] for each in messages([CALL, agent_message(TASK), OUTPUT])]

    assert roles == ["assistant", "tool", "user"]
