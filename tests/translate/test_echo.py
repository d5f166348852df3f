"""The response object says what was asked, with defaults for what was not."""

from typing import Any

import pytest

from adapter.translate.echo import to_response
from adapter.translate.request import to_chat_request
from adapter.types.request import JsonObjectFormat, TextFormat
from adapter.types.response import Response
from adapter.types.tools import FunctionTool
from tests.translate.requests import PLAIN, request

NOTHING = Response(
    id="resp_1",
    created_at=1_760_000_000,
    status="in_progress",
    model="tiny",
    text={"format": {"type": "text"}, "verbosity": "medium"},
    reasoning={"effort": None, "summary": None},
)


def echo(**fields: Any) -> Response:
    asked = request(**fields)
    translation = to_chat_request(asked, PLAIN)
    return to_response(asked, translation, id="resp_1", created_at=1_760_000_000)


def test_what_was_not_asked_has_its_default() -> None:
    assert echo() == NOTHING


def test_everything_that_was_asked_is_echoed() -> None:
    asked = {
        "model": "repo:provider",
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": {"type": "function", "name": "f"},
        "truncation": "auto",
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "top_p": 0.5,
        "presence_penalty": -1,
        "frequency_penalty": 1,
        "top_logprobs": 2,
        "temperature": 0,
        "reasoning": {"effort": "low", "summary": "auto", "context": "auto", "mode": "pro"},
        "max_output_tokens": 5,
        "max_tool_calls": 6,
        "metadata": {"a": "b"},
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "user": "u",
    }

    assert echo(**asked) == Response(
        id="resp_1",
        created_at=1_760_000_000,
        status="in_progress",
        model="repo:provider",
        instructions="Be brief.",
        tools=(FunctionTool("f"),),
        tool_choice={"type": "function", "name": "f"},
        truncation="auto",
        parallel_tool_calls=False,
        text={"format": JsonObjectFormat(), "verbosity": "low"},
        top_p=0.5,
        presence_penalty=-1,
        frequency_penalty=1,
        top_logprobs=2,
        temperature=0,
        reasoning={"effort": "low", "summary": "auto", "context": "auto", "mode": "pro"},
        max_output_tokens=5,
        max_tool_calls=6,
        metadata={"a": "b"},
        safety_identifier="s",
        prompt_cache_key="k",
        user="u",
    )


SCHEMA = {"type": "object"}
FULL_SCHEMA = {
    "type": "json_schema",
    "name": "n",
    "description": None,
    "schema": SCHEMA,
    "strict": False,
}

# (name, fields, the format that is echoed)
FORMATS: list[tuple[str, dict[str, Any], Any]] = [
    ("no format", {"text": {}}, {"type": "text"}),
    ("text", {"text": {"format": {"type": "text"}}}, TextFormat()),
    (
        "a schema has all its keys",
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
        FULL_SCHEMA,
    ),
    (
        "a schema with everything",
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "n",
                    "schema": SCHEMA,
                    "description": "d",
                    "strict": True,
                }
            }
        },
        {**FULL_SCHEMA, "description": "d", "strict": True},
    ),
    ("chat-style: text", {"response_format": {"type": "text"}}, {"type": "text"}),
    (
        "chat-style: a JSON object",
        {"response_format": {"type": "json_object"}},
        JsonObjectFormat(),
    ),
    (
        "chat-style: a schema",
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA},
            }
        },
        FULL_SCHEMA,
    ),
]


@pytest.mark.parametrize(
    ("fields", "expected"), [pytest.param(*case, id=name) for name, *case in FORMATS]
)
def test_the_format_is_echoed_as_responses_have_it(fields: dict[str, Any], expected: Any) -> None:
    assert echo(**fields).text == {"format": expected, "verbosity": "medium"}


def test_the_old_name_of_the_summary_is_echoed_under_the_new_one() -> None:
    found = echo(reasoning={"generate_summary": "concise"}).reasoning

    assert found == {"effort": None, "summary": "concise"}


@pytest.mark.parametrize("name", ["max_output_tokens", "max_completion_tokens", "max_tokens"])
def test_the_output_limit_is_echoed_under_one_name(name: str) -> None:
    assert echo(**{name: 5}).max_output_tokens == 5


def test_nothing_is_stored() -> None:
    assert echo(store=True).store is False
