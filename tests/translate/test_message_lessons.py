"""Refusals teach about messages: the request that is made anew is one that the server takes."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.errors import UpstreamError
from adapter.translate.learn import learn
from tests.translate.requests import PLAIN, call, output, translate

GENERIC = Dialect(name="generic", source="a test")
USER = {"role": "user", "content": "Hello"}
EMPTY = {"role": "assistant", "content": ""}
LATE = {"role": "developer", "content": "Hook."}
JSON = {"format": {"type": "json_object"}}

# (name, dialect, request, the refusal, what is learned)
LESSONS: list[tuple[str, Dialect, dict[str, Any], str, dict[str, Any]]] = [
    (
        "no developer role",
        Dialect(name="openai", source="a test", system_role="developer"),
        {"instructions": "Be brief."},
        "Unexpected message role 'developer'.",
        {"system_role": "system"},
    ),
    (
        "Gemma-2: no system role",
        GENERIC,
        {"instructions": "Be brief."},
        "System role not supported",
        {"system_role": "user"},
    ),
    (
        "Mixtral: roles alternate from the first",
        GENERIC,
        {"instructions": "Be brief."},
        "Conversation roles must alternate user/assistant/user/assistant/...",
        {"system_role": "user"},
    ),
    (
        "users that follow each other come first",
        PLAIN,
        {"instructions": "Be brief.", "input": [USER, USER]},
        "Conversation roles must alternate user/assistant/user/assistant/...",
        {"merge_same_role": True},
    ),
    (
        "so does a system message that is late",
        PLAIN,
        {"instructions": "Be brief.", "input": [USER, LATE]},
        "System message must be at the beginning.",
        {"late_system": "user"},
    ),
    (
        "Mistral: an answer between tool and user",
        GENERIC,
        {"input": [USER, call("c1"), output("c1"), USER]},
        "Unexpected role 'user' after role 'tool'",
        {"tool_bridge": "Understood."},
    ),
    (
        "an answer that says nothing",
        GENERIC,
        {"input": [USER, EMPTY, USER]},
        "messages.1: all messages must have non-empty content",
        {"empty_answers": False},
    ),
    (
        "Mistral: an answer that says nothing",
        GENERIC,
        {"input": [USER, EMPTY, USER]},
        "Assistant message must have either content or tool_calls, but not none.",
        {"empty_answers": False},
    ),
    (
        "xAI: an answer that says nothing",
        GENERIC,
        {"input": [USER, EMPTY, USER]},
        "Each message must have at least one content element.",
        {"empty_answers": False},
    ),
    (
        "the word that JSON needs",
        GENERIC,
        {"text": JSON},
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
        "'json_object'.",
        {"json_word": True},
    ),
]


@pytest.mark.parametrize(
    ("dialect", "fields", "message", "expected"),
    [pytest.param(*case, id=name) for name, *case in LESSONS],
)
def test_a_refusal_teaches(
    dialect: Dialect, fields: dict[str, Any], message: str, expected: dict[str, Any]
) -> None:
    chat = translate(dialect, **fields).chat
    learned = learn(dialect, chat, UpstreamError(message, status=400))

    assert learned is not None
    assert {fact: getattr(learned, fact) for fact in expected} == expected
    assert translate(learned, **fields).chat != chat


# (name, request, the refusal)
NOTHING: list[tuple[str, dict[str, Any], str]] = [
    ("no system message was sent", {}, "System role not supported"),
    ("no user follows a tool", {}, "user after a tool change the file"),
    ("all answers say something", {"input": [USER]}, "messages: content must not be empty"),
    ("no object was asked for", {}, "must contain the word 'json'"),
    ("the fault is elsewhere", {"instructions": "Be brief."}, "The system is on fire."),
]


@pytest.mark.parametrize(
    ("fields", "message"), [pytest.param(*case, id=name) for name, *case in NOTHING]
)
def test_what_was_not_sent_teaches_nothing(fields: dict[str, Any], message: str) -> None:
    chat = translate(GENERIC, **fields).chat

    assert learn(GENERIC, chat, UpstreamError(message, status=400)) is None


def test_a_shape_of_schema_that_is_refused_is_a_schema_all_the_same() -> None:
    """Otherwise the same would be refused again and again."""
    tgi = Dialect(name="tgi", source="a test", format_shape="tgi")
    schema = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    chat = translate(tgi, text=schema).chat

    learned = learn(tgi, chat, UpstreamError("response_format is not supported", status=422))

    assert learned is not None
    assert learned.formats == {"json_object"}
