"""Calls that are made here: whatever the model writes around them, the stream is legal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapter.errors import UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.grammar import check
from adapter.stream.machine import ResponseStream
from adapter.tools.hosted import offer_hosted
from adapter.tools.kinds import OfferedTool
from adapter.tools.mcp import MCP_APPROVAL, MCP_CALL
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.hosted import ListedTool, ToolResult, failure
from adapter.types.items import McpListTools, Message
from tests.stream.responses import NOW, as_json, new_stream
from tests.test_properties import bounded


def _mcp(name: str, kind: object) -> OfferedTool:
    definition = ChatFunctionDefinition(name=name, parameters=Raw(b"{}"))
    return OfferedTool(definition, kind, name, server_label="s")  # type: ignore[arg-type]  # a CallKind


TOOLS = {
    "made": _mcp("made", MCP_CALL),
    "asked": _mcp("asked", MCP_APPROVAL),
    **{
        type_: offer_hosted(type_, ListedTool(type_, {}))
        for type_ in ("web_search", "file_search", "code_interpreter")
    },
    "acme_x": offer_hosted("acme:x", ListedTool("x", {})),
}
RESULTS = st.sampled_from([ToolResult("Done."), failure("http_error", "Gone.", 404)])
NAMES = st.sampled_from([*TOOLS, "function", ""])
CALLS = st.builds(
    CallDelta,
    st.integers(0, 4),
    st.just(""),
    NAMES,
    st.sampled_from(["", "{", '{"query":"a"}', '"x"', '{"code":"1"}']),
)
TEXTS = st.builds(TextDelta, st.sampled_from(["Hi", " ", "https://a.example"]))
TURN = st.lists(st.one_of(CALLS, CALLS, TEXTS, st.just(ReasoningDelta("Hm."))), max_size=12)
REASONS = st.sampled_from(["stop", "tool_calls", "length", "content_filter", None])


def _stream() -> ResponseStream:
    return new_stream(tools=TOOLS)


@bounded
@given(st.lists(st.tuples(TURN, REASONS), min_size=1, max_size=3), st.data())
def test_every_stream_is_legal(
    turns: list[tuple[list[Delta], str | None]], data: st.DataObject
) -> None:
    stream = _stream()
    events: list[Event] = stream.start()
    try:
        for deltas, reason in turns:
            events += stream.feed(deltas) + stream.end_turn(reason)
            calls = len(stream.pending_calls)
            for left in range(calls, 0, -1):
                assert len(stream.pending_calls) == left
                events += stream.resolve(data.draw(RESULTS))
            assert stream.pending_calls == []
            if not calls or stream.client_calls:
                break
        events += stream.finish(NOW)
    except UpstreamError as error:
        events += stream.fail(error)

    assert check(as_json(events)) == []


@bounded
@given(TURN, st.integers(0, 3))
def test_a_failure_is_legal_at_any_call(deltas: list[Delta], resolved: int) -> None:
    stream = _stream()
    events = stream.start() + stream.feed(deltas)
    try:
        events += stream.end_turn("tool_calls")
        for _ in range(min(resolved, len(stream.pending_calls))):
            events += stream.resolve(ToolResult("Done."))
        error = UpstreamError("Gone.")
    except UpstreamError as exc:
        error = exc
    events += stream.fail(error)

    assert check(as_json(events)) == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_list_can_be_broken_off(fails: bool) -> None:
    stream = _stream()
    events = stream.start() + stream.begin_list("s")
    if fails:
        events += stream.end_list("No such server.")
    events += stream.fail(UpstreamError("Gone."))

    assert check(as_json(events)) == []


def test_a_list_takes_no_deltas() -> None:
    stream = _stream()
    events = stream.start() + stream.begin_list("s")
    events += stream.feed([TextDelta("Hello")])
    events += stream.end_turn("stop") + stream.finish(0)

    assert check(as_json(events)) == []
    assert [type(item) for item in stream.output] == [McpListTools, Message]


def test_what_comes_behind_a_call_waits_for_it() -> None:
    stream = _stream()
    stream.start()
    stream.feed([CallDelta(0, "", "made", "{}"), CallDelta(1, "", "function", "{}")])

    before = stream.end_turn("tool_calls")
    after = stream.resolve(ToolResult("Done."))

    added = [event["item"]["type"] for event in as_json(after) if "added" in event["type"]]
    assert as_json(before)[-1]["type"] == "response.mcp_call_arguments.done"
    assert added == ["function_call"]
    assert stream.client_calls == 1
