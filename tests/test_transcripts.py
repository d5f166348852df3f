"""What servers were recorded to send, or reported to, becomes what was reviewed.

`tests/transcript.py` says what is in a transcript. Random input proves invariants
(`test_properties.py`), recorded input proves meaning: both are needed.
"""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from adapter.errors import UpstreamError
from adapter.stream.grammar import check
from tests.open_responses import event_errors, response_errors, sdk_errors
from tests.transcript import Answer, Reads, Transcript, decode_stream, find_transcripts

TRANSCRIPTS = find_transcripts()
AT_LEAST = 300  # so that they do not vanish unnoticed

each_transcript = pytest.mark.parametrize(
    "transcript", [pytest.param(transcript, id=transcript.name) for transcript in TRANSCRIPTS]
)
each_stream = pytest.mark.parametrize(
    "transcript",
    [
        pytest.param(transcript, id=transcript.name)
        for transcript in TRANSCRIPTS
        if (transcript.path / "events.sse").exists()
    ],
)


def test_there_are_many() -> None:
    assert len(TRANSCRIPTS) >= AT_LEAST


@each_transcript
def test_what_is_made_is_what_was_reviewed(transcript: Transcript, update: bool) -> None:
    """Chat requests, events, response, and error: all of them, and no others."""
    made = transcript.results()
    if update:
        transcript.write(made)

    assert made == transcript.reviewed()


def whole(answer: Answer) -> Reads:
    return [answer.body]


def byte_by_byte(answer: Answer) -> Reads:
    return [answer.body[place : place + 1] for place in range(len(answer.body))]


def cut_at_random(seed: int) -> Callable[[Answer], Reads]:
    """Cut at places that depend on the seed and the body alone: few, or many."""

    def arriving(answer: Answer) -> Reads:
        body = answer.body
        drawn = random.Random(body + bytes(seed))
        cuts = {
            drawn.randrange(len(body) + 1) for _ in range(drawn.choice((1, 5, len(body) // 20)))
        }
        return [body[start:end] for start, end in pairwise(sorted(cuts | {0, len(body)}))]

    return arriving


@pytest.mark.parametrize(
    "arriving",
    [
        pytest.param(whole, id="whole"),
        pytest.param(byte_by_byte, id="byte by byte"),
        *(pytest.param(cut_at_random(seed), id=f"cut at random {seed}") for seed in range(3)),
    ],
)
@each_transcript
def test_how_an_answer_arrives_changes_nothing(
    transcript: Transcript, arriving: Callable[[Answer], Reads]
) -> None:
    assert transcript.replay(arriving).encode() == transcript.replay().encode()


def stream_of(transcript: Transcript) -> list[dict[str, Any]]:
    return decode_stream(transcript.reviewed()["events.sse"])


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
def test_an_upstream_that_fails_leaves_a_legal_stream(transcript: Transcript) -> None:
    """It fails behind each event of its last answer; what it said until then is kept.

    An answer that only could have been better is kept whole.
    """
    *before, last = transcript.source.answers
    status = "completed" if before and before[-1].status == 200 else "failed"
    reads = last.reads
    for end in range(len(reads)):

        def arriving(answer: Answer, end: int = end) -> Reads:
            return reads[:end] if answer is last else answer.reads

        outcome = transcript.replay(arriving, UpstreamError("The connection broke."))
        if outcome.error is None:
            assert check(decode_stream(outcome.encode())) == []
            assert outcome.response.status == status
        else:
            assert outcome.events == ()
