"""Functions are offered to the chat model, and its calls of them are shown as they come."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Raw

from adapter.errors import InvalidRequestError
from adapter.tools.function import NO_PARAMETERS, offer_function, read_function
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.tools import FunctionTool

PARAMETERS = {"type": Raw(b'"object"')}


def raw(given: Any) -> Raw:
    return Raw(msgspec.json.encode(given))


# (name, tool as the client sends it, tool as the response echoes it)
TOOLS: list[tuple[str, dict[str, Any], FunctionTool]] = [
    ("only a name", {"type": "function", "name": "f"}, FunctionTool("f")),
    (
        "everything",
        {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
        FunctionTool("f", "d", PARAMETERS, True),
    ),
    (
        "nulls",
        {"name": "f", "description": None, "parameters": None, "strict": None},
        FunctionTool("f"),
    ),
    (
        "chat-style",
        {"function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        FunctionTool("f", "d", PARAMETERS),
    ),
    ("chat-style counts more", {"name": "g", "function": {"name": "f"}}, FunctionTool("f")),
    ("a null beside it", {"name": "f", "function": None}, FunctionTool("f")),
]


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*case, id=name) for name, *case in TOOLS]
)
def test_a_function_is_read_in_either_style(given: dict[str, Any], expected: FunctionTool) -> None:
    assert read_function(raw(given), "tools[0]") == expected


# (name, tool, code, param)
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no name", {}, "missing_required_parameter", "tools[3].name"),
    ("a null name", {"name": None}, "invalid_type", "tools[3].name"),
    ("an empty name", {"name": ""}, "string_below_min_length", "tools[3].name"),
    ("a long name", {"name": "f" * 129}, "string_above_max_length", "tools[3].name"),
    ("chat-style: no name", {"function": {}}, "missing_required_parameter", "tools[3].function.name"),
    ("parameters of a list", {"name": "f", "parameters": []}, "invalid_type", "tools[3].parameters"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_a_function_that_is_none_is_refused_by_its_path(
    given: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_function(raw(given), "tools[3]")

    assert (caught.value.code, caught.value.param) == (code, param)


# (name, tool, what the chat model is offered)
OFFERS: list[tuple[str, FunctionTool, ChatFunctionDefinition]] = [
    ("only a name", FunctionTool("f"), ChatFunctionDefinition(name="f", parameters=NO_PARAMETERS)),
    (
        "everything",
        FunctionTool("f", "d", PARAMETERS, False),
        ChatFunctionDefinition(name="f", parameters=PARAMETERS, description="d", strict=False),
    ),
    (
        "empty parameters",
        FunctionTool("f", "", {}),
        ChatFunctionDefinition(name="f", parameters=NO_PARAMETERS, description=""),
    ),
]


@pytest.mark.parametrize(
    ("tool", "expected"), [pytest.param(*case, id=name) for name, *case in OFFERS]
)
def test_a_function_is_offered_as_chat_completions_have_it(
    tool: FunctionTool, expected: ChatFunctionDefinition
) -> None:
    assert offer_function(tool).definition == expected


def test_a_function_of_a_namespace_is_offered_under_both_names() -> None:
    offered = offer_function(FunctionTool("search", "Finds pages."), "web", "About the web.")

    assert offered.definition == ChatFunctionDefinition(
        name="web__search",
        description="About the web.\n\nFinds pages.",
        parameters=NO_PARAMETERS,
    )
    assert (offered.name, offered.namespace) == ("search", "web")


def test_a_function_of_no_namespace_has_none() -> None:
    assert offer_function(FunctionTool("f")).namespace is UNSET
