"""What upstreams have in other shapes: schemas, efforts, roles, thoughts that go back."""

import json
from typing import Any, Literal

import msgspec
import pytest

from adapter.dialects import Dialect
from adapter.translate.fit.schemas import without
from tests.translate.requests import PLAIN, chat, messages, translate

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}
ONE_OBJECT = "Answer with one JSON object, and with nothing else."


@pytest.mark.parametrize(
    ("shape", "sent"),
    [
        ("openai", {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}),
        ("tgi", {"type": "json", "value": SCHEMA}),
        ("json_object", {"type": "json_object", "schema": SCHEMA}),
    ],
)
def test_a_schema_has_the_upstreams_shape(
    shape: Literal["openai", "tgi", "json_object"], sent: dict[str, Any]
) -> None:
    dialect = msgspec.structs.replace(PLAIN, format_shape=shape)

    assert chat(dialect, text=FORMAT)["response_format"] == sent
    assert translate(dialect, text=FORMAT).answer_schema is None


@pytest.mark.parametrize("shape", ["openai", "tgi", "json_object"])
def test_an_object_without_a_schema_has_one_shape(
    shape: Literal["openai", "tgi", "json_object"],
) -> None:
    dialect = msgspec.structs.replace(PLAIN, format_shape=shape)
    sent = chat(dialect, text={"format": {"type": "json_object"}})

    assert sent["response_format"] == {"type": "json_object"}


WORDY = msgspec.structs.replace(PLAIN, json_word=True)

# (name, what is said, the instruction is added)
WORDS: list[tuple[str, Any, bool]] = [
    ("no word", "Hello", True),
    ("the word", "Answer in JSON, please", False),
    ("the word in a part", [{"role": "user", "content": [
        {"type": "input_text", "text": "json"},
        {"type": "input_image", "image_url": "https://example.org/a.png"},
    ]}], False),
    ("the word in the name of an image", [{"role": "user", "content": [
        {"type": "input_image", "image_url": "https://example.org/json.png"},
    ]}], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "is_added"), [pytest.param(*case, id=name) for name, *case in WORDS]
)
def test_the_word_that_json_needs_is_said(given: Any, is_added: bool) -> None:
    """OpenAI, DeepSeek, Groq and DashScope refuse `json_object` without it."""
    fields = {"input": given, "text": {"format": {"type": "json_object"}}}
    said = {"role": "system", "content": ONE_OBJECT}

    assert (chat(WORDY, **fields)["messages"][0] == said) is is_added
    assert translate(WORDY, **fields).adapted == (("text.format",) if is_added else ())


def test_a_schema_needs_no_word() -> None:
    assert len(chat(WORDY, text=FORMAT)["messages"]) == 1


LADDER = Dialect(
    name="ladder",
    source="a test",
    efforts=("low", "high", "max"),
    effort_names={"minimal": "low", "medium": "high"},
)


@pytest.mark.parametrize(
    ("effort", "sent"),
    [
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "high"),  # the nearest would be `low`
        ("high", "high"),
        ("xhigh", "high"),
        ("max", "max"),
    ],
)
def test_an_effort_has_the_upstreams_name(effort: str, sent: str) -> None:
    """DeepSeek's own table."""
    translation = translate(LADDER, reasoning={"effort": effort})

    assert translation.chat.parameters["reasoning_effort"] == sent
    assert translation.adapted == (() if sent == effort else ("reasoning.effort",))


def test_an_effort_in_the_clients_own_field_passes_as_it_came() -> None:
    translation = translate(LADDER, reasoning_effort="medium")

    assert json.loads(translation.chat.encode())["reasoning_effort"] == "medium"
    assert translation.adapted == ()


def test_an_effort_may_have_a_name_that_nobody_else_uses() -> None:
    """Groq's qwen3 has `none` and `default`."""
    groq = msgspec.structs.replace(
        LADDER, efforts=("none", "default"), effort_names={"low": "default"}
    )

    assert chat(groq, reasoning={"effort": "low"})["reasoning_effort"] == "default"
    assert chat(groq, reasoning={"effort": "none"})["reasoning_effort"] == "none"


def test_instructions_are_a_users_where_no_template_knows_another_role() -> None:
    """Gemma-2 and Mixtral refuse any system message (`reported.md` §3.3)."""
    dialect = Dialect(name="no system", source="a test", system_role="user")

    assert messages("Hello", dialect, instructions="Be brief.") == [
        {"role": "user", "content": "<system>\nBe brief.\n</system>\n\nHello"}
    ]


def test_a_thought_goes_back_in_the_marks_that_it_came_in() -> None:
    dialect = Dialect(
        name="marks",
        source="a test",
        reasoning_field="tags",
        think_marks=("<thought>", "</thought>"),
    )
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }
    given = [reasoning, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "a"}]

    assert messages(given, dialect)[0]["content"] == "<thought>\nHm.\n</thought>\n\nHello"


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ({"const"}, {"enum": [1]}),
        ({"const", "enum"}, {}),
        ({"enum"}, {"const": 1}),
    ],
)
def test_one_value_is_as_good_as_a_list_of_one(refused: set[str], expected: Any) -> None:
    assert without({"const": 1}, frozenset(refused)) == expected


@pytest.mark.parametrize(("strict", "dropped"), [(True, ("text.format.strict",)), (False, ())])
def test_strict_is_no_part_of_a_schema_that_may_not_have_it(
    strict: bool, dropped: tuple[str, ...]
) -> None:
    dialect = msgspec.structs.replace(PLAIN, strict_formats=False)
    asked = {"text": {"format": {**FORMAT["format"], "strict": strict}}}

    assert "strict" not in chat(dialect, **asked)["response_format"]["json_schema"]
    assert translate(dialect, **asked).dropped == dropped
