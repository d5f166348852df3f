"""One legal item of every type that the rule book has a row for, and streams of several."""

from collections.abc import Mapping
from typing import Any

from tests.stream.legal_streams import (
    Event,
    function_call,
    item,
    mcp_call,
    mcp_list_tools,
    message,
    phases,
    reasoning,
    run,
    stream,
    summaries,
)


def shell_call() -> list[Event]:
    """Two commands; their events have no item_id, as recorded."""
    commands = ["ls -a", "pwd"]
    name = "response.shell_call_command"
    body = [
        event
        for index, command in enumerate(commands)
        for event in [
            {"type": f"{name}.added", "command": "", "command_index": index},
            *run(name, "command", *command, command_index=index),
        ]
    ]
    added = {"id": "sh_1", "type": "shell_call", "call_id": "call_sh", "action": {"commands": []}}
    events = item(added, {"action": {"commands": commands}}, *body)
    return [{key: event[key] for key in event if key != "item_id"} for event in events]


def shell_call_output() -> list[Event]:
    output = [{"stdout": "hi", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    name = "response.shell_call_output_content"
    return item(
        {"id": "sho_1", "type": "shell_call_output", "call_id": "call_sh", "output": []},
        {"output": output},
        {"type": f"{name}.delta", "command_index": 0, "delta": {"stdout": "hi"}},
        {"type": f"{name}.done", "command_index": 0, "output": output},
    )


def apply_patch_call() -> list[Event]:
    operation = {"type": "create_file", "path": "a.txt", "diff": ""}
    added = {"id": "apc_1", "type": "apply_patch_call", "call_id": "call_ap"}
    return item(
        {**added, "operation": operation},
        {"operation": {**operation, "diff": "+a\n"}},
        *run("response.apply_patch_call_operation_diff", "diff", "+a", "\n"),
    )


def custom_tool_call() -> list[Event]:
    added = {"id": "ct_1", "type": "custom_tool_call", "call_id": "call_ct", "name": "sql"}
    return item(
        {**added, "input": ""},
        {"input": "SELECT 1"},
        *run("response.custom_tool_call_input", "input", "SELECT", " 1"),
    )


def code_interpreter_call() -> list[Event]:
    kind = "code_interpreter_call"
    added = {"id": "ci_1", "type": kind, "container_id": "cntr_1", "code": "", "outputs": None}
    return item(
        added,
        {"code": "1+1"},
        *phases(kind, "in_progress"),
        *run("response.code_interpreter_call_code", "code", "1+", "1"),
        *phases(kind, "interpreting", "completed"),
    )


def hosted(kind: str, *names: str, **fields: Any) -> list[Event]:
    return item({"id": f"{kind}_1", "type": kind, **fields}, {}, *phases(kind, *names))


def whole(kind: str, status: str = "completed", **fields: Any) -> list[Event]:
    """An item that nothing is streamed of."""
    return item({"id": f"{kind}_1", "type": kind, **fields}, {}, status=status)


def output(kind: str, **fields: Any) -> list[Event]:
    """An item that is completed when it is added."""
    return item({"id": f"{kind}_1", "type": kind, **fields}, {}, begun="completed")


def image_generation_call() -> list[Event]:
    kind = "image_generation_call"
    events = hosted(kind, "in_progress", "generating", "partial_image", "completed", result=None)
    events[3] |= {"partial_image_index": 0, "partial_image_b64": "eA=="}
    return events


LEGAL_ITEMS: Mapping[str, list[Event]] = {
    "message": message(),
    "reasoning": reasoning(),
    "function_call": function_call(),
    "custom_tool_call": custom_tool_call(),
    "mcp_list_tools": mcp_list_tools(),
    "mcp_call": mcp_call(),
    "mcp_approval_request": whole(
        "mcp_approval_request", "", server_label="docs", name="search", arguments="{}"
    ),
    "mcp_approval_response": whole(
        "mcp_approval_response", "", approval_request_id="mcpr_1", approve=True
    ),
    "shell_call": shell_call(),
    "shell_call_output": shell_call_output(),
    "apply_patch_call": apply_patch_call(),
    "apply_patch_call_output": output("apply_patch_call_output", call_id="call_ap", output="ok"),
    "local_shell_call": whole(
        "local_shell_call",
        call_id="call_l",
        action={"type": "exec", "command": ["ls"], "env": {}},
    ),
    "local_shell_call_output": whole("local_shell_call_output", output="ok"),
    "tool_search_call": whole("tool_search_call", arguments={"goal": "x"}, execution="client"),
    "tool_search_output": whole("tool_search_output", tools=[], execution="server"),
    "computer_call": whole("computer_call", call_id="call_c", pending_safety_checks=[]),
    "computer_call_output": whole(
        "computer_call_output", call_id="call_c", output={"type": "computer_screenshot"}
    ),
    "web_search_call": hosted(
        "web_search_call",
        "in_progress",
        "searching",
        "completed",
        action={"type": "search", "query": "x"},
    ),
    "file_search_call": hosted(
        "file_search_call", "in_progress", "searching", "completed", queries=[]
    ),
    "code_interpreter_call": code_interpreter_call(),
    "image_generation_call": image_generation_call(),
    "compaction": item(
        {"id": "cmp_1", "type": "compaction", "encrypted_content": "x"},
        {},
        *phases("compaction", "compacting"),
        status="",
    ),
    "program": whole("program", "", call_id="call_p", code="1", fingerprint="x"),
    "program_output": output("program_output", call_id="call_p", result="1"),
    "function_call_output": whole("function_call_output", call_id="call_fc_1", output="1"),
    "custom_tool_call_output": whole("custom_tool_call_output", call_id="call_ct", output="1"),
    "additional_tools": whole("additional_tools", "", role="developer", tools=[]),
}

GOOD = stream(reasoning(), message(), function_call(), summaries(), mcp_list_tools(), mcp_call())
CUT = stream(message(), function_call(status="incomplete"), status="incomplete")
FAILED = stream(message(), function_call(), status="failed")
KEEPALIVE: Event = {"type": "keepalive"}
