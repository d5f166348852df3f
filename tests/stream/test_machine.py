"""Deltas become events in the order of the rule book, and nothing that was said is lost."""

import msgspec
import pytest
from msgspec import UNSET, Raw

from adapter.errors import InvalidRequestError, UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, RefusalDelta, TextDelta
from adapter.stream.grammar import check
from adapter.stream.items import Summaries, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.tools.function import offer_function
from adapter.types.events import (
    ContentPartAdded,
    ContentPartDone,
    ErrorBody,
    ErrorEvent,
    Event,
    Keepalive,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    ResponseCompleted,
    ResponseCreated,
    ResponseFailed,
    ResponseIncomplete,
    ResponseInProgress,
)
from adapter.types.items import (
    FunctionCall,
    Logprob,
    Message,
    OutputText,
    Reasoning,
    ReasoningText,
    SummaryText,
)
from adapter.types.response import (
    IncompleteDetails,
    InputTokensDetails,
    OutputTokensDetails,
    Response,
    ResponseError,
    Usage,
)
from adapter.types.tools import FunctionTool
from tests.stream.responses import NOW, RESPONSE, as_json, brief, new_stream


def replaced(**changes: object) -> Response:
    return msgspec.structs.replace(RESPONSE, **changes)


def run(stream: ResponseStream, deltas: list[Delta], finish_reason: str | None) -> list[Event]:
    events = stream.start()
    for delta in deltas:
        events += stream.feed([delta])
    return events + stream.end_turn(finish_reason) + stream.finish(NOW)


def text(*pieces: str) -> list[Delta]:
    return [TextDelta(piece) for piece in pieces]


def reasoning(*pieces: str) -> list[Delta]:
    return [ReasoningDelta(piece) for piece in pieces]


def test_a_text_is_an_item_with_a_part() -> None:
    stream = new_stream()
    logprob = Logprob("Hel", -0.5, (72, 101, 108))

    events = run(stream, [TextDelta("Hel", (logprob,)), TextDelta("lo")], "stop")

    part = OutputText("Hello", (), (logprob,))
    message = Message("msg_1", "completed", content=(part,))
    response = replaced(status="completed", completed_at=NOW, output=(message,), usage=Usage())
    assert events == [
        ResponseCreated(0, RESPONSE),
        ResponseInProgress(1, RESPONSE),
        OutputItemAdded(2, 0, Message("msg_1", "in_progress")),
        ContentPartAdded(3, "msg_1", 0, 0, OutputText("")),
        OutputTextDelta(4, "msg_1", 0, 0, "Hel", (logprob,)),
        OutputTextDelta(5, "msg_1", 0, 0, "lo"),
        OutputTextDone(6, "msg_1", 0, 0, "Hello", (logprob,)),
        ContentPartDone(7, "msg_1", 0, 0, part),
        OutputItemDone(8, 0, message),
        ResponseCompleted(9, response),
    ]


# (name, deltas, finish reason, the events between in_progress and the last one)
TURNS: list[tuple[str, list[Delta], str | None, list[str]]] = [
    (
        "reasoning, then text",
        reasoning("Hm", ".") + text("Hello"),
        "stop",
        [
            "output_item.added 0 rs_1",
            "content_part.added 0.0 reasoning_text''",
            "reasoning_text.delta 0.0 'Hm'",
            "reasoning_text.delta 0.0 '.'",
            "reasoning_text.done 0.0 'Hm.'",
            "content_part.done 0.0 reasoning_text'Hm.'",
            "output_item.done 0 rs_1 reasoning_text'Hm.'",
            "output_item.added 1 msg_2 in_progress",
            "content_part.added 1.0 output_text''",
            "output_text.delta 1.0 'Hello'",
            "output_text.done 1.0 'Hello'",
            "content_part.done 1.0 output_text'Hello'",
            "output_item.done 1 msg_2 completed output_text'Hello'",
        ],
    ),
    (
        "text, then a refusal: two parts of one message",
        [TextDelta("a"), RefusalDelta("No"), RefusalDelta("."), TextDelta("b")],
        "stop",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.delta 0.0 'a'",
            "output_text.done 0.0 'a'",
            "content_part.done 0.0 output_text'a'",
            "content_part.added 0.1 refusal''",
            "refusal.delta 0.1 'No'",
            "refusal.delta 0.1 '.'",
            "refusal.done 0.1 'No.'",
            "content_part.done 0.1 refusal'No.'",
            "content_part.added 0.2 output_text''",
            "output_text.delta 0.2 'b'",
            "output_text.done 0.2 'b'",
            "content_part.done 0.2 output_text'b'",
            "output_item.done 0 msg_1 completed output_text'a'+refusal'No.'+output_text'b'",
        ],
    ),
    (
        "a call in pieces",
        [
            CallDelta(0, "call_a", "f", ""),
            CallDelta(0, "", "", '{"x"'),
            CallDelta(0, "", "", ":1}"),
        ],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{\"x\"'",
            "function_call_arguments.delta 0 ':1}'",
            "function_call_arguments.done 0 '{\"x\":1}'",
            "output_item.done 0 fc_1 call_a f '{\"x\":1}' completed",
        ],
    ),
    (
        "two calls, one after the other",
        [CallDelta(0, "call_a", "f", "{}"), CallDelta(1, "call_b", "g", "{}")],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_a f '{}' completed",
            "output_item.added 1 fc_2 call_b g '' in_progress",
            "function_call_arguments.delta 1 '{}'",
            "function_call_arguments.done 1 '{}'",
            "output_item.done 1 fc_2 call_b g '{}' completed",
        ],
    ),
    (
        "two calls, interleaved: the second waits",
        [
            CallDelta(0, "call_a", "f", '{"x"'),
            CallDelta(1, "call_b", "g", '{"y"'),
            CallDelta(0, "", "", ":1}"),
            CallDelta(1, "", "", ":2}"),
        ],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{\"x\"'",
            "function_call_arguments.delta 0 ':1}'",
            "function_call_arguments.done 0 '{\"x\":1}'",
            "output_item.done 0 fc_1 call_a f '{\"x\":1}' completed",
            "output_item.added 1 fc_2 call_b g '' in_progress",
            "function_call_arguments.delta 1 '{\"y\"'",
            "function_call_arguments.delta 1 ':2}'",
            "function_call_arguments.done 1 '{\"y\":2}'",
            "output_item.done 1 fc_2 call_b g '{\"y\":2}' completed",
        ],
    ),
    (
        "text behind a call that never ends waits for the end",
        [CallDelta(0, "call_a", "f", "{"), TextDelta("a")],
        "stop",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{'",
            "function_call_arguments.done 0 '{'",
            "output_item.done 0 fc_1 call_a f '{' completed",
            "output_item.added 1 msg_2 in_progress",
            "content_part.added 1.0 output_text''",
            "output_text.delta 1.0 'a'",
            "output_text.done 1.0 'a'",
            "content_part.done 1.0 output_text'a'",
            "output_item.done 1 msg_2 completed output_text'a'",
        ],
    ),
    (
        "three calls that never end come one after the other",
        [CallDelta(slot, f"call_{slot}", "f", "{") for slot in range(3)],
        "stop",
        [
            line
            for slot in range(3)
            for line in [
                f"output_item.added {slot} fc_{slot + 1} call_{slot} f '' in_progress",
                f"function_call_arguments.delta {slot} '{{'",
                f"function_call_arguments.done {slot} '{{'",
                f"output_item.done {slot} fc_{slot + 1} call_{slot} f '{{' completed",
            ]
        ],
    ),
    (
        "a name that comes late: the pieces before it are kept",
        [
            CallDelta(0, "call_a", "", "{"),
            CallDelta(0, "", "", '"x":'),
            CallDelta(0, "", "f", "1}"),
        ],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{\"x\":1}'",
            "function_call_arguments.done 0 '{\"x\":1}'",
            "output_item.done 0 fc_1 call_a f '{\"x\":1}' completed",
        ],
    ),
    (
        "a name that comes after text: the call comes first, and its arguments are kept",
        [CallDelta(0, "call_a", "", "{}"), TextDelta("a"), CallDelta(0, "", "f", "")],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_a f '{}' completed",
            "output_item.added 1 msg_2 in_progress",
            "content_part.added 1.0 output_text''",
            "output_text.delta 1.0 'a'",
            "output_text.done 1.0 'a'",
            "content_part.done 1.0 output_text'a'",
            "output_item.done 1 msg_2 completed output_text'a'",
        ],
    ),
    (
        "a name and an id that are said again are not joined",
        [CallDelta(0, "call_a", "f", "{"), CallDelta(0, "call_a", "f", "}")],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{'",
            "function_call_arguments.delta 0 '}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_a f '{}' completed",
        ],
    ),
    (
        "a call without arguments has an empty object",
        [CallDelta(0, "call_a", "f", "")],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_a f '{}' completed",
        ],
    ),
    (
        "a call that was cut before its arguments has none",
        [CallDelta(0, "call_a", "f", "")],
        "length",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.done 0 ''",
            "output_item.done 0 fc_1 call_a f '' incomplete",
        ],
    ),
    (
        "a call without an id gets one, and an id that is taken is replaced",
        [
            CallDelta(0, "", "f", "{}"),
            CallDelta(1, "call_a", "f", "{}"),
            CallDelta(2, "call_a", "f", "{}"),
        ],
        "tool_calls",
        [
            line
            for slot, ids in enumerate(["fc_1 call_2", "fc_3 call_a", "fc_4 call_5"])
            for line in [
                f"output_item.added {slot} {ids} f '' in_progress",
                f"function_call_arguments.delta {slot} '{{}}'",
                f"function_call_arguments.done {slot} '{{}}'",
                f"output_item.done {slot} {ids} f '{{}}' completed",
            ]
        ],
    ),
    (
        "blanks between a thought and a call go",
        [*reasoning("Hm."), TextDelta("\n\n"), CallDelta(0, "call_a", "f", "{}")],
        "tool_calls",
        [
            "output_item.added 0 rs_1",
            "content_part.added 0.0 reasoning_text''",
            "reasoning_text.delta 0.0 'Hm.'",
            "reasoning_text.done 0.0 'Hm.'",
            "content_part.done 0.0 reasoning_text'Hm.'",
            "output_item.done 0 rs_1 reasoning_text'Hm.'",
            "output_item.added 1 fc_2 call_a f '' in_progress",
            "function_call_arguments.delta 1 '{}'",
            "function_call_arguments.done 1 '{}'",
            "output_item.done 1 fc_2 call_a f '{}' completed",
        ],
    ),
    (
        "blanks before a text belong to it",
        [*reasoning("\n"), *text("\n", "\n", "Hello", " ")],
        "stop",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.delta 0.0 '\\n'",
            "output_text.delta 0.0 '\\n'",
            "output_text.delta 0.0 'Hello'",
            "output_text.delta 0.0 ' '",
            "output_text.done 0.0 '\\n\\nHello '",
            "content_part.done 0.0 output_text'\\n\\nHello '",
            "output_item.done 0 msg_1 completed output_text'\\n\\nHello '",
        ],
    ),
    (
        "blanks of a thought that comes later wait for it",
        [*reasoning("\n"), *text("a"), *reasoning("b")],
        "stop",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.delta 0.0 'a'",
            "output_text.done 0.0 'a'",
            "content_part.done 0.0 output_text'a'",
            "output_item.done 0 msg_1 completed output_text'a'",
            "output_item.added 1 rs_2",
            "content_part.added 1.0 reasoning_text''",
            "reasoning_text.delta 1.0 '\\n'",
            "reasoning_text.delta 1.0 'b'",
            "reasoning_text.done 1.0 '\\nb'",
            "content_part.done 1.0 reasoning_text'\\nb'",
            "output_item.done 1 rs_2 reasoning_text'\\nb'",
        ],
    ),
    (
        "blanks alone are an answer, when there is no other",
        [*text("\n"), *reasoning(" ")],
        "stop",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.delta 0.0 '\\n'",
            "output_text.done 0.0 '\\n'",
            "content_part.done 0.0 output_text'\\n'",
            "output_item.done 0 msg_1 completed output_text'\\n'",
        ],
    ),
    (
        "no answer is an empty message",
        [],
        None,
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.done 0.0 ''",
            "content_part.done 0.0 output_text''",
            "output_item.done 0 msg_1 completed output_text''",
        ],
    ),
    (
        "no answer within the limit is an empty message that is incomplete",
        [],
        "length",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.done 0.0 ''",
            "content_part.done 0.0 output_text''",
            "output_item.done 0 msg_1 incomplete output_text''",
        ],
    ),
    (
        "empty deltas open nothing",
        [TextDelta(""), RefusalDelta(""), ReasoningDelta("")],
        "stop",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.done 0.0 ''",
            "content_part.done 0.0 output_text''",
            "output_item.done 0 msg_1 completed output_text''",
        ],
    ),
    (
        "of an answer that was cut only the last item is incomplete",
        [*text("a"), CallDelta(0, "call_a", "f", "{"), CallDelta(1, "call_b", "f", "{")],
        "length",
        [
            "output_item.added 0 msg_1 in_progress",
            "content_part.added 0.0 output_text''",
            "output_text.delta 0.0 'a'",
            "output_text.done 0.0 'a'",
            "content_part.done 0.0 output_text'a'",
            "output_item.done 0 msg_1 completed output_text'a'",
            "output_item.added 1 fc_2 call_a f '' in_progress",
            "function_call_arguments.delta 1 '{'",
            "function_call_arguments.done 1 '{'",
            "output_item.done 1 fc_2 call_a f '{' incomplete",
        ],
    ),
    (
        "an afterthought to a call that is done opens nothing and holds nothing back",
        [
            CallDelta(0, "call_a", "f", "{}"),
            CallDelta(1, "call_b", "g", "{}"),
            CallDelta(0, "", "", " "),
            TextDelta("a"),
        ],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_a f '' in_progress",
            "function_call_arguments.delta 0 '{}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_a f '{}' completed",
            "output_item.added 1 fc_2 call_b g '' in_progress",
            "function_call_arguments.delta 1 '{}'",
            "function_call_arguments.done 1 '{}'",
            "output_item.done 1 fc_2 call_b g '{}' completed",
            "output_item.added 2 msg_3 in_progress",
            "content_part.added 2.0 output_text''",
            "output_text.delta 2.0 'a'",
            "output_text.done 2.0 'a'",
            "content_part.done 2.0 output_text'a'",
            "output_item.done 2 msg_3 completed output_text'a'",
        ],
    ),
    (
        "a call without a name is left out, where there is something else",
        [CallDelta(0, "call_a", "", "{}"), CallDelta(1, "call_b", "f", "{}")],
        "tool_calls",
        [
            "output_item.added 0 fc_1 call_b f '' in_progress",
            "function_call_arguments.delta 0 '{}'",
            "function_call_arguments.done 0 '{}'",
            "output_item.done 0 fc_1 call_b f '{}' completed",
        ],
    ),
]
CASES = [pytest.param(deltas, reason, lines, id=name) for name, deltas, reason, lines in TURNS]


@pytest.mark.parametrize(("deltas", "reason", "expected"), CASES)
def test_deltas_become_events(deltas: list[Delta], reason: str | None, expected: list[str]) -> None:
    assert brief(run(new_stream(), deltas, reason))[2:-1] == expected


@pytest.mark.parametrize(("deltas", "reason", "expected"), CASES)
def test_the_events_are_legal(deltas: list[Delta], reason: str | None, expected: list[str]) -> None:
    assert check(as_json(run(new_stream(), deltas, reason))) == []


@pytest.mark.parametrize(("deltas", "reason", "expected"), CASES)
def test_deltas_may_come_all_at_once(
    deltas: list[Delta], reason: str | None, expected: list[str]
) -> None:
    stream = new_stream()
    events = stream.start() + stream.feed(deltas) + stream.end_turn(reason)

    assert brief(events)[2:] == expected


@pytest.mark.parametrize(("deltas", "reason", "expected"), CASES)
def test_a_stream_may_fail_after_any_delta(
    deltas: list[Delta], reason: str | None, expected: list[str]
) -> None:
    faults = []
    for length in range(len(deltas) + 1):
        stream = new_stream()
        events = stream.start() + stream.feed(deltas[:length]) + stream.fail(UpstreamError("x"))
        faults += check(as_json(events))

    assert faults == []


def test_reasoning_events_have_the_names_of_open_responses_if_asked() -> None:
    events = run(
        new_stream(reasoning=reasoning_kind(open_names=True)), reasoning("Hm", "."), "stop"
    )

    assert brief(events)[2:-1] == [
        "output_item.added 0 rs_1",
        "content_part.added 0.0 reasoning_text''",
        "reasoning.delta 0.0 'Hm'",
        "reasoning.delta 0.0 '.'",
        "reasoning.done 0.0 'Hm.'",
        "content_part.done 0.0 reasoning_text'Hm.'",
        "output_item.done 0 rs_1 reasoning_text'Hm.'",
    ]


SUMMARY = [
    "output_item.added 0 rs_1",
    "reasoning_summary_part.added 0.0 summary_text''",
    "reasoning_summary_text.delta 0.0 'Hm'",
    "reasoning_summary_text.delta 0.0 '.'",
    "reasoning_summary_text.done 0.0 'Hm.'",
    "reasoning_summary_part.done 0.0 summary_text'Hm.'",
]


def test_reasoning_is_said_as_a_summary_and_then_as_it_is_if_asked() -> None:
    kind = reasoning_kind(summaries="with_text")
    events = run(new_stream(reasoning=kind), reasoning("Hm", "."), "stop")

    assert check(as_json(events)) == []
    assert brief(events)[2:-1] == [
        *SUMMARY,
        "content_part.added 0.0 reasoning_text''",
        "reasoning_text.delta 0.0 'Hm.'",
        "reasoning_text.done 0.0 'Hm.'",
        "content_part.done 0.0 reasoning_text'Hm.'",
        "output_item.done 0 rs_1 reasoning_text'Hm.'",
    ]


def test_reasoning_is_said_only_as_a_summary_if_asked() -> None:
    kind = reasoning_kind(summaries="instead")
    events = run(new_stream(reasoning=kind), reasoning("Hm", "."), "stop")

    assert check(as_json(events)) == []
    assert brief(events)[2:-1] == [*SUMMARY, "output_item.done 0 rs_1"]


@pytest.mark.parametrize(
    ("summaries", "expected"),
    [
        ("never", Reasoning("rs_1", (), (ReasoningText("Hm."),), "sealed Hm.")),
        (
            "with_text",
            Reasoning("rs_1", (SummaryText("Hm."),), (ReasoningText("Hm."),), "sealed Hm."),
        ),
        ("instead", Reasoning("rs_1", (SummaryText("Hm."),), UNSET, "sealed Hm.")),
    ],
)
def test_reasoning_is_sealed_for_the_client_to_carry_if_asked(
    summaries: Summaries, expected: Reasoning
) -> None:
    kind = reasoning_kind(summaries=summaries, seal=lambda said: f"sealed {said}")
    stream = new_stream(reasoning=kind)
    stream.feed(reasoning("Hm", "."))
    stream.end_turn("stop")

    assert stream.finish(NOW)[0].response.output == (expected,)  # type: ignore[union-attr]


def test_reasoning_is_announced_without_a_seal() -> None:
    kind = reasoning_kind(seal=lambda said: f"sealed {said}")

    assert new_stream(reasoning=kind).feed(reasoning("Hm."))[0] == OutputItemAdded(
        0, 0, Reasoning("rs_1", (), ())
    )


def test_a_call_is_shown_under_the_name_of_its_tool() -> None:
    """The chat model may know a tool by another name than the client."""
    tool = msgspec.structs.replace(offer_function(FunctionTool("search")), namespace="web")
    stream = new_stream(tools={"web__search": tool})
    run(stream, [CallDelta(0, "call_a", "web__search", "{}")], "tool_calls")

    response = stream.finish(NOW)[0].response  # type: ignore[union-attr]
    assert response.output == (FunctionCall("fc_1", "call_a", "search", "{}", "completed", "web"),)


def test_what_the_upstream_wants_back_is_part_of_the_call() -> None:
    stream = new_stream()
    extra = Raw(b'{"google":{}}')
    run(stream, [CallDelta(0, "call_a", "f", "{}", extra), CallDelta(0, "", "", "")], "tool_calls")

    response = stream.finish(NOW)[0].response  # type: ignore[union-attr]
    assert response.output == (
        FunctionCall("fc_1", "call_a", "f", "{}", "completed", extra_content=extra),
    )


def test_a_call_without_a_name_is_noted() -> None:
    stream = new_stream()
    run(stream, [CallDelta(0, "", "", "{}"), *text("a")], "stop")

    assert stream.notes == ["a call without a name"]


def test_an_answer_of_calls_without_names_is_the_fault_of_the_upstream() -> None:
    stream = new_stream()
    stream.feed([CallDelta(0, "", "", "{}")])

    with pytest.raises(UpstreamError, match="called a tool without naming it"):
        stream.end_turn("tool_calls")


@pytest.mark.parametrize(
    ("finish_reason", "why"),
    [
        ("length", "max_output_tokens"),
        ("max_tokens", "max_output_tokens"),
        ("model_length", "max_output_tokens"),
        ("model_context_window_exceeded", "max_output_tokens"),
        ("repetition", "max_output_tokens"),
        ("content_filter", "content_filter"),
        ("sensitive", "content_filter"),
    ],
)
def test_an_answer_that_was_cut_is_incomplete(finish_reason: str, why: str) -> None:
    last = run(new_stream(), text("a"), finish_reason)[-1]

    message = Message("msg_1", "incomplete", content=(OutputText("a"),))
    assert last == ResponseIncomplete(
        8,
        replaced(
            status="incomplete",
            incomplete_details=IncompleteDetails(why),
            output=(message,),
            usage=Usage(),
        ),
    )


@pytest.mark.parametrize(
    "finish_reason",
    ["stop", "tool_calls", "function_call", "eos", "end_turn", "", "unheard_of", None],
)
def test_any_other_reason_completes_the_response(finish_reason: str | None) -> None:
    last = run(new_stream(), text("a"), finish_reason)[-1]

    assert isinstance(last, ResponseCompleted)


@pytest.mark.parametrize("finish_reason", ["abort", "error", "network_error"])
def test_an_upstream_that_gave_up_is_a_failure(finish_reason: str) -> None:
    stream = new_stream()
    stream.feed(text("a"))

    with pytest.raises(UpstreamError) as caught:
        stream.end_turn(finish_reason)

    assert caught.value.code == "server_error"


def test_a_failure_closes_what_is_open_and_ends_the_stream() -> None:
    stream = new_stream()
    stream.start()
    stream.feed([*reasoning("Hm."), *text("Hel")])

    events = stream.fail(UpstreamError("It broke.", code="server_error"))

    thought = Reasoning("rs_1", content=(ReasoningText("Hm."),))
    part = OutputText("Hel")
    message = Message("msg_2", "incomplete", content=(part,))
    response = replaced(
        status="failed",
        error=ResponseError("server_error", "It broke."),
        output=(thought, message),
    )
    assert events == [
        OutputTextDone(11, "msg_2", 1, 0, "Hel"),
        ContentPartDone(12, "msg_2", 1, 0, part),
        OutputItemDone(13, 1, message),
        ErrorEvent(14, ErrorBody("server_error", "server_error", "It broke.", None)),
        ResponseFailed(15, response),
    ]


def test_an_error_without_a_code_is_a_server_error() -> None:
    stream = new_stream()

    error = stream.fail(InvalidRequestError("No.", param="input"))[0]

    assert error == ErrorEvent(
        0, ErrorBody("invalid_request_error", "server_error", "No.", "input")
    )


def test_keepalives_are_numbered_with_the_events() -> None:
    stream = new_stream()
    stream.start()

    assert stream.keepalive() == Keepalive(2)
    assert stream.feed(text("a"))[0] == OutputItemAdded(3, 0, Message("msg_1", "in_progress"))


def test_a_stream_knows_whether_it_was_started() -> None:
    stream = new_stream()
    before = stream.is_started
    stream.start()

    assert (before, stream.is_started) == (False, True)


def test_calls_of_the_next_turn_are_other_calls() -> None:
    stream = new_stream()
    stream.feed([CallDelta(0, "call_a", "f", "{}")])
    stream.end_turn("tool_calls")

    events = stream.feed([CallDelta(0, "call_b", "f", "")])

    assert brief(events) == ["output_item.added 1 fc_2 call_b f '' in_progress"]


USAGE = Usage(1, InputTokensDetails(2, 3), 4, OutputTokensDetails(5), 6)


def test_the_usage_of_a_turn_is_that_of_the_response() -> None:
    stream = new_stream()
    stream.end_turn("stop", USAGE)

    assert stream.finish(NOW)[0].response.usage == USAGE  # type: ignore[union-attr]


def test_the_usage_of_several_turns_is_added_up() -> None:
    stream = new_stream()
    stream.end_turn("tool_calls", USAGE)
    stream.end_turn("tool_calls", USAGE)
    stream.end_turn("stop")

    usage = stream.finish(NOW)[0].response.usage  # type: ignore[union-attr]
    assert usage == Usage(2, InputTokensDetails(4, 6), 8, OutputTokensDetails(10), 12)


def test_a_failed_response_tells_what_was_used() -> None:
    stream = new_stream()
    with pytest.raises(UpstreamError):
        stream.end_turn("abort", USAGE)

    assert stream.fail(UpstreamError("x"))[-1].response.usage == USAGE  # type: ignore[union-attr]


@pytest.mark.parametrize(("said", "expected"), [("flex", "flex"), (None, "default")])
def test_the_service_tier_is_the_one_that_was_used(said: str | None, expected: str) -> None:
    stream = new_stream()
    stream.end_turn("stop")

    assert stream.finish(NOW, said)[0].response.service_tier == expected  # type: ignore[union-attr]
