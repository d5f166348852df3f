"""Deltas become events in the order of the rule book, and nothing that was said is lost."""

import msgspec
import pytest
from msgspec import Raw

from adapter.errors import InvalidRequestError, UpstreamError
from adapter.stream.deltas import CallDelta, Delta, TextDelta
from adapter.stream.grammar import check
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
    Compaction,
    FunctionCall,
    Logprob,
    Message,
    OutputText,
    Reasoning,
    ReasoningText,
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
from tests.stream.turns import TURNS, reasoning, text


def replaced(**changes: object) -> Response:
    return msgspec.structs.replace(RESPONSE, **changes)


def run(stream: ResponseStream, deltas: list[Delta], finish_reason: str | None) -> list[Event]:
    events = stream.start()
    for delta in deltas:
        events += stream.feed([delta])
    return events + stream.end_turn(finish_reason) + stream.finish(NOW)


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


def test_an_item_that_comes_whole_is_added_and_done() -> None:
    stream = new_stream()
    opening = stream.start()
    item = Compaction("cmp_1", "sealed")

    events = stream.add(item)

    assert events == [OutputItemAdded(2, 0, item), OutputItemDone(3, 0, item)]
    ended = [*stream.end_turn(None), *stream.finish(NOW)]
    assert ended[-1].response.output == (item,)  # type: ignore[union-attr]
    assert check(as_json([*opening, *events, *ended])) == []


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
