"""Input items are found by their type, or by what they look like."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.translate.items import MAX_ITEMS, SKIPPED_ITEMS
from tests.translate.requests import chat, messages, refusal, translate

HI = {"role": "user", "content": "Hi"}
MERGING = Dialect(name="merging", source="a test", merge_same_role=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"type": None, **HI}, HI, id="a message with a null type"),
        pytest.param({"type": "message", **HI, "id": None}, HI, id="a message with a type"),
        pytest.param({"type": "input_text", "text": "Hi"}, HI, id="a bare part"),
        pytest.param({"type": "text", "text": "Hi"}, HI, id="a bare chat-style part"),
        pytest.param(
            {"type": "image_url", "image_url": "https://example.org/a.png"},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
                ],
            },
            id="a bare image",
        ),
    ],
)
def test_an_item_may_be_what_it_looks_like(given: Any, expected: Any) -> None:
    assert messages([given]) == [expected]


@pytest.mark.parametrize("item_type", [*sorted(SKIPPED_ITEMS), "acme:thing"])
def test_what_a_hosting_server_did_is_left_out_and_reported(item_type: str) -> None:
    translation = translate(input=[HI, {"type": item_type, "id": "x_1", "anything": []}, HI])

    assert (len(translation.chat.messages), translation.dropped) == (2, ("input[1]",))


def test_input_items_are_the_input_of_look_alikes() -> None:
    assert chat(input=None, input_items=[HI])["messages"] == [HI]


def test_the_input_counts_more_than_input_items() -> None:
    assert chat(input=[HI], input_items=[{"role": "user", "content": "No"}])["messages"] == [HI]


# (name, input, code, param)
REFUSED: list[tuple[str, Any, str, str]] = [
    ("an empty string", "", "missing_required_parameter", "input"),
    ("an empty list", [], "missing_required_parameter", "input"),
    ("null", None, "missing_required_parameter", "input"),
    ("a number", 7, "invalid_type", "input"),
    ("strings", ["Hi"], "invalid_type", "input[0]"),
    ("a list in a list", [[HI]], "invalid_type", "input[0]"),
    ("an item that looks like nothing", [{}], "missing_required_parameter", "input[0].type"),
    ("an item of unknown type", [HI, {"type": "wish"}], "unsupported_value", "input[1].type"),
    ("a type that is a number", [{"type": 7}], "invalid_type", "input[0].type"),
    ("a role that is none", [{"role": "tool", "content": ""}], "invalid_value", "input[0].role"),
    ("content that is a number", [{"role": "user", "content": 7}], "invalid_type", "input[0].content"),
    ("a call without a name", [{"type": "function_call", "call_id": "c"}], "missing_required_parameter", "input[0].name"),
    ("a reference by its id alone", [{"id": "msg_1"}], "invalid_value", "input[0].id"),
    ("nothing that can be sent", [{"type": "web_search_call"}], "invalid_value", "input"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_an_input_that_is_none_is_refused_by_its_path(given: Any, code: str, param: str) -> None:
    assert refusal(input=given)[:2] == (code, param)


def test_a_fault_in_input_items_is_named_by_that_name() -> None:
    assert refusal(input=None, input_items=[{"type": "wish"}])[1] == "input_items[0].type"


def test_only_reasoning_is_nothing_to_answer() -> None:
    found = refusal(input=[{"type": "reasoning", "summary": []}])

    assert found[:2] == ("missing_required_parameter", "input")


def test_more_items_than_any_conversation_has_are_refused() -> None:
    assert refusal(input=[HI] * (MAX_ITEMS + 1))[:2] == ("array_above_max_length", "input")


def test_as_many_items_as_are_allowed_are_translated_in_time() -> None:
    """The time limit of all tests is the claim: merging them one by one took minutes."""
    content = messages([HI] * MAX_ITEMS, MERGING)[0]["content"]

    assert content.count("Hi") == MAX_ITEMS
