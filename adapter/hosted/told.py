"""What the model is told, in a next turn, of the calls that were made here for a response."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from adapter.stream.pending import PendingCall
from adapter.translate.approvals import short_call_id
from adapter.translate.items import PlacedItem, read_input
from adapter.translate.replay import own_output
from adapter.types.hosted import ToolResult
from adapter.types.input import Call, CallOutput
from adapter.types.items import McpCall, OutputItem
from adapter.types.parts import InputText


class MadeCall(msgspec.Struct, frozen=True):
    """A call that was made.

    Attributes:
        turn: in which the model asked for it.
        call: the call.
        result: what came of it.
    """

    turn: int
    call: PendingCall
    result: ToolResult


class MadeCalls(dict[str, MadeCall]):
    """The calls of one response, by the ids of their items."""

    def told(self, output: Sequence[OutputItem]) -> tuple[PlacedItem, ...]:
        """Return what the response has said, and what came of its calls.

        Calls of one turn stand together, and then what came of them.

        Args:
            output: what it has said.
        """
        placed: list[PlacedItem] = []
        turn, calls = 0, 0  # the turn of the last calls, and how many there are of it
        for item in output:
            made = self._of(item)
            if made is None:
                placed += read_input(Raw(own_output([item])), "output").items
                turn = 0
                continue
            calls = calls + 1 if made.turn == turn else 1
            turn = made.turn
            call, answer = _as_items(item.id, made)
            placed.insert(len(placed) - (calls - 1), call)
            placed.append(answer)
        return tuple(placed)

    def _of(self, item: OutputItem) -> MadeCall | None:
        """Return a call that was made; one that was approved is told in its request's place."""
        if isinstance(item, McpCall) and item.approval_request_id:
            return None
        return self.get(item.id)


def _as_items(item_id: str, made: MadeCall) -> tuple[PlacedItem, PlacedItem]:
    """Return a call and its output, with more than the item itself can say."""
    call_id, result = short_call_id(item_id), made.result
    output = f"The call failed: {result.output}" if result.error else result.output
    content = [InputText(output), *result.content] if result.content else output
    return (
        PlacedItem(Call(call_id, made.call.tool.definition.name, made.call.arguments)),
        PlacedItem(CallOutput(call_id, content)),
    )
