"""Calls of tools as the chat model writes them, and what the client sees of them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from adapter.stream.deltas import CallDelta
from adapter.stream.grammar import check
from adapter.tools.toolbox import Toolbox, open_toolbox
from tests.stream.responses import NOW, as_json, new_stream


def toolbox(*tools: Any) -> Toolbox:
    return open_toolbox([Raw(msgspec.json.encode(tool)) for tool in tools])


def events_of(tool: Any, pieces: Sequence[str], *, finish_reason: str) -> list[dict[str, Any]]:
    """Return the events for a call of a tool, whose arguments come in pieces."""
    offered = toolbox(tool).offered
    stream = new_stream(tools=offered)
    events = stream.start() + stream.feed([CallDelta(0, "call_a", *offered, "")])
    for piece in pieces:
        events += stream.feed([CallDelta(0, "", "", piece)])
    events += stream.end_turn(finish_reason) + stream.finish(NOW)
    found = as_json(events)
    assert check(found) == []
    return found


def show(tool: Any, *pieces: str, finish_reason: str = "tool_calls") -> list[tuple[str, Any]]:
    """Return type and what is said of the events between the first of the item and the last."""
    events = events_of(tool, pieces, finish_reason=finish_reason)[3:-2]
    return [(event["type"].removeprefix("response."), _said(event)) for event in events]


def item(tool: Any, *pieces: str, finish_reason: str = "tool_calls") -> dict[str, Any]:
    """Return the item for a call, without its ids."""
    events = events_of(tool, pieces, finish_reason=finish_reason)
    whole: dict[str, Any] = events[-1]["response"]["output"][0]
    assert (whole.pop("id"), whole.pop("call_id")) == (events[2]["item"]["id"], "call_a")
    return whole


def added(tool: Any) -> dict[str, Any]:
    """Return the item as it is announced, without its ids."""
    announced: dict[str, Any] = events_of(tool, ["{}"], finish_reason="tool_calls")[2]["item"]
    return {key: announced[key] for key in announced if key not in {"id", "call_id"}}


def _said(event: dict[str, Any]) -> Any:
    keys = ("delta", "arguments", "input", "command", "diff")
    return next(event[key] for key in keys if key in event)
