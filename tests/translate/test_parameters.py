"""Every parameter of a request is mapped, handled, echoed, ignored or refused: none is lost."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.translate.decode import KNOWN_FIELDS
from adapter.translate.extras import PASSED_THROUGH
from adapter.translate.parameters import (
    POLICIES,
    check_supported,
    to_chat_parameters,
    wants_logprobs,
)
from tests.translate.requests import PLAIN, chat, refusal, request, translate

ALWAYS = {"stream": True, "stream_options": {"include_usage": True}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def parameters(**fields: Any) -> dict[str, Any]:
    """Return what is sent besides the model and the messages."""
    body = chat(**fields)
    return {name: body[name] for name in body if name not in {"model", "messages"}}


# (name, fields, what is sent besides the streaming)
MAPPED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing", {}, {}),
    ("stream", {"stream": False, "stream_options": {"include_obfuscation": True}}, {}),
    (
        "sampling",
        {"temperature": 0.5, "top_p": 0, "presence_penalty": -2, "frequency_penalty": 2},
        {"temperature": 0.5, "top_p": 0, "presence_penalty": -2, "frequency_penalty": 2},
    ),
    ("the output limit", {"max_output_tokens": 5}, {"max_completion_tokens": 5}),
    ("the output limit of look-alikes", {"max_tokens": 5}, {"max_completion_tokens": 5}),
    ("the newer one of them", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    (
        "all three limits",
        {"max_output_tokens": 1, "max_completion_tokens": 2, "max_tokens": 3},
        {"max_completion_tokens": 1},
    ),
    ("top_logprobs", {"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
    ("no top_logprobs", {"top_logprobs": 0}, {}),
    ("logprobs by include", {"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
    ("another include", {"include": ["reasoning.encrypted_content"]}, {}),
    ("effort", {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ("reasoning without effort", {"reasoning": {"summary": "auto"}}, {}),
    ("plain text", {"text": {"format": {"type": "text"}}}, {}),
    (
        "a JSON object",
        {"text": {"format": {"type": "json_object"}}},
        {"response_format": {"type": "json_object"}},
    ),
    (
        "a JSON schema",
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA},
            }
        },
    ),
    (
        "a JSON schema with everything",
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "n",
                    "schema": SCHEMA,
                    "description": "d",
                    "strict": False,
                }
            }
        },
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "description": "d", "strict": False},
            }
        },
    ),
    ("chat-style: plain text", {"response_format": {"type": "text"}}, {}),
    (
        "chat-style: a JSON object",
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_object"}},
    ),
    (
        "chat-style: a JSON schema without a name",
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "response", "schema": SCHEMA},
            }
        },
    ),
    (
        "text.format counts more than response_format",
        {
            "text": {"format": {"type": "json_object"}},
            "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
        },
        {"response_format": {"type": "json_object"}},
    ),
    ("verbosity", {"text": {"verbosity": "low"}}, {"verbosity": "low"}),
    (
        "hints that the upstream knows",
        {"user": "u", "service_tier": "flex"},
        {"user": "u", "service_tier": "flex"},
    ),
    ("hints that it does not know", {"safety_identifier": "s", "prompt_cache_key": "k"}, {}),
    (
        "fields of chat servers",
        {"top_k": 5, "stop": ["a"], "chat_template_kwargs": {"x": 1}, "seed": None},
        {"top_k": 5, "stop": ["a"], "chat_template_kwargs": {"x": 1}},
    ),
    (
        "our own field counts more",
        {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
        {"reasoning_effort": "low"},
    ),
    (
        "what is only echoed",
        {"store": True, "metadata": {"a": "b"}, "truncation": "auto", "max_tool_calls": 1},
        {},
    ),
    (
        "what is ignored",
        {
            "background": False,
            "client_metadata": {"a": 1},
            "context_management": [{"type": "compaction"}],
            "prompt_cache_options": {"mode": "x"},
            "moderation": {},
            "access_programs": [],
            "image": 1,
            "personality": "x",
        },
        {},
    ),
    (
        "tools and what belongs to them, without tools",
        {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
        {},
    ),
    ("nulls", dict.fromkeys(KNOWN_FIELDS - {"model", "input"}), {}),
]


@pytest.mark.parametrize(
    ("fields", "expected"), [pytest.param(*case, id=name) for name, *case in MAPPED]
)
def test_parameters_become_chat_parameters(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert parameters(**fields) == {**ALWAYS, **expected}


def test_every_field_has_a_policy() -> None:
    assert POLICIES.keys() == KNOWN_FIELDS


def test_what_passes_through_is_no_field_of_ours() -> None:
    assert frozenset() == PASSED_THROUGH & KNOWN_FIELDS


@pytest.mark.parametrize("name", sorted(PASSED_THROUGH))
def test_fields_of_chat_servers_pass_through(name: str) -> None:
    assert parameters(**{name: 7}) == {**ALWAYS, name: 7}


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param({"unheard_of": 1, "extras": 2}, ("unheard_of", "extras"), id="unknown fields"),
        pytest.param({"x" * 100: 1}, ("x" * 64,), id="an unknown field with a long name"),
        pytest.param({"top_k": None}, (), id="null for a field that passes through"),
    ],
)
def test_fields_that_nobody_knows_are_reported(
    fields: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    assert translate(**fields).dropped == dropped


def test_fields_that_nobody_knows_are_refused_if_set() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        to_chat_parameters(request(unheard_of=1), PLAIN, "reject")

    error = caught.value
    assert (error.code, error.param) == ("unknown_parameter", "unheard_of")


def test_verbosity_that_the_upstream_does_not_know_is_reported() -> None:
    generic = Dialect(name="generic", source="a test")

    assert translate(generic, text={"verbosity": "low"}).dropped == ("text.verbosity",)


# (name, fields, code, param)
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("previous_response_id", {"previous_response_id": "resp_1"}, "unsupported_parameter", "previous_response_id"),
    ("conversation", {"conversation": "conv_1"}, "unsupported_parameter", "conversation"),
    ("conversation as an object", {"conversation": {"id": "conv_1"}}, "unsupported_parameter", "conversation"),
    ("both", {"conversation": "conv_1", "previous_response_id": "resp_1"}, "invalid_value", "conversation"),
    ("prompt", {"prompt": {"id": "pmpt_1"}}, "unsupported_parameter", "prompt"),
    ("background", {"background": True}, "unsupported_value", "background"),
    ("a chat-style schema without a schema", {"response_format": {"type": "json_schema"}}, "missing_required_parameter", "response_format.json_schema.schema"),
    ("a chat-style schema with a null schema", {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}, "missing_required_parameter", "response_format.json_schema.schema"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_what_cannot_be_done_is_refused_by_its_name(
    fields: dict[str, Any], code: str, param: str
) -> None:
    assert refusal(**fields)[:2] == (code, param)


def test_what_can_be_done_is_not_refused() -> None:
    check_supported(request(background=False, previous_response_id=None))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"top_logprobs": 0}, False),
        ({"include": []}, False),
        ({"top_logprobs": 1}, True),
        ({"include": ["message.output_text.logprobs"]}, True),
    ],
)
def test_log_probabilities_are_asked_for_in_two_ways(
    fields: dict[str, Any], expected: bool
) -> None:
    assert wants_logprobs(request(**fields)) is expected
