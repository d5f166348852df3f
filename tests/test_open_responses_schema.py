"""The schema checks of `tests/open_responses.py` take what was recorded and refuse what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.open_responses import event_errors, response_errors, sdk_errors
from tests.stream.broken_streams import Change, changed, put, put_in, remove, remove_in
from tests.stream.legal_items import LEGAL_ITEMS
from tests.stream.legal_streams import ERROR, RESPONSE, Event, reasoning, stream

RECORDED = Path(__file__).parent / "data" / "recorded"

# Recordings of OpenAI and LM Studio since January 2026 have every key that Open Responses requires.
VALID_IN_OPEN_RESPONSES = [
    "ai-openai-client-tool-search.1",
    "ai-openai-client-tool-search.2",
    "ai-openai-pdf-input-file.1",
    "ai-openai-shell-skills.1",
    "ai-programmatic-tool-calling.1",
    "lmstudio-basic.1",
    "lmstudio-tool-call.1",
    "oai-builtin-tool-code_interpreter-function-stream",
    "oai-context_length_exceeded-stream",
    "oai-max-tool-calls-web-search-v1",
    "oai-text-max_output_tokens-incomplete-stream",
    "oai-tool-function-tool_loop-step1-stream",
    "pyai-background_mode_streaming_vcr.0",
    "pyai-openai_include_raw_annotations_streaming.0",
    "pyai-openai_responses_compact_stateful_mode_stream.2",
    "pyai-openai_responses_phase_streamed_on_part_start.0",
]
# The SDK's types of November 2026 require a counter that OpenAI sends since July 2026.
VALID_IN_SDK = [
    "ai-openai-error.1",
    "ai-programmatic-tool-calling.1",
    "ai-programmatic-tool-calling.2",
    "ai-programmatic-tool-calling.3",
    "oai-context_length_exceeded-stream",
    "pyai-openai_responses_moderation_stream.0",
    "pyai-openai_responses_phase_streamed_on_part_start.0",
    "pyai-openai_responses_phase_streamed_on_part_start.1",
]
GOOD = [event for items in LEGAL_ITEMS.values() for event in stream(items)]


def recorded(name: str) -> list[Event]:
    with (RECORDED / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", VALID_IN_OPEN_RESPONSES)
def test_open_responses_takes_recorded_streams(name: str) -> None:
    assert [error for event in recorded(name) for error in event_errors(event)] == []


@pytest.mark.parametrize("name", VALID_IN_SDK)
def test_the_sdk_takes_recorded_streams(name: str) -> None:
    assert [error for event in recorded(name) for error in sdk_errors(event)] == []


@pytest.mark.parametrize("kind", LEGAL_ITEMS)
def test_both_take_an_item_of_every_type(kind: str) -> None:
    events = stream(LEGAL_ITEMS[kind])

    assert [error for event in events for error in event_errors(event)] == []
    assert [error for event in events for error in sdk_errors(event)] == []


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_both_take_a_response_of_every_status(status: str) -> None:
    events = stream(reasoning(), status=status, queued=True)

    assert [error for event in events for error in event_errors(event)] == []
    assert [error for event in events for error in sdk_errors(event)] == []
    assert response_errors(events[-1]["response"]) == []
    assert sdk_errors(events[-1]["response"]) == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "keepalive", "sequence_number": 3}, id="keepalive"),
        pytest.param({"type": "vendor:trace", "sequence_number": 3}, id="extension"),
        *(
            pytest.param(event, id=f"{name} {number}")
            for name in ("reasoning", "reasoning_text")
            for number, event in enumerate(stream(reasoning(name=name)))
        ),
    ],
)
def test_both_pass_what_only_one_of_them_names(event: Event) -> None:
    assert event_errors(event) == []
    assert sdk_errors(event) == []


# (name, stream, change, what Open Responses says, what the SDK says; "" if nothing)
NO_KEY = "Field required"
REFUSED: list[tuple[str, Change, str, str]] = [
    ("no number", remove("output_text.delta", "sequence_number"), "'sequence_number'", NO_KEY),
    ("unknown type", put("output_text.delta", type="response.done"), "unknown", "unknown"),
    ("a delta of null", put("output_text.delta", delta=None), "delta: None", "delta: Input"),
    ("an index of text", put("output_text.delta", output_index="0"), "output_index", "output_index"),
    ("no logprobs", remove("output_text.done", "logprobs"), "", "logprobs: Field required"),
    ("no role", remove_in("item", "output_item.added", "role"), "item: 'role'", "role: Field"),
    ("unknown status", put_in("item", "output_item.done", status="x"), "item.status", "status"),
    ("no store", remove_in("response", "created", "store"), "response: 'store'", ""),
    ("no tools", remove_in("response", "created", "tools"), "response: 'tools'", "tools: Field"),
    ("null temperature", put_in("response", "created", temperature=None), "temperature", ""),
    ("a wrong part", put_in("part", "content_part.done", text=1), "part.text", "text: Input"),
    ("an unknown part", put_in("part", "content_part.done", type="x"), "part", "type is unknown"),
    ("usage of null", put_in("response", "completed", usage={}), "usage", "total_tokens: Field"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "by_schema", "by_sdk"),
    [pytest.param(*case[1:], id=case[0]) for case in REFUSED],
)
def test_both_refuse_what_is_wrong(change: Change, by_schema: str, by_sdk: str) -> None:
    events = stream(LEGAL_ITEMS["message"])
    broken = next(
        after
        for before, after in zip(events, unnumbered_change(events, change), strict=True)
        if before != after
    )

    assert_names(event_errors(broken), by_schema)
    assert_names(sdk_errors(broken), by_sdk)


def unnumbered_change(events: list[Event], change: Change) -> list[Event]:
    copy: list[Event] = json.loads(json.dumps(events))
    change(copy)
    return copy


def assert_names(errors: list[str], expected: str) -> None:
    if expected:
        assert any(expected in error for error in errors), errors
    else:
        assert errors == []


def test_an_item_of_an_unknown_type_is_refused_by_the_sdk() -> None:
    broken = changed(GOOD, put_in("item", "output_item.added", type="thought"))[2]

    assert sdk_errors(broken) == ["item: its type is unknown"]


def test_errors_are_nested() -> None:
    """OpenAI and Open Responses nest them; the types of the SDK alone have them flat."""
    nested = {**ERROR, "sequence_number": 2}
    flat = {**ERROR["error"], "type": "error", "sequence_number": 2}

    assert event_errors(nested) == sdk_errors(nested) == []
    assert event_errors(flat) == [": 'error' is a required property"]
    assert sdk_errors(flat) == ["message: Field required"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tools": [{"type": "custom", "name": "sql"}]}, id="custom tool"),
        pytest.param({"tool_choice": {"type": "custom", "name": "sql"}}, id="custom tool choice"),
        pytest.param({"reasoning": {"effort": "minimal", "summary": None}}, id="effort"),
        pytest.param(
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "x",
                        "schema": {"type": "object"},
                        "description": None,
                        "strict": True,
                    }
                }
            },
            id="JSON schema",
        ),
    ],
)
def test_echoes_that_the_schema_cannot_hold_are_let_pass(changes: dict[str, Any]) -> None:
    response = {**RESPONSE, **changes}

    assert response_errors(response) == []
    assert sdk_errors(response) == []
