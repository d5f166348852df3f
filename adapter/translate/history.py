"""Calls, outputs and messages of agents, as chat completions have them: one row each.

A tool that is offered as a function (`adapter.tools`) has its calls in history as calls of that
function, with the arguments that the chat model had written.

Source: sheet §4; OpenAI SDK 3.51 input items.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from adapter.tools.custom import wrap_input
from adapter.tools.names import chat_name
from adapter.types.input import (
    AgentMessageItem,
    ApplyPatchCallItem,
    ApplyPatchCallOutputItem,
    Call,
    CallOutput,
    ComputerCallItem,
    ComputerCallOutputItem,
    Content,
    CustomToolCallItem,
    CustomToolCallOutputItem,
    EncryptedPart,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputItem,
    LocalShellCallItem,
    LocalShellCallOutputItem,
    MessageItem,
    ShellCallItem,
    ShellCallOutputItem,
    ToolSearchCallItem,
    ToolSearchOutputItem,
)
from adapter.types.parts import InputImage, InputText, Part

_encode = msgspec.json.Encoder().encode


# What OpenAI's models seal is a Fernet token.
_SEALED = re.compile(r"gAAAA[\w=-]{80,}")


class ItemRow(msgspec.Struct, frozen=True):
    """How an item of one type is read.

    Attributes:
        kind: what it is decoded to.
        decoder: of the item by itself.
        convert: that to what it means, or to None if there is no way to show it; None if it means
            itself.
    """

    kind: type[Any]
    decoder: msgspec.json.Decoder[Any]
    convert: Callable[[Any], InputItem | None] | None


def item_row(kind: type[Any], convert: Callable[[Any], InputItem | None] | None = None) -> ItemRow:
    """Return the row of a type of items."""
    return ItemRow(kind, msgspec.json.Decoder(kind), convert)


def _function_call(item: FunctionCallItem) -> Call:
    name = chat_name(item.name, item.namespace)
    return Call(item.call_id, name, item.arguments, item.extra_content)


def _function_output(item: FunctionCallOutputItem) -> CallOutput:
    name = chat_name(item.name, item.namespace) if item.name else ""
    return CallOutput(item.call_id, item.output, name)


def _custom_call(item: CustomToolCallItem) -> Call:
    return Call(item.call_id, chat_name(item.name, item.namespace), wrap_input(item.input))


def _local_shell_call(item: LocalShellCallItem) -> Call:
    action = {name: value for name, value in item.action.items() if name != "type" and value}
    return Call(item.call_id, "local_shell", action)


def _shell_call(item: ShellCallItem) -> Call:
    action = {name: value for name, value in item.action.items() if value is not None}
    return Call(item.call_id, "shell", action)


def _shell_output(item: ShellCallOutputItem) -> CallOutput:
    if not isinstance(item.output, list):
        return CallOutput(item.call_id, item.output)
    texts = []
    for output in item.output:
        outcome = output.outcome or {}
        texts.append(output.stdout or "")
        if output.stderr:
            texts.append(f"[stderr]\n{output.stderr}")
        if outcome.get("type") == "timeout":
            texts.append("[timed out]")
        elif outcome.get("exit_code"):
            texts.append(f"[exit code {outcome['exit_code']}]")
    return CallOutput(item.call_id, "\n".join(filter(None, texts)))


def _apply_patch_call(item: ApplyPatchCallItem) -> Call:
    operation = {name: value for name, value in item.operation.items() if value is not None}
    return Call(item.call_id, "apply_patch", operation)


def _apply_patch_output(item: ApplyPatchCallOutputItem) -> CallOutput:
    return CallOutput(item.call_id, item.output or item.status or "completed")


def _search_call(item: ToolSearchCallItem) -> Call | None:
    if item.call_id is None:  # the server searched by itself
        return None
    return Call(item.call_id, "tool_search", item.arguments)


def _search_output(item: ToolSearchOutputItem) -> CallOutput | None:
    """Return the names of what was found; the tools themselves are offered from now on."""
    if item.call_id is None:
        return None
    names = [name for tool in item.tools for name in _names(tool)]
    return CallOutput(item.call_id, f"Tools found: {', '.join(names) or 'none'}.")


def _names(tool: dict[str, Any]) -> list[str]:
    name, inner = _name(tool), tool.get("tools")
    if tool.get("type") != "namespace" or not isinstance(inner, list):
        return [chat_name(name)]
    return [chat_name(_name(child), name) for child in inner if isinstance(child, dict)]


def _name(tool: dict[str, Any]) -> str:
    """Return its name; a tool without one is known by its type."""
    return next((tool[key] for key in ("name", "type") if isinstance(tool.get(key), str)), "")


def _computer_call(item: ComputerCallItem) -> Call:
    actions = item.actions if item.actions is not None else [item.action or {}]
    return Call(item.call_id, "computer", {"actions": actions})


def _computer_output(item: ComputerCallOutputItem) -> CallOutput:
    image = InputImage(image_url=item.output.image_url, file_id=item.output.file_id)
    content: Content = [image]
    return CallOutput(item.call_id, content)


def _agent_message(item: AgentMessageItem) -> MessageItem | None:
    """Return a user message, because it is what the agent is asked, or told by those it asked."""
    parts = [part for part in map(_readable, item.content) if part is not None]
    return MessageItem("user", parts) if parts else None


def _readable(part: Part | EncryptedPart) -> Part | None:
    if not isinstance(part, EncryptedPart):
        return part
    text = part.encrypted_content
    return None if _SEALED.fullmatch(text) else InputText(text)


HISTORY: dict[str, ItemRow] = {
    "agent_message": item_row(AgentMessageItem, _agent_message),
    "function_call": item_row(FunctionCallItem, _function_call),
    "function_call_output": item_row(FunctionCallOutputItem, _function_output),
    "custom_tool_call": item_row(CustomToolCallItem, _custom_call),
    "custom_tool_call_output": item_row(
        CustomToolCallOutputItem, lambda item: CallOutput(item.call_id, item.output)
    ),
    "local_shell_call": item_row(LocalShellCallItem, _local_shell_call),
    "local_shell_call_output": item_row(
        LocalShellCallOutputItem, lambda item: CallOutput(item.call_id or item.id, item.output)
    ),
    "shell_call": item_row(ShellCallItem, _shell_call),
    "shell_call_output": item_row(ShellCallOutputItem, _shell_output),
    "apply_patch_call": item_row(ApplyPatchCallItem, _apply_patch_call),
    "apply_patch_call_output": item_row(ApplyPatchCallOutputItem, _apply_patch_output),
    "tool_search_call": item_row(ToolSearchCallItem, _search_call),
    "tool_search_output": item_row(ToolSearchOutputItem, _search_output),
    "computer_call": item_row(ComputerCallItem, _computer_call),
    "computer_call_output": item_row(ComputerCallOutputItem, _computer_output),
}
