"""Calls that are to be made here, and what has to wait for them.

The calls of a turn are made together, but said one after the other, because one item is open at a
time: what stands behind a call waits, in groups, until it is said what came of that call.
"""

from collections.abc import Callable, Sequence

import msgspec

from adapter.stream.deltas import CallDelta, Delta
from adapter.tools.kinds import OfferedTool


class PendingCall(msgspec.Struct, frozen=True):
    """A call that is to be made here.

    Attributes:
        tool: the tool.
        arguments: JSON, if the model wrote it well.
        id: of its item; empty while another call is said first.
    """

    tool: OfferedTool
    arguments: str
    id: str = ""


class ApprovedCall(msgspec.Struct, frozen=True):
    """A call of an earlier response that the client has approved.

    Attributes:
        tool: the tool, to be called without asking again.
        arguments: as the model wrote them.
        approval_request_id: of the request for approval.
    """

    tool: OfferedTool
    arguments: str
    approval_request_id: str


def in_turn(waiting: Sequence[Delta]) -> list[list[Delta]]:
    """Return what waited, the pieces of each call together, in the order of first sight."""
    groups: list[list[Delta]] = []
    calls: dict[int, list[Delta]] = {}
    for delta in waiting:
        if isinstance(delta, CallDelta):
            if delta.slot not in calls:
                calls[delta.slot] = []
                groups.append(calls[delta.slot])
            calls[delta.slot].append(delta)
        elif groups and not isinstance(groups[-1][0], CallDelta):
            groups[-1].append(delta)
        else:
            groups.append([delta])
    return groups


def hosted_call(
    group: Sequence[Delta], find_tool: Callable[[int, str], OfferedTool]
) -> PendingCall | None:
    """Return the call that a group is, if it is to be made here.

    Args:
        group: what waits.
        find_tool: (slot, name) to the tool that is meant.
    """
    calls = [delta for delta in group if isinstance(delta, CallDelta)]
    name = next((call.name for call in calls if call.name), "")
    if not name:
        return None
    tool = find_tool(calls[0].slot, name)
    if not tool.kind.is_hosted:
        return None
    return PendingCall(tool, "".join(call.arguments for call in calls))
