"""JSON schemas lose the keywords that the upstream refuses, and nothing else."""

from typing import Any

import msgspec
import pytest

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.translate.decode import decode_request
from adapter.translate.fit.schemas import without
from adapter.translate.request import to_chat_request
from tests.translate.requests import PLAIN, chat, nested, refusal, translate

TEXT = {"type": "string"}
TREE = {"properties": {"inner": {"type": "array", "items": {"$ref": "#"}}}}

# (name, refused keywords, schema, what is left)
SCHEMAS: list[tuple[str, set[str], Any, Any]] = [
    ("nothing refused", set(), {"minLength": 1, **TEXT}, {"minLength": 1, **TEXT}),
    ("at the top", {"minLength"}, {"minLength": 1, **TEXT}, TEXT),
    ("inside", {"minLength"}, {"items": {"minLength": 1}}, {"items": {}}),
    ("in a list", {"minLength"}, {"prefixItems": [{"minLength": 1}, True]}, {"prefixItems": [{}, True]}),
    (
        "not where names are the user's own",
        {"title", "minLength"},
        {"title": "T", "properties": {"title": {"title": "T", **TEXT}}},
        {"properties": {"title": TEXT}},
    ),
    ("not inside values", {"title"}, {"default": {"title": 1}}, {"default": {"title": 1}}),
    ("a const becomes an enum", {"const"}, {"const": 1}, {"enum": [1]}),
    ("a const, where an enum is refused too", {"const", "enum"}, {"const": 1, **TEXT}, TEXT),
    ("the first of several stands for them", {"anyOf"}, {"anyOf": [TEXT, {"type": "null"}]}, TEXT),
    (
        "what stands beside them counts more",
        {"oneOf"},
        {"type": "number", "oneOf": [{"title": "T", **TEXT}]},
        {"type": "number", "title": "T"},
    ),
    ("of several that are no schemas nothing is left", {"allOf"}, {"allOf": [True]}, {}),
    ("several of nothing", {"anyOf"}, {"anyOf": [], **TEXT}, TEXT),
    ("several that are no list", {"anyOf"}, {"anyOf": 7, **TEXT}, TEXT),
    (
        "a reference is what it refers to",
        {"$ref", "$defs"},
        {"$defs": {"a": TEXT}, "items": {"$ref": "#/$defs/a", "title": "T"}},
        {"items": {"title": "T", **TEXT}},
    ),
    (
        "a reference inside a reference",
        {"$ref", "$defs"},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": TEXT}, "items": {"$ref": "#/$defs/a"}},
        {"items": {"items": TEXT}},
    ),
    (
        "a reference twice",
        {"$ref", "$defs"},
        {"$defs": {"a": TEXT}, "prefixItems": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]},
        {"prefixItems": [TEXT, TEXT]},
    ),
    (
        "a schema that refers to itself",
        {"$ref"},
        TREE,
        {
            "properties": {
                "inner": {
                    "type": "array",
                    "items": {"properties": {"inner": {"type": "array", "items": {}}}},
                }
            }
        },
    ),
    ("a reference to nothing", {"$ref"}, {"items": {"$ref": "#/$defs/x"}}, {"items": {}}),
    ("a reference to what is no schema", {"$ref"}, {"a": 1, "items": {"$ref": "#/a"}}, {"a": 1, "items": {}}),
    ("a reference to a part of that", {"$ref"}, {"a": 1, "items": {"$ref": "#/a/b"}}, {"a": 1, "items": {}}),
    ("a reference elsewhere", {"$ref"}, {"$ref": "https://example.org/"}, {}),
    ("a reference that is none", {"$ref"}, {"$ref": 7}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("refused", "schema", "expected"), [pytest.param(*case, id=name) for name, *case in SCHEMAS]
)
def test_refused_keywords_are_left_out(refused: set[str], schema: Any, expected: Any) -> None:
    assert without(schema, frozenset(refused)) == expected


def test_references_that_double_each_time_come_to_an_end() -> None:
    levels = 40
    defs: dict[str, Any] = {
        f"a{level}": {"prefixItems": [{"$ref": f"#/$defs/a{level + 1}"}] * 2}
        for level in range(levels)
    }
    schema = {"$defs": {**defs, f"a{levels}": TEXT}, "items": {"$ref": "#/$defs/a0"}}

    assert len(msgspec.json.encode(without(schema, frozenset({"$ref", "$defs"})))) < 10_000


REFUSING = msgspec.structs.replace(PLAIN, schema_refuses=frozenset({"title", "$ref"}))


def tool(**parameters: Any) -> dict[str, Any]:
    return {"type": "function", "name": "f", "parameters": parameters}


def parameters(dialect: Dialect, given: dict[str, Any]) -> Any:
    return chat(dialect, tools=[given])["tools"][0]["function"]["parameters"]


def test_the_parameters_of_tools_lose_them() -> None:
    assert parameters(REFUSING, tool(title="T", type="object")) == {"type": "object"}


def test_the_schema_of_the_answer_loses_them() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"title": "T", **TEXT}}}
    sent = chat(REFUSING, text=text)["response_format"]["json_schema"]

    assert sent == {"name": "n", "schema": TEXT}


def test_what_was_changed_is_reported() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"title": "T"}}}
    translation = translate(REFUSING, tools=[tool(), tool(title="T") | {"name": "g"}], text=text)

    assert sorted(translation.adapted) == ["text.format.schema", "tools[1].parameters"]


def test_what_was_not_changed_is_not_reported() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": TEXT}}

    assert translate(REFUSING, tools=[tool(type="object")], text=text).adapted == ()


@pytest.mark.parametrize(("strict", "dropped"), [(True, ("tools[0].strict",)), (False, ())])
def test_strict_is_left_out_where_it_is_refused(strict: bool, dropped: tuple[str, ...]) -> None:
    dialect = msgspec.structs.replace(PLAIN, strict_tools=False)
    given = {**tool(), "strict": strict}

    assert "strict" not in chat(dialect, tools=[given])["tools"][0]["function"]
    assert translate(dialect, tools=[given]).dropped == dropped


def test_parameters_that_are_too_deep_to_be_written_anew_are_refused() -> None:
    assert refusal(REFUSING, tools=[tool(**nested(250))])[1] == "tools[0].parameters"


def test_references_that_lead_too_deep_are_refused() -> None:
    """Each step is allowed by itself."""
    defs: dict[str, Any] = {}
    for step in range(60):
        inner: Any = {"$ref": f"#/$defs/a{step + 1}"}
        for _ in range(90):
            inner = {"properties": {"a": inner}}
        defs[f"a{step}"] = inner
    found = refusal(REFUSING, tools=[tool(**{"$defs": defs, "items": {"$ref": "#/$defs/a0"}})])

    assert found[:2] == ("unsupported_value", "tools[0].parameters")


def test_a_number_that_is_too_large_to_be_written_anew_is_refused() -> None:
    body = b'{"model": "m", "input": "Hi", "tools": [{"type": "function", "name": "f", "parameters": {"default": 1e999}}]}'

    with pytest.raises(InvalidRequestError) as caught:
        to_chat_request(decode_request(body), REFUSING)

    assert caught.value.param == "tools[0].parameters[...]"
