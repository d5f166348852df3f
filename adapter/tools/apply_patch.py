"""`apply_patch`: a function with one operation on a file, which the client carries out.

Source: sheet §5 and §7.2; OpenAI's recorded streams (the diff has events of its own).
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import ApplyPatchDiffDelta, ApplyPatchDiffDone, Event
from adapter.types.items import ApplyPatchCall, ItemStatus, PatchOperation

_APPLY_PATCH = ChatFunctionDefinition(
    name="apply_patch",
    description="Create, update or delete one file. `diff` is a V4A diff: for a new file every "
    "line begins with `+`; for an update each change begins with a line `@@`, with context lines "
    "that begin with a blank, removed lines with `-` and added lines with `+`.",
    parameters=Raw(
        b'{"type":"object","properties":{'
        b'"type":{"type":"string","enum":["create_file","update_file","delete_file"]},'
        b'"path":{"type":"string","description":"Path of the file, relative to the workspace."},'
        b'"diff":{"type":"string","description":"Not needed for delete_file."}},'
        b'"required":["type","path"]}'
    ),
)


class _Arguments(msgspec.Struct, frozen=True):
    type: Literal["create_file", "update_file", "delete_file"] = "update_file"
    path: str = ""
    diff: str | None = None
    operation: "_Arguments | None" = None  # as the item has it


_arguments = msgspec.json.Decoder(_Arguments)


class ApplyPatchCallWriter:
    """Says the diff once it is whole."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> ApplyPatchCall:
        return self._item(PatchOperation("update_file", "", ""), "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing yet: the operation comes first, and it may be written last."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> ApplyPatchCall:
        operation = _operation(arguments)
        place = self._place
        if isinstance(operation.diff, str):
            where = (place.id, place.output_index)
            if operation.diff:
                events.append(ApplyPatchDiffDelta(place.number(), *where, operation.diff))
            events.append(ApplyPatchDiffDone(place.number(), *where, operation.diff))
        return self._item(operation, status)

    def _item(self, operation: PatchOperation, status: ItemStatus) -> ApplyPatchCall:
        return ApplyPatchCall(
            self._place.id,
            self._place.call_id,
            operation,
            "completed" if status == "completed" else "in_progress",
        )


APPLY_PATCH_CALL = CallKind(id_prefix="apc", writer=ApplyPatchCallWriter)


def offer_apply_patch() -> OfferedTool:
    """Return the function that stands for the `apply_patch` tool."""
    return OfferedTool(_APPLY_PATCH, APPLY_PATCH_CALL, _APPLY_PATCH.name)


def _operation(arguments: str) -> PatchOperation:
    """Return the operation; what is no JSON is taken for a diff, which the client will refuse."""
    try:
        given: Any = _arguments.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return PatchOperation("update_file", "", arguments)
    given = given.operation or given
    if given.type == "delete_file":
        return PatchOperation("delete_file", given.path, UNSET)
    return PatchOperation(given.type, given.path, given.diff or "")
