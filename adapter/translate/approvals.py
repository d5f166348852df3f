"""Items of MCP servers in the conversation: what each means for the model, and what is to be done.

A call that was made is a call with its output. A request for approval is a call too, and its output
is what came of it: that of the call, if it was approved and made; that it was refused; or nothing
yet. Lists of tools are not shown: they spare another listing.

Source: sheet §4 and §5; OpenAI SDK 3.51 `McpApprovalResponse`.
"""

from collections.abc import Mapping, Sequence, Set

import msgspec

from adapter.tools.names import chat_name
from adapter.tools.toolbox import Toolbox
from adapter.translate.items import PlacedItem
from adapter.types.hosted import ListedTool
from adapter.types.input import (
    Call,
    CallOutput,
    InputItem,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpListToolsItem,
)

_encode = msgspec.json.Encoder().encode

OF_SERVERS: Set[type[InputItem]] = frozenset(
    {McpApprovalRequestItem, McpApprovalResponseItem, McpCallItem, McpListToolsItem}
)
_NO_OUTPUT = "The tool gave no output."
_NOT_APPROVED = "The user has not approved this call, so it was not made."


class Settled(msgspec.Struct, frozen=True):
    """A conversation without items of MCP servers.

    Attributes:
        items: the conversation.
        lists: tools of servers that were listed before, by label.
        approved: calls that were approved and are still to be made.
        unknown: an approval of a request that is not there, or empty.
    """

    items: tuple[PlacedItem, ...]
    lists: Mapping[str, Sequence[ListedTool]] = {}
    approved: tuple[McpApprovalRequestItem, ...] = ()
    unknown: str = ""


def settle(items: Sequence[PlacedItem]) -> Settled:
    """Return what the items of MCP servers mean, of which a conversation may have some."""
    requests = {
        placed.item.id: placed.item
        for placed in items
        if isinstance(placed.item, McpApprovalRequestItem)
    }
    answers = {
        placed.item.approval_request_id: placed.item
        for placed in items
        if isinstance(placed.item, McpApprovalResponseItem)
    }
    made = {
        placed.item.approval_request_id: placed.item
        for placed in items
        if isinstance(placed.item, McpCallItem) and placed.item.approval_request_id
    }
    settled: list[PlacedItem] = []
    lists: dict[str, Sequence[ListedTool]] = {}
    for placed in items:
        match placed.item:
            case McpListToolsItem() as listed:
                if not listed.error:
                    lists[listed.server_label] = listed.tools
            case McpCallItem() as call:
                if call.approval_request_id not in requests:
                    settled += _pair(placed.at, call, _output_of(call))
            case McpApprovalRequestItem() as asked:
                settled += _pair(placed.at, asked, _came_of(asked, answers, made))
            case McpApprovalResponseItem():
                pass  # it is told with its request
            case _:
                settled.append(placed)
    yes = [id for id, answer in answers.items() if answer.approve and id not in made]
    return Settled(
        tuple(settled),
        lists,
        tuple(requests[id] for id in yes if id in requests),
        next((id for id in yes if id not in requests), ""),
    )


def short_call_id(item_id: str) -> str:
    """Return the id of a call in chat completions, where OpenAI's takes 40 characters at most."""
    return f"call_{item_id.partition('_')[2][:24] or item_id[:24]}"


def _pair(at: str, call: McpCallItem | McpApprovalRequestItem, output: str) -> list[PlacedItem]:
    call_id = short_call_id(call.id)
    made = Call(call_id, call.name, call.arguments, server_label=call.server_label)
    return [PlacedItem(made, at), PlacedItem(CallOutput(call_id, output), at)]


def _came_of(
    asked: McpApprovalRequestItem,
    answers: Mapping[str, McpApprovalResponseItem],
    made: Mapping[str, McpCallItem],
) -> str:
    if asked.id in made:
        return _output_of(made[asked.id])
    answer = answers.get(asked.id)
    if answer is None or answer.approve:
        return _NOT_APPROVED if answer is None else _NO_OUTPUT
    return f"{_NOT_APPROVED} Reason: {answer.reason}" if answer.reason else _NOT_APPROVED


def _output_of(call: McpCallItem) -> str:
    """Return what the model is told of a call."""
    if call.error:
        message = call.error if isinstance(call.error, str) else _encode(call.error).decode()
        return f"The call failed: {message}"
    return call.output if call.output is not None else _NO_OUTPUT


def with_chat_names(items: Sequence[PlacedItem], toolbox: Toolbox) -> list[PlacedItem]:
    """Return the items with the names under which the model knows the tools of servers."""
    names = {
        (tool.server_label, tool.name): name
        for name, tool in toolbox.offered.items()
        if tool.server_label
    }
    return [
        _named(placed, placed.item, names)
        if type(placed.item) is Call and placed.item.server_label
        else placed
        for placed in items
    ]


def _named(placed: PlacedItem, call: Call, names: Mapping[tuple[str, str], str]) -> PlacedItem:
    name = names.get((call.server_label, call.name)) or chat_name(call.name)
    return PlacedItem(msgspec.structs.replace(call, name=name), placed.at)
