"""Events become server-sent events, byte for byte."""

from adapter.stream.encode import DONE, KEEPALIVE_COMMENT, encode_events
from adapter.types.events import (
    ErrorBody,
    ErrorEvent,
    FunctionCallArgumentsDelta,
    Keepalive,
    OutputItemAdded,
    OutputTextDelta,
)
from adapter.types.items import FunctionCall, Reasoning


def test_an_event_is_two_lines_and_a_blank_one() -> None:
    event = FunctionCallArgumentsDelta(7, "fc_1", 0, "{")

    assert encode_events([event]) == (
        b"event: response.function_call_arguments.delta\n"
        b'data: {"type":"response.function_call_arguments.delta","sequence_number":7,'
        b'"item_id":"fc_1","output_index":0,"delta":"{"}\n\n'
    )


def test_several_events_share_one_buffer() -> None:
    events = [Keepalive(0), Keepalive(1)]

    assert encode_events(events) == encode_events(events[:1]) + encode_events(events[1:])


def test_no_events_are_no_bytes() -> None:
    assert encode_events([]) == b""


def test_line_breaks_of_any_kind_stay_inside_their_line() -> None:
    """Some clients split lines at U+2028 too, but none does so inside JSON that it has not split."""
    event = OutputTextDelta(0, "msg_1", 0, 0, "a\nb\r\nc\u2028\0")

    assert (
        encode_events([event])
        == (
            "event: response.output_text.delta\n"
            'data: {"type":"response.output_text.delta","sequence_number":0,"item_id":"msg_1",'
            '"output_index":0,"content_index":0,"delta":"a\\nb\\r\\nc\u2028\\u0000","logprobs":[]}\n\n'
        ).encode()
    )


def test_what_is_not_set_is_left_out_and_null_is_not() -> None:
    events = [
        OutputItemAdded(0, 0, Reasoning("rs_1")),
        OutputItemAdded(1, 1, FunctionCall("fc_1", "call_1", "f", "", "in_progress")),
        ErrorEvent(2, ErrorBody("server_error", None, "It broke.", None)),
    ]

    assert encode_events(events) == (
        b"event: response.output_item.added\n"
        b'data: {"type":"response.output_item.added","sequence_number":0,"output_index":0,'
        b'"item":{"type":"reasoning","id":"rs_1","summary":[]}}\n\n'
        b"event: response.output_item.added\n"
        b'data: {"type":"response.output_item.added","sequence_number":1,"output_index":1,'
        b'"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f",'
        b'"arguments":"","status":"in_progress"}}\n\n'
        b"event: error\n"
        b'data: {"type":"error","sequence_number":2,"error":{"type":"server_error","code":null,'
        b'"message":"It broke.","param":null}}\n\n'
    )


def test_the_end_and_the_comment_are_whole_events() -> None:
    assert DONE == b"data: [DONE]\n\n"
    assert KEEPALIVE_COMMENT == b": keep-alive\n\n"
