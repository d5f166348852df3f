"""The rule book takes legal streams, and its checker can be used as it says.

What it refuses is in `test_grammar_broken.py`; what was recorded, in `test_grammar_recorded.py`.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.stream.grammar import GrammarError, Rule, StreamChecker, check
from adapter.stream.grammar.rows import ITEMS, TEXTS, item_table
from tests.stream.broken_streams import (
    changed,
    drop,
    insert,
    put,
    put_output,
    repeat,
)
from tests.stream.legal_items import CUT, FAILED, GOOD, KEEPALIVE, LEGAL_ITEMS, hosted
from tests.stream.legal_streams import (
    Event,
    function_call,
    item,
    mcp_call,
    mcp_list_tools,
    phases,
    reasoning,
    stream,
)


def test_every_item_type_has_a_legal_example() -> None:
    assert LEGAL_ITEMS.keys() == ITEMS.keys()


@pytest.mark.parametrize("kind", ITEMS)
def test_each_item_type_is_legal(kind: str) -> None:
    assert check(stream(LEGAL_ITEMS[kind])) == []


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(GOOD, id="many items"),
        pytest.param(CUT, id="a call that was cut"),
        pytest.param(FAILED, id="failed behind whole items"),
        pytest.param(stream(), id="no items"),
        pytest.param(stream(queued=True), id="queued first"),
        pytest.param(stream(reasoning(name="reasoning")), id="Open Responses' reasoning events"),
        pytest.param(stream(mcp_list_tools("failed"), mcp_call("failed")), id="MCP failed"),
        pytest.param(
            stream(hosted("vendor:search", "done")), id="an item of an extension type, done"
        ),
        pytest.param(changed(GOOD, insert(KEEPALIVE, "in_progress")), id="keepalive at the start"),
        pytest.param(changed(GOOD, insert(KEEPALIVE, "completed")), id="keepalive at the end"),
        pytest.param(changed(GOOD, insert(KEEPALIVE, "output_text.done")), id="keepalive in text"),
        pytest.param(
            changed(GOOD, insert({"type": "vendor:trace", "x": 1}, "output_text.delta")),
            id="an extension event",
        ),
        pytest.param(
            changed(GOOD, put_output(0, encrypted_content="sealed anew")), id="sealed anew"
        ),
        pytest.param(
            changed(FAILED, drop("output_item.done", -1)), id="failed with an item left open"
        ),
        pytest.param(
            changed(
                changed(FAILED, drop("output_item.done", -1)),
                lambda events: events[-1]["response"]["output"].pop(),
            ),
            id="failed with an item left open and out",
        ),
        pytest.param(
            stream(
                item(
                    {"id": "ws_1", "type": "web_search_call"},
                    {},
                    *phases("web_search_call", "in_progress"),
                    status="failed",
                )
            ),
            id="a search that failed before it was completed",
        ),
        pytest.param(
            stream(
                item(
                    {"id": "apc_1", "type": "apply_patch_call", "call_id": "call_1"}
                    | {"operation": {"type": "delete_file", "path": "a.txt"}},
                    {},
                )
            ),
            id="a patch without a diff",
        ),
    ],
)
def test_legal_streams_break_no_rule(events: list[Event]) -> None:
    assert check(events) == []


def test_a_cancelled_stream_may_stop() -> None:
    """There is no event for a cancelled response."""
    checker = StreamChecker()
    for event in GOOD[:5]:
        checker.feed(event)
    checker.end(cancelled=True)

    assert checker.violations == []


def test_a_resumed_stream_starts_at_its_number() -> None:
    events = stream(function_call(), queued=True)

    assert check(events[1:], start=1) == []
    assert check(events[2:], start=2) == []


def test_an_error_names_number_type_and_rule_and_no_text() -> None:
    events = changed(GOOD, put("output_text.done", text="my secret"))

    assert check(events) == [
        "at 14 (response.output_text.done): text of 9 characters, deltas of 4. "
        "PART_TEXT: a whole text is its deltas joined.",
        "at 15 (response.content_part.done): text of the part differs from the text. "
        "PART_TEXT: a whole text is its deltas joined.",
    ]


def test_a_checker_goes_on_after_an_error() -> None:
    checker = StreamChecker()
    events = changed(GOOD, repeat("in_progress"))
    checker.feed(events[0])
    checker.feed(events[1])
    with pytest.raises(GrammarError):
        checker.feed(events[2])
    for event in events[3:]:
        checker.feed(event)
    checker.end()

    assert [error.rule for error in checker.violations] == [Rule.LIFECYCLE]


def test_every_text_belongs_to_an_item() -> None:
    symbols = {symbol for row in ITEMS.values() for symbol in item_table(row)}

    assert [text for text in TEXTS if not symbols >= {*text.delta, *text.done}] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.data())
def test_junk_in_any_field_never_crashes_the_checker(data: st.DataObject) -> None:
    def spoil(event: Mapping[str, Any]) -> Event:
        key = data.draw(st.sampled_from(sorted(event)))
        inner = event[key]
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            return {**event, key: spoil(inner)}
        return {**event, key: data.draw(json_values)}

    index = data.draw(st.integers(0, len(GOOD) - 1))
    events = [*GOOD[:index], spoil(GOOD[index]), *GOOD[index + 1 :]]

    assert all(isinstance(line, str) for line in check(events))
