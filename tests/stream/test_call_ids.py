"""Ids of calls: the upstream's own, unless there is none or another call has it."""

from adapter.stream.deltas import CallDelta
from adapter.stream.machine import ResponseStream
from tests.stream.responses import NOW, as_json, new_stream


def call_ids(stream: ResponseStream, *given: str) -> list[str]:
    """Return the ids that calls with these ids of the upstream get."""
    stream.start()
    stream.feed([CallDelta(slot, id, "f", "{}") for slot, id in enumerate(given)])
    stream.end_turn("tool_calls")
    output = as_json(stream.finish(NOW))[0]["response"]["output"]
    return [item["call_id"] for item in output]


def test_ids_of_the_upstream_are_kept() -> None:
    assert call_ids(new_stream(), "call_a", "functions.f:1") == ["call_a", "functions.f:1"]


def test_a_call_without_an_id_gets_one() -> None:
    assert call_ids(new_stream(), "") == ["call_2"]


def test_the_second_call_of_an_id_gets_another() -> None:
    first, second = call_ids(new_stream(), "call_a", "call_a")

    assert (first, second.startswith("call_")) == ("call_a", True)
    assert first != second


def test_the_id_of_an_earlier_call_is_not_given_again() -> None:
    """Servers that count from zero in every answer: the Agents SDKs refuse the second `call_0`."""
    first, second = call_ids(new_stream(call_ids=["call_0"]), "call_0", "call_1")

    assert (first not in {"call_0", "call_1"}, second) == (True, "call_1")
