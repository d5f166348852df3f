"""What responses said goes back to the model as if the client had sent it."""

import json
from typing import Any, get_args

import pytest

from adapter.translate.items import PlacedItem
from adapter.translate.replay import History, own_input, own_output, read_history
from adapter.translate.request import to_chat_request
from adapter.types.hosted import ListedTool
from adapter.types.input import (
    Call,
    CallOutput,
    CompactionItem,
    McpApprovalRequestItem,
    McpCallItem,
    McpListToolsItem,
    MessageItem,
    ReasoningItem,
)
from adapter.types.items import (
    ApplyPatchCall,
    CodeInterpreterCall,
    Compaction,
    ComputerCall,
    CustomToolCall,
    ExtensionCall,
    FileSearchCall,
    FunctionCall,
    LocalShellAction,
    LocalShellCall,
    Logprob,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    OutputText,
    PatchOperation,
    Reasoning,
    ReasoningText,
    Refusal,
    ShellAction,
    ShellCall,
    SummaryText,
    ToolSearchCall,
    WebSearchCall,
)
from adapter.types.parts import OutputTextPart, ReasoningTextPart, RefusalPart, SummaryTextPart
from tests.translate.requests import PLAIN, request

DONE = "completed"
# One item of every kind, and what it is in history.
ITEMS: list[tuple[str, OutputItem, Any]] = [
    (
        "message",
        Message("msg_1", DONE, content=(OutputText("Hi"), Refusal("No."))),
        MessageItem(
            "assistant",
            [OutputTextPart("Hi"), RefusalPart("No.")],
            id="msg_1",
            status=DONE,
        ),
    ),
    (
        "reasoning",
        Reasoning("rs_1", (SummaryText("s"),), (ReasoningText("t"),), "sealed"),
        ReasoningItem("rs_1", [SummaryTextPart("s")], [ReasoningTextPart("t")], "sealed"),
    ),
    ("function_call", FunctionCall("fc_1", "c", "f", '{"a":1}', DONE), Call("c", "f", '{"a":1}')),
    (
        "function_call in a namespace",
        FunctionCall("fc_1", "c", "f", "{}", DONE, "mcp__n"),
        Call("c", "mcp__n__f", "{}"),
    ),
    (
        "custom_tool_call",
        CustomToolCall("ctc_1", "c", "f", "text", DONE),
        Call("c", "f", {"input": "text"}),
    ),
    (
        "local_shell_call",
        LocalShellCall("lsh_1", "c", LocalShellAction(("ls",)), DONE),
        Call("c", "local_shell", {"command": ["ls"]}),
    ),
    (
        "shell_call",
        ShellCall("sh_1", "c", ShellAction(("ls",)), DONE),
        Call("c", "shell", {"commands": ["ls"]}),
    ),
    (
        "apply_patch_call",
        ApplyPatchCall("apc_1", "c", PatchOperation("create_file", "a", "+b"), DONE),
        Call("c", "apply_patch", {"type": "create_file", "path": "a", "diff": "+b"}),
    ),
    (
        "tool_search_call",
        ToolSearchCall("tsc_1", "c", {"query": "q"}, DONE),
        Call("c", "tool_search", {"query": "q"}),
    ),
    (
        "computer_call",
        ComputerCall("cu_1", "c", ({"type": "wait"},), DONE),
        Call("c", "computer", {"actions": [{"type": "wait"}]}),
    ),
    ("compaction", Compaction("cmp_1", "sealed"), CompactionItem("sealed")),
    (
        "mcp_list_tools",
        McpListTools("mcpl_1", "s", (ListedTool("t", {"type": "object"}),)),
        McpListToolsItem("s", [ListedTool("t", {"type": "object"})]),
    ),
    (
        "mcp_call",
        McpCall("mcp_1", "s", "t", "{}", DONE, output="o", approval_request_id="mcpr_1"),
        McpCallItem("mcp_1", "s", "t", "{}", "o", approval_request_id="mcpr_1"),
    ),
    (
        "mcp_approval_request",
        McpApprovalRequest("mcpr_1", "s", "t", "{}"),
        McpApprovalRequestItem("mcpr_1", "s", "t", "{}"),
    ),
]
# The answer tells what came of them.
SKIPPED: list[OutputItem] = [
    WebSearchCall("ws_1", DONE, {"type": "search", "query": "q"}),
    FileSearchCall("fs_1", DONE, ("q",)),
    CodeInterpreterCall("ci_1", DONE, "1", "cntr_1"),
    ExtensionCall("acme:x_call", "ext_1", DONE, "{}"),
]


@pytest.mark.parametrize(("item", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ITEMS])
def test_output_is_history(item: OutputItem, expected: Any) -> None:
    history = read_history([own_output([item])])

    assert history == History((PlacedItem(expected),))


@pytest.mark.parametrize("item", SKIPPED)
def test_other_hosted_calls_are_no_history(item: OutputItem) -> None:
    assert read_history([own_output([item])]) == History()


def test_every_kind_of_output_is_tried_here() -> None:
    tried = {type(item) for item in [*(item for _, item, _ in ITEMS), *SKIPPED]}

    assert tried == set(get_args(OutputItem))


def test_what_no_model_reads_is_left_out() -> None:
    text = OutputText("Hi", ({"type": "url_citation"},), (Logprob("Hi", -0.1),))

    said = own_output([Message("msg_1", DONE, content=(text,))])

    assert json.loads(said)[0]["content"] == [
        {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
    ]


def test_input_of_any_form_is_history() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "ok"}
    parts = [b'"Hi"', b"", b"null", b"[]", json.dumps([output]).encode()]

    history = read_history(parts)

    assert [placed.item for placed in history.items] == [
        MessageItem("user", "Hi"),
        CallOutput("c", "ok"),
    ]
    assert [placed.at for placed in history.items] == ["", ""]


def test_tools_of_items_are_history() -> None:
    tools = {"type": "additional_tools", "tools": [{"type": "function", "name": "f"}]}

    history = read_history([json.dumps([tools]).encode()])
    offered = to_chat_request(request(), PLAIN, history=history).chat.parameters["tools"]

    assert history.items == ()
    assert [tool.function.name for tool in offered] == ["f"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"input": "Hi"}, b'"Hi"'),
        ({"input": None}, b"null"),
        ({"input": [], "input_items": ["x"]}, b'["x"]'),
        ({"input": "Hi", "input_items": ["x"]}, b'"Hi"'),
        ({"input": "", "input_items": None}, b'""'),
    ],
)
def test_own_input_is_what_is_sent_upstream(fields: dict[str, Any], expected: bytes) -> None:
    assert own_input(request(**fields)) == expected


def test_history_says_that_the_reference_was_found() -> None:
    given = request(previous_response_id="resp_1")

    translation = to_chat_request(given, PLAIN, history=History())

    assert len(translation.chat.messages) == 1


def test_request_that_needs_no_input_may_say_nothing() -> None:
    translation = to_chat_request(request(input=None), PLAIN, needs_input=False)

    assert translation.chat.messages == ()
