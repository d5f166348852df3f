"""Adding a dialect takes one row and no other change.

The server is invented, and unlike any other: every fact below is one that some server has.
"""

import json
from typing import Any

import msgspec

from adapter.dialects import DIALECTS, Dialect, find_dialect
from adapter.dialects.base import ModelFacts, ThinkingSwitch
from adapter.habits import Habits
from adapter.stream.deltas import CallDelta, ReasoningDelta, TextDelta
from adapter.stream.turn import TurnReader
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request

INVENTED = Dialect(
    name="invented",
    source="a test, 2026-11",
    hosts=frozenset({"chat.invented.example"}),
    system_role="user",
    bracketed_models=False,
    tool_bridge="Seen.",
    empty_answers=False,
    reasoning_field="tags",
    think_marks=("[mull]", "[/mull]"),
    think_tags="anywhere",
    efforts=("dim", "bright"),
    effort_names={"low": "dim", "high": "bright"},
    effort_field="mind.light",
    thinking=ThinkingSwitch("mind.on", on=1, off=0),
    output_limit="max_completion_tokens",
    refuses=frozenset({"top_p", "stream_options"}),
    renames={"seed": "dice"},
    ranges={"temperature": (0.1, 1.0)},
    body={"mind.keep": True},
    tool_choices=frozenset({"auto"}),
    strict_tools=False,
    object_arguments=True,
    call_id_length=5,
    schema_refuses=frozenset({"const"}),
    formats=frozenset({"json_schema"}),
    format_shape="json_object",
    models=(ModelFacts(("invented-mini*",), {"body": {}, "refuses": frozenset()}),),
)

REQUEST = {
    "model": "invented-max[1m]",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [
            {"type": "reasoning_text", "text": "I call."},
        ]},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": ""},
    ],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "parameters": {"type": "object", "properties": {"a": {"const": 1}}},
            "strict": True,
        }
    ],
    "tool_choice": "required",
    "temperature": 0,
    "top_p": 0.5,
    "seed": 7,
    "max_output_tokens": 9,
    "reasoning": {"effort": "high"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
}  # fmt: skip

CHAT = {
    "model": "invented-max",
    "messages": [
        {
            "role": "user",
            "content": "<system>\nBe brief.\n</system>\n\n"
            "<system>\nYou must call at least one of the tools before you answer.\n</system>\n\n"
            "Weather?",
        },
        {
            "role": "assistant",
            "content": "[mull]\nI call.\n[/mull]\n\n",
            "tool_calls": [
                {
                    "id": "74196",
                    "type": "function",
                    "function": {"name": "f", "arguments": {"a": 1}},
                }
            ],
        },
        {"role": "tool", "content": "Sunny.", "tool_call_id": "74196"},
        {"role": "assistant", "content": "Seen."},
        {"role": "user", "content": "And now?"},
    ],
    "stream": True,
    "temperature": 0.1,
    "response_format": {"type": "json_object", "schema": {"type": "object"}},
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "parameters": {"type": "object", "properties": {"a": {"enum": [1]}}},
            },
        }
    ],
    "tool_choice": "auto",
    "mind": {"on": 1, "light": "bright", "keep": True},
    "max_completion_tokens": 9,
    "dice": 7,
}

CHUNKS: list[Any] = [
    {"choices": [{"delta": {"content": "[mu"}}]},
    {"choices": [{"delta": {"content": "ll]Hm.[/mull]So: "}}]},
    {
        "choices": [
            {
                "delta": {"tool_calls": {"function": {"name": "f", "arguments": {"a": 1}}}},
                "finish_reason": "stop",
            }
        ]
    },
]


def test_a_request_is_made_by_the_row_alone() -> None:
    translation = to_chat_request(decode_request(json.dumps(REQUEST).encode()), INVENTED)

    assert json.loads(translation.chat.encode()) == CHAT
    assert translation.dropped == ("tools[0].strict", "top_p")
    assert translation.adapted == (
        "tool_choice",
        "tools[0].parameters",
        "reasoning.effort",
        "temperature",
    )
    assert translation.answer_schema is None


def test_an_answer_is_read_by_the_row_alone() -> None:
    reader = TurnReader(INVENTED, "text/event-stream")
    body = b"".join(b"data: %s\n\n" % msgspec.json.encode(chunk) for chunk in CHUNKS)

    deltas = reader.feed(body) + reader.end()

    assert deltas == [
        ReasoningDelta("Hm."),
        TextDelta("So: "),
        CallDelta(0, "", "f", '{"a":1}'),
    ]
    assert (reader.failure, reader.finish_reason) == (None, "stop")


def test_it_is_found_by_the_row_alone() -> None:
    known = {**DIALECTS, "invented": INVENTED}

    assert find_dialect(base_url="https://chat.invented.example/v1", known=known) == INVENTED


def test_its_models_are_told_apart_by_the_row_alone() -> None:
    habits = Habits(INVENTED)

    assert habits.of("invented-mini-2").refuses == frozenset()
    assert habits.of("invented-max").refuses == INVENTED.refuses
    assert habits.of("invented-mini-2").models == ()
