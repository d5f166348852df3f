"""A custom tool is a function with one string, whose text is the input."""

from typing import Any

import pytest

from tests.tools.calls import added, item, show, toolbox

WRITE = {"type": "custom", "name": "write"}


def offered(**fields: Any) -> Any:
    return toolbox({**WRITE, **fields}).offered["write"].definition


def test_it_is_offered_as_a_function_with_one_string() -> None:
    definition = offered(description="Writes.")

    assert (definition.name, definition.description) == ("write", "Writes.")
    assert b'"required":["input"]' in bytes(definition.parameters)


@pytest.mark.parametrize("syntax", ["lark", "regex"])
def test_its_grammar_is_in_the_description(syntax: str) -> None:
    grammar = {"type": "grammar", "syntax": syntax, "definition": "a+"}
    definition = offered(description="Writes.", format=grammar)

    assert definition.description == (f"Writes.\n\nThe input must match this {syntax} grammar:\na+")


def test_plain_text_needs_no_description() -> None:
    assert not offered(format={"type": "text"}).description


def test_it_is_announced_without_an_input() -> None:
    assert added(WRITE) == {
        "type": "custom_tool_call",
        "name": "write",
        "input": "",
        "status": "in_progress",
    }


def test_its_input_is_said_as_it_comes() -> None:
    assert show(WRITE, '{"inp', 'ut": "Hel', "lo\\", 'n"}') == [
        ("custom_tool_call_input.delta", "Hel"),
        ("custom_tool_call_input.delta", "lo"),
        ("custom_tool_call_input.delta", "\n"),
        ("custom_tool_call_input.done", "Hello\n"),
    ]


def test_its_item_has_the_whole_input() -> None:
    assert item(WRITE, '{"input": "Hello"}') == {
        "type": "custom_tool_call",
        "name": "write",
        "input": "Hello",
        "status": "completed",
    }


def test_what_is_not_wrapped_is_said_when_it_is_whole() -> None:
    assert show(WRITE, "Hel", "lo") == [
        ("custom_tool_call_input.delta", "Hello"),
        ("custom_tool_call_input.done", "Hello"),
    ]


def test_an_input_that_was_cut_is_incomplete() -> None:
    assert item(WRITE, '{"input": "Hel', finish_reason="length") == {
        "type": "custom_tool_call",
        "name": "write",
        "input": "Hel",
        "status": "incomplete",
    }


def test_no_input_is_empty() -> None:
    assert show(WRITE) == [("custom_tool_call_input.done", "")]
