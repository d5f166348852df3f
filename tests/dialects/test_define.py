"""Users define dialects in a table of their settings."""

import tomllib
from typing import Any

import msgspec
import pytest

from adapter.dialects import DIALECTS, Dialect, dialect_from
from adapter.dialects.base import ModelFacts, ThinkingSwitch


def define(toml: str) -> Dialect:
    return dialect_from(tomllib.loads(toml), "mine", DIALECTS)


def test_a_table_without_a_base_changes_the_generic_dialect() -> None:
    assert define("strict_tools = false") == Dialect(
        name="mine", source="settings, on the base of generic", strict_tools=False
    )


def test_every_kind_of_fact_can_be_written() -> None:
    toml = """
        base = "generic"
        source = "our operations team, 2026-11"
        hosts = ["llm.example.org"]
        system_role = "user"
        reasoning_field = "reasoning"
        efforts = ["low", "high"]
        refuses = ["logit_bias"]
        refused_values = [["n", "2"]]
        only = ["temperature", "tools"]
        tool_choices = ["auto"]
        formats = []
        call_id_length = 9
        think_marks = ["<thought>", "</thought>"]
        thinking = { field = "thinking.type", on = "enabled", off = "disabled" }

        [effort_names]
        medium = "high"

        [renames]
        seed = "random_seed"

        [ranges]
        temperature = [0, 1.5]

        [body]
        "chat_template_kwargs.keep" = true

        [[models]]
        match = ["big-*"]
        facts = { refuses = ["seed"], ranges = { top_p = [0.1, 0.9] } }
    """

    assert define(toml) == Dialect(
        name="mine",
        source="our operations team, 2026-11",
        hosts=frozenset({"llm.example.org"}),
        system_role="user",
        reasoning_field="reasoning",
        efforts=("low", "high"),
        refuses=frozenset({"logit_bias"}),
        refused_values=frozenset({("n", "2")}),
        only=frozenset({"temperature", "tools"}),
        tool_choices=frozenset({"auto"}),
        formats=frozenset(),
        call_id_length=9,
        think_marks=("<thought>", "</thought>"),
        thinking=ThinkingSwitch("thinking.type", "enabled", "disabled"),
        effort_names={"medium": "high"},
        renames={"seed": "random_seed"},
        ranges={"temperature": (0.0, 1.5)},
        body={"chat_template_kwargs.keep": True},
        models=(
            ModelFacts(
                ("big-*",),
                {"refuses": frozenset({"seed"}), "ranges": {"top_p": (0.1, 0.9)}},
            ),
        ),
    )


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_table_of_nothing_but_a_base_is_the_base(name: str) -> None:
    """But not for what is recognised as the base: that would be a matter of two rows."""
    nobody = frozenset[Any]()
    base = msgspec.structs.replace(
        DIALECTS[name],
        name="mine",
        source=f"settings, on the base of {name}",
        hosts=nobody,
        ports=nobody,
        owners=nobody,
        servers=nobody,
    )

    assert dialect_from({"base": name}, "mine", DIALECTS) == base


def test_a_table_has_the_last_word_on_models_too() -> None:
    mine = dialect_from({"base": "openai", "efforts": ["low"]}, "mine", DIALECTS)

    assert mine.for_model("gpt-5").efforts == ("low",)
    assert "temperature" in mine.for_model("gpt-5").refuses


def test_a_dialect_of_the_users_can_be_a_base() -> None:
    first = dialect_from({"base": "vllm", "strict_tools": False}, "first", DIALECTS)
    second = dialect_from({"base": "first"}, "second", {"first": first})

    assert (second.name, second.strict_tools, second.parts) == ("second", False, first.parts)


# (name, table, what is wrong with it)
FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown base", {"base": "vlm"}, "'base': expected one of anthropic, azure, "),
    ("a base that is no name", {"base": 7}, ", got 7."),
    ("an unknown fact", {"effort": 1}, "unknown fact 'effort'; expected one of base, body, "),
    ("a name of its own", {"name": "x"}, "'name': expected only in the heading of the table."),
    ("a value of the wrong type", {"efforts": 3}, "'efforts': expected array, got int."),
    ("a value that is none", {"format_shape": "x"}, "'format_shape': invalid enum value 'x'."),
    ("half a range", {"ranges": {"top_p": [0]}}, "'ranges[...]': expected array of length 2"),
    ("an unknown key in a fact", {"thinking": {"field": "a"}}, "'thinking': object missing"),
    (
        "an unknown fact of a model",
        {"models": [{"match": ["a"], "facts": {"effort": 1}}]},
        "'models': unknown fact 'effort'; expected one of ",
    ),
    (
        "a fact of a model of the wrong type",
        {"models": [{"match": ["a"], "facts": {"efforts": 1}}]},
        "'efforts': expected array, got int.",
    ),
]


@pytest.mark.parametrize(
    ("table", "reason"), [pytest.param(*case, id=name) for name, *case in FAULTS]
)
def test_a_fault_is_explained(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid dialect 'mine': ") as caught:
        dialect_from(table, "mine", DIALECTS)

    assert reason in str(caught.value)
