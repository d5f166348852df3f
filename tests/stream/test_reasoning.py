"""Reasoning is shown as it is, as a summary, or both, and sealed for the client to carry."""

import pytest
from msgspec import UNSET

from adapter.stream.deltas import Delta
from adapter.stream.grammar import check
from adapter.stream.items import Summaries, reasoning_kind
from adapter.stream.machine import ResponseStream
from adapter.types.events import Event, OutputItemAdded
from adapter.types.items import Reasoning, ReasoningText, SummaryText
from tests.stream.responses import NOW, as_json, brief, new_stream
from tests.stream.turns import reasoning


def run(stream: ResponseStream, deltas: list[Delta], finish_reason: str | None) -> list[Event]:
    events = stream.start() + stream.feed(deltas)
    return events + stream.end_turn(finish_reason) + stream.finish(NOW)


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
