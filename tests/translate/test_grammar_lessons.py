"""A refusal of the grammar of a tool: the call is asked for instead."""

from typing import Any

import pytest

from adapter.dialects import DIALECTS
from adapter.errors import UpstreamError
from adapter.translate.learn import is_lasting, learn
from tests.translate.requests import translate

WORD = {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"}
TOOL = {"type": "custom", "name": "w", "format": WORD}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
NO_GRAMMAR = "Invalid grammar specification."


@pytest.mark.parametrize(
    ("dialect", "fields", "text", "learned"),
    [
        ("vllm", {"tools": [TOOL], "tool_choice": "required"}, NO_GRAMMAR, {"grammar_field": None}),
        ("tgi", {"tools": [TOOL], "tool_choice": "required"}, "Bad regex", {"grammar_field": None}),
        ("vllm", {"tools": [TOOL]}, NO_GRAMMAR, {"schema_patterns": "never"}),
        ("llama.cpp", {"tools": [TOOL]}, "JSON schema conversion failed", {"schema_patterns": "never"}),
        ("vllm", {"tools": [FUNCTION]}, NO_GRAMMAR, None),
        ("vllm", {}, NO_GRAMMAR, None),
        ("vllm", {"tools": [TOOL], "tool_choice": "required"}, "No.", None),
        ("vllm", {"tools": [TOOL]}, "No.", None),
        ("generic", {"tools": [TOOL], "tool_choice": "required"}, NO_GRAMMAR, None),
    ],
)  # fmt: skip
def test_it_teaches_not_to_send_one(
    dialect: str, fields: dict[str, Any], text: str, learned: dict[str, Any] | None
) -> None:
    before = DIALECTS[dialect]
    chat = translate(before, **fields).chat

    after = learn(before, chat, UpstreamError(text, status=400))

    found = after and {fact: getattr(after, fact) for fact in after.learned}
    assert found == learned


def test_what_was_wrong_with_one_says_nothing_of_others() -> None:
    assert not is_lasting(UpstreamError(NO_GRAMMAR, status=400))
