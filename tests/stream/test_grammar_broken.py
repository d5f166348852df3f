"""The rule book refuses every way of breaking a stream, and says which rule was broken.

Sources: the specification sheets of the Responses API, OpenAI's own recordings.
"""

import pytest

from adapter.stream.grammar import GrammarError, Rule, StreamChecker, check
from tests.stream.broken_streams import (
    Change,
    append,
    changed,
    drop,
    insert,
    move,
    put,
    put_done,
    put_in,
    put_output,
    remove,
    remove_in,
    repeat,
    swap,
)
from tests.stream.legal_items import CUT, FAILED, GOOD, KEEPALIVE, LEGAL_ITEMS
from tests.stream.legal_streams import ERROR, USAGE, Event, function_call, message, stream


def first_rule(events: list[Event]) -> Rule | None:
    """Return the rule that the stream breaks first."""
    checker = StreamChecker()
    try:
        for event in events:
            checker.feed(event)
        checker.end()
    except GrammarError as error:
        return error.rule
    return None


# (name, the stream that is broken, how, the rule that is broken first)
BROKEN: list[tuple[str, list[Event], Change, Rule]] = [
    # the stream
    ("no created", GOOD, drop("created"), Rule.LIFECYCLE),
    ("no in_progress", GOOD, drop("in_progress"), Rule.LIFECYCLE),
    ("created twice", GOOD, repeat("created"), Rule.LIFECYCLE),
    ("in_progress twice", GOOD, repeat("in_progress"), Rule.LIFECYCLE),
    ("in_progress before created", GOOD, swap("in_progress"), Rule.LIFECYCLE),
    ("queued, but not created so", stream(queued=True), drop("queued"), Rule.LIFECYCLE),
    ("keepalive before created", GOOD, insert(KEEPALIVE, "created"), Rule.LIFECYCLE),
    ("keepalive behind the end", GOOD, append(KEEPALIVE), Rule.NOTHING_AFTER_END),
    ("completed twice", GOOD, repeat("completed"), Rule.NOTHING_AFTER_END),
    ("error behind the end", GOOD, append({**ERROR}), Rule.NOTHING_AFTER_END),
    ("delta behind the end", GOOD, append({"type": "response.output_text.delta"}),
     Rule.NOTHING_AFTER_END),
    ("completed before an item is done", GOOD, move("completed", "output_item.done"), Rule.ITEM_DONE),
    ("no end", GOOD, drop("completed"), Rule.ENDED),
    ("failed without error", FAILED, drop("error"), Rule.LIFECYCLE),
    ("error without failed", FAILED, drop("failed"), Rule.ENDED),
    ("error and completed", GOOD, insert({**ERROR}, "completed"), Rule.LIFECYCLE),
    ("keepalive in an error", FAILED, insert(KEEPALIVE, "failed"), Rule.LIFECYCLE),
    ("unknown type", GOOD, insert({"type": "response.done"}, "completed"), Rule.KNOWN_EVENT),
    ("no type", GOOD, remove("output_text.delta", "type"), Rule.KNOWN_EVENT),
    # the error event
    ("flat error", FAILED, put("error", error=None, message="x"), Rule.FIELD),
    ("error without param", FAILED, remove_in("error", "error", "param"), Rule.FIELD),
    ("error with a number", FAILED, put_in("error", "error", code=500), Rule.FIELD),
    ("error without a message", FAILED, put_in("error", "error", message=None), Rule.FIELD),
    # the response object
    ("no response", GOOD, remove("completed", "response"), Rule.FIELD),
    ("another object", GOOD, put_in("response", "created", object="chat"), Rule.FIELD),
    ("no store", GOOD, remove_in("response", "created", "store"), Rule.RESPONSE_KEYS),
    ("null tools", GOOD, put_in("response", "in_progress", tools=None), Rule.RESPONSE_NULLS),
    ("another response", GOOD, put_in("response", "in_progress", id="x"), Rule.RESPONSE_ID),
    ("created later", GOOD, put_in("response", "completed", created_at=1), Rule.RESPONSE_ID),
    ("completed in name", GOOD, put_in("response", "completed", status="x"), Rule.RESPONSE_STATUS),
    ("usage early", GOOD, put_in("response", "created", usage={**USAGE}), Rule.RESPONSE_OUTCOME),
    ("output early", GOOD, put_in("response", "created", output=[{}]), Rule.RESPONSE_OUTCOME),
    ("no usage", GOOD, put_in("response", "completed", usage=None), Rule.RESPONSE_OUTCOME),
    ("usage of null", GOOD, put_in("response", "completed", usage={"x": 1}), Rule.FIELD),
    (
        "usage of true",
        GOOD,
        put_in("response", "completed", usage={**USAGE, "total_tokens": True}),
        Rule.FIELD,
    ),
    ("no moment", GOOD, put_in("response", "completed", completed_at=None), Rule.RESPONSE_OUTCOME),
    ("a moment", FAILED, put_in("response", "failed", completed_at=1), Rule.RESPONSE_OUTCOME),
    ("no error", FAILED, put_in("response", "failed", error=None), Rule.RESPONSE_OUTCOME),
    (
        "no reason",
        CUT,
        put_in("response", "incomplete", incomplete_details={}),
        Rule.RESPONSE_OUTCOME,
    ),
    # items
    ("no item", GOOD, put("output_item.added", item=None), Rule.FIELD),
    ("no item done", GOOD, put("output_item.done", item=None), Rule.FIELD),
    ("no item added", GOOD, drop("output_item.added"), Rule.ITEM_ADDED),
    ("added twice", GOOD, repeat("output_item.added"), Rule.ONE_ITEM),
    ("done never", GOOD, drop("output_item.done"), Rule.ONE_ITEM),
    ("done twice", GOOD, repeat("output_item.done"), Rule.ITEM_CLOSED),
    ("done never at the end", GOOD, drop("output_item.done", -1), Rule.ITEM_DONE),
    ("done too late", GOOD, swap("output_item.added", 1), Rule.ONE_ITEM),
    ("a delta behind done", GOOD, swap("output_item.done", 1), Rule.ITEM_ORDER),
    ("an index left out", GOOD, put("output_item.added", 1, output_index=7), Rule.OUTPUT_INDEX),
    ("an index of text", GOOD, put("output_item.added", output_index="0"), Rule.OUTPUT_INDEX),
    ("another's index", GOOD, put("output_text.delta", output_index=0), Rule.ITEM_ID),
    ("no such index", GOOD, put("output_text.delta", output_index=9), Rule.ITEM_ADDED),
    ("no output_index", GOOD, remove("output_text.delta", "output_index"), Rule.ITEM_ADDED),
    ("no item_id", GOOD, remove("output_text.delta", "item_id"), Rule.FIELD),
    ("another item_id", GOOD, put("output_text.delta", item_id="msg_2"), Rule.ITEM_ID),
    ("another id when done", GOOD, put_done(1, id="msg_2"), Rule.ITEM_ID),
    ("no id", GOOD, put_in("item", "output_item.added", id=""), Rule.FIELD),
    ("an id twice", GOOD, put_in("item", "output_item.added", 1, id="rs_1"), Rule.ITEM_ID),
    (
        "a call_id twice",
        stream(function_call("fc_1"), function_call("fc_2")),
        put_in("item", "output_item.added", 1, call_id="call_fc_1"),
        Rule.ITEM_ID,
    ),
    ("unknown item", GOOD, put_in("item", "output_item.added", type="thought"), Rule.ITEM_TYPE),
    ("another type when done", GOOD, put_done(0, type="message"), Rule.ITEM_CONSTANT),
    ("another name when done", GOOD, put_done(2, name="sub"), Rule.ITEM_CONSTANT),
    ("a call without a name", GOOD, remove_in("item", "output_item.added", "name", 2), Rule.FIELD),
    ("added whole", GOOD, put_in("item", "output_item.added", 2, arguments="{}"), Rule.ITEM_EMPTY),
    ("tools at once", GOOD, put_in("item", "output_item.added", 4, tools=[{}]), Rule.ITEM_EMPTY),
    ("completed at once", GOOD, put_in("item", "output_item.added", 1, status="completed"),
     Rule.ITEM_STATUS),
    ("done in progress", GOOD, put_done(1, status="in_progress"), Rule.ITEM_STATUS),
    ("no status", GOOD, put_done(2, status=None), Rule.ITEM_STATUS),
    ("incomplete, completed", CUT, put_done(0, status="incomplete"), Rule.ITEM_UNFINISHED),
    ("incomplete in completed", GOOD, put_done(5, status="incomplete"), Rule.ITEM_OUTCOME),
    (
        "cut in completed",
        stream(message(status="incomplete")),
        lambda _: None,
        Rule.ITEM_UNFINISHED,
    ),
    # order inside an item
    ("no part added", GOOD, drop("content_part.added"), Rule.ITEM_ORDER),
    ("no part done", GOOD, drop("content_part.done"), Rule.ITEM_ORDER),
    ("part added twice", GOOD, repeat("content_part.added"), Rule.ITEM_ORDER),
    ("part done twice", GOOD, repeat("content_part.done"), Rule.ITEM_ORDER),
    ("text done twice", GOOD, repeat("output_text.done"), Rule.ITEM_ORDER),
    ("no text done", GOOD, drop("output_text.done"), Rule.ITEM_ORDER),
    ("part done before text", GOOD, swap("content_part.done", 1), Rule.ITEM_ORDER),
    ("a part without type", GOOD, put("content_part.added", part=None), Rule.ITEM_ORDER),
    ("text in a refusal", GOOD, put_in("part", "content_part.added", 2, type="output_text"),
     Rule.ITEM_EMPTY),
    ("the wrong delta", GOOD, put("refusal.delta", type="response.output_text.delta"),
     Rule.ITEM_ORDER),
    ("no arguments done", GOOD, drop("function_call_arguments.done"), Rule.ITEM_ORDER),
    ("a cut call without arguments done", CUT, drop("function_call_arguments.done"),
     Rule.ITEM_ORDER),
    ("another item's event", GOOD,
     put("function_call_arguments.delta", type="response.mcp_call_arguments.delta"),
     Rule.ITEM_ORDER),
    ("no phase", GOOD, drop("mcp_call.in_progress"), Rule.ITEM_ORDER),
    ("a phase twice", GOOD, repeat("mcp_list_tools.completed"), Rule.ITEM_ORDER),
    ("no last phase", GOOD, drop("mcp_call.completed"), Rule.ITEM_ORDER),
    ("failed in name", GOOD, put("mcp_call.completed", type="response.mcp_call.failed"),
     Rule.ITEM_OUTCOME),
    ("completed in name, failed", GOOD, put_done(5, error={"type": "http_error"}),
     Rule.ITEM_OUTCOME),
    # parts and texts
    ("a part left out", GOOD, put("content_part.added", 2, content_index=5), Rule.PART_INDEX),
    ("a part's index again", GOOD, put("refusal.delta", content_index=0), Rule.PART_INDEX),
    ("a summary left out", GOOD, put("reasoning_summary_part.added", summary_index=1),
     Rule.PART_INDEX),
    ("no content_index", GOOD, remove("output_text.delta", "content_index"), Rule.PART_INDEX),
    ("a part with text", GOOD, put_in("part", "content_part.added", 1, text="x"), Rule.ITEM_EMPTY),
    ("a delta lost", GOOD, drop("output_text.delta"), Rule.PART_TEXT),
    ("a delta twice", GOOD, repeat("output_text.delta"), Rule.PART_TEXT),
    ("deltas swapped", GOOD, swap("function_call_arguments.delta", 1), Rule.PART_TEXT),
    ("another whole text", GOOD, put("output_text.done", text="x"), Rule.PART_TEXT),
    ("another text in the part", GOOD, put_in("part", "content_part.done", 1, text="x"),
     Rule.PART_TEXT),
    ("a delta of null", GOOD, put("output_text.delta", delta=None), Rule.FIELD),
    ("a delta of bytes", GOOD, put("output_text.delta", delta=["a"]), Rule.FIELD),
    ("a whole of null", GOOD, put("function_call_arguments.done", arguments=None), Rule.FIELD),
    ("another text in the item", GOOD, put_done(1, content=[]), Rule.ITEM_WHOLE),
    ("other arguments in the item", GOOD, put_done(2, arguments="{}"), Rule.ITEM_WHOLE),
    ("no summary in the item", GOOD, put_done(3, summary=[]), Rule.ITEM_WHOLE),
    ("no commands", stream(LEGAL_ITEMS["shell_call"]), put_done(action=None), Rule.ITEM_WHOLE),
    ("no annotation", GOOD, drop("output_text.annotation.added"), Rule.ANNOTATIONS),
    ("an annotation left out", GOOD, put("output_text.annotation.added", annotation_index=1),
     Rule.ANNOTATIONS),
    ("no logprobs", GOOD, remove("output_text.delta", "logprobs"), Rule.FIELD),
    ("a logprob lost", GOOD, put("output_text.delta", logprobs=[]), Rule.LOGPROBS),
    ("no logprobs in the part", GOOD, put_in("part", "content_part.done", 1, logprobs=[]),
     Rule.LOGPROBS),
    # the last output
    ("an item lost", GOOD, lambda events: events[-1]["response"]["output"].pop(), Rule.OUTPUT),
    ("no output", GOOD, put_in("response", "completed", output=None), Rule.RESPONSE_NULLS),
    ("an item changed", GOOD, put_output(2, status="incomplete"), Rule.OUTPUT),
    ("a field more", GOOD, put_output(2, namespace="x"), Rule.OUTPUT),
    ("a field less", GOOD, lambda events: events[-1]["response"]["output"][2].pop("status"),
     Rule.OUTPUT),
    ("an item of text", GOOD, put_in("response", "completed", output=["x"] * 6), Rule.OUTPUT),
    ("items swapped", GOOD, lambda events: events[-1]["response"]["output"].reverse(),
     Rule.OUTPUT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "change", "rule"),
    [pytest.param(events, change, rule, id=name) for name, events, change, rule in BROKEN],
)
def test_broken_streams_break_the_rule_meant(
    events: list[Event], change: Change, rule: Rule
) -> None:
    assert first_rule(changed(events, change)) is rule


def test_every_rule_is_broken_by_some_stream() -> None:
    assert {rule for _, _, _, rule in BROKEN} | {Rule.SEQUENCE} == set(Rule)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        pytest.param("created", 1, id="from one"),
        pytest.param("output_text.delta", 3, id="again"),
        pytest.param("output_text.delta", 99, id="too far"),
        pytest.param("output_text.delta", None, id="none"),
        pytest.param("error", None, id="none on error"),
    ],
)
def test_numbers_go_up_by_one(kind: str, number: object) -> None:
    events = [dict(event) for event in FAILED]
    put(kind, sequence_number=number)(events)

    assert first_rule(events) is Rule.SEQUENCE


@pytest.mark.parametrize("index", range(len(GOOD)))
def test_no_event_can_be_left_out(index: int) -> None:
    assert first_rule(changed(GOOD, lambda events: events.__delitem__(index))) is not None


@pytest.mark.parametrize("index", range(len(GOOD)))
def test_no_event_can_come_twice(index: int) -> None:
    assert first_rule(changed(GOOD, lambda events: events.insert(index, events[index])))


@pytest.mark.parametrize(
    "index",
    [
        index
        for index in range(1, len(GOOD))
        # An annotation may stand anywhere between the deltas of its text.
        if not any("annotation" in event["type"] for event in GOOD[index - 1 : index + 1])
    ],
)
def test_no_two_events_can_change_places(index: int) -> None:
    def change(events: list[Event]) -> None:
        events[index - 1 : index + 1] = reversed(events[index - 1 : index + 1])

    assert first_rule(changed(GOOD, change)) is not None


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_a_stream_that_stops_early_has_not_ended(length: int) -> None:
    assert [line.split(": ")[-2].split(" ")[-1] for line in check(GOOD[:length])] == ["ENDED"]
