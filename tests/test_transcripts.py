"""What servers were recorded to send, or reported to, becomes what was reviewed.

`tests/transcript.py` says what is in a transcript. Random input proves invariants
(`test_properties.py`), recorded input proves meaning: both are needed.
"""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from adapter.errors import UpstreamError
from adapter.stream.encode import DONE, encode_events
from adapter.stream.grammar import check
from tests.open_responses import event_errors, response_errors, sdk_errors
from tests.transcript import (
    GOLDEN,
    Outcome,
    Reads,
    Transcript,
    decode_stream,
    find_transcripts,
    last_response,
)

TRANSCRIPTS = find_transcripts()
ENOUGH = 200  # so that they do not vanish unnoticed

each_transcript = pytest.mark.parametrize(
    "transcript", [pytest.param(transcript, id=transcript.name) for transcript in TRANSCRIPTS]
)
each_stream = pytest.mark.parametrize(
    "transcript",
    [
        pytest.param(transcript, id=transcript.name)
        for transcript in TRANSCRIPTS
        if transcript.golden("events.sse") is not None
    ],
)


def test_there_are_many() -> None:
    assert len(TRANSCRIPTS) >= ENOUGH


@each_transcript
def test_what_is_made_is_what_was_reviewed(transcript: Transcript, update: bool) -> None:
    """The chat request, the events, the response, and the error; none of them more or less."""
    made = transcript.results()
    if update:
        transcript.write(made)

    assert {name: made.get(name) for name in GOLDEN} == {
        name: transcript.golden(name) for name in GOLDEN
    }


def bytewise(body: bytes) -> Reads:
    return [body[place : place + 1] for place in range(len(body))]


def at_random(body: bytes, seed: str) -> Reads:
    """Cut a body at places that depend on the seed alone: many short reads and some long ones."""
    drawn = random.Random(seed)
    cuts = {drawn.randrange(len(body) + 1) for _ in range(drawn.choice((1, 5, len(body) // 20)))}
    return [body[start:end] for start, end in pairwise(sorted(cuts | {0, len(body)}))]


WAYS: dict[str, Callable[[Transcript], Reads]] = {
    "whole": lambda transcript: [transcript.body] if transcript.body else [],
    "byte by byte": lambda transcript: bytewise(transcript.body),
    **{
        f"at random {number}": lambda transcript, number=number: at_random(  # type: ignore[misc]
            transcript.body, f"{transcript.name} {number}"
        )
        for number in range(3)
    },
}


@pytest.mark.parametrize("way", WAYS)
@each_transcript
def test_how_a_body_arrives_changes_nothing(transcript: Transcript, way: str) -> None:
    reads = WAYS[way](transcript)

    assert transcript.replay(reads).encode() == transcript.replay(transcript.reads).encode()


def stream_of(transcript: Transcript) -> list[dict[str, Any]]:
    events = transcript.golden("events.sse")
    assert events is not None
    return decode_stream(events)


@each_stream
def test_events_are_legal(transcript: Transcript) -> None:
    assert check(stream_of(transcript)) == []


@each_stream
def test_events_fit_the_schemas(transcript: Transcript) -> None:
    """Open Responses, where it can hold them, and the types of the openai SDK."""
    events = stream_of(transcript)

    assert [error for event in events for error in event_errors(event)] == []
    assert [error for event in events for error in sdk_errors(event)] == []
    assert response_errors(events[-1]["response"]) == []
    assert sdk_errors(events[-1]["response"]) == []


@each_transcript
def test_a_failure_after_any_event_leaves_a_legal_stream(transcript: Transcript) -> None:
    for outcome in failures(transcript):
        if outcome.error is None:
            assert check(decode_stream(outcome.encode())) == []
            assert last_response(outcome.events).status == "failed"
        else:
            assert outcome.events == ()


def failures(transcript: Transcript) -> Iterator[Outcome]:
    """Yield what comes of an upstream that fails behind each event that it sent."""
    for end in range(len(transcript.reads)):
        yield transcript.replay(transcript.reads[:end], UpstreamError("The connection broke."))
