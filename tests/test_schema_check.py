"""Documents and schemas: what does not fit is said; what could cost too much is not tried."""

import subprocess
import sys
from typing import Any

import pytest

from adapter.schema_check import MAX_MISFIT_CHARS, MAX_UNIQUE_ITEMS, find_misfit

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
EVIL = {"type": "string", "pattern": "^(a+)+$"}  # years for 40 letters and an exclamation mark
VICTIM = '"' + "a" * 40 + '!"'
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("document", "schema"),
    [
        ('{"a": 1}', OBJECT),
        ('{"a": 1, "b": 2}', OBJECT),
        (' {"a": 1} ', OBJECT),
        ("1", {}),
        (
            '{"a": [1]}',
            {"$defs": {"l": {"type": "array"}}, "properties": {"a": {"$ref": "#/$defs/l"}}},
        ),
    ],
)
def test_document_that_fits(document: str, schema: dict[str, Any]) -> None:
    assert find_misfit(document, schema) is None


@pytest.mark.parametrize(
    ("document", "schema", "misfit"),
    [
        ('{"a": "1"}', OBJECT, "$.a: '1' is not of type 'integer'"),
        ("{}", OBJECT, "$: 'a' is a required property"),
        ("Sure! {}", OBJECT, "it is not a JSON document"),
        ("", OBJECT, "it is not a JSON document"),
        ("[" * 100_000, OBJECT, "it is not a JSON document"),
        (
            '{"b": 1}',
            {"additionalProperties": False},
            "$: Additional properties are not allowed ('b' was unexpected)",
        ),
        ("[1, 1]", {"uniqueItems": True}, "$: [1, 1] has non-unique elements"),
        ('{"a": "1"}', {"$schema": DRAFT_7, **OBJECT}, "$.a: '1' is not of type 'integer'"),
        (
            '{"a": "1"}',
            {"$schema": "urn:unheard-of", **OBJECT},
            "$.a: '1' is not of type 'integer'",
        ),
    ],
)
def test_document_that_does_not_fit(document: str, schema: dict[str, Any], misfit: str) -> None:
    assert find_misfit(document, schema) == misfit


def test_complaint_is_short() -> None:
    misfit = find_misfit(f'"{"x" * 10_000}"', {"type": "integer"})

    assert misfit is not None
    assert len(misfit) == MAX_MISFIT_CHARS


def doubling(depth: int) -> dict[str, Any]:
    """Return a schema that takes 2 ** depth steps."""
    names = {
        f"a{level}": {"allOf": [{"$ref": f"#/$defs/a{level + 1}"}] * 2} for level in range(depth)
    }
    return {"$ref": "#/$defs/a0", "$defs": {**names, f"a{depth}": {"type": "string"}}}


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("document", "schema"),
    [
        pytest.param(VICTIM, EVIL, id="pattern"),
        pytest.param(
            f'{{"{VICTIM[1:-1]}": 1}}', {"patternProperties": {"^(a+)+$": {}}}, id="names"
        ),
        pytest.param(
            '{"z": 1}',
            {"patternProperties": {"^z": {}}, "additionalProperties": False},
            id="others",
        ),
        pytest.param(
            f'{{"{VICTIM[1:-1]}": 1}}',
            {"patternProperties": {"^(a+)+$": {}}, "unevaluatedProperties": False},
            id="unevaluated",
        ),
        pytest.param(VICTIM, {"allOf": [{"$schema": DRAFT_7, **EVIL}]}, id="another-draft-inside"),
        pytest.param(
            VICTIM,
            {"default": {"$schema": DRAFT_7, **EVIL}, "$ref": "#/default"},
            id="in-a-default",
        ),
        pytest.param(
            VICTIM, {"$schema": DRAFT_7, "anyOf": [EVIL, {"$ref": "#"}]}, id="root-referred-to"
        ),
        pytest.param("1", doubling(60), id="doubling"),
        pytest.param("1", {"$ref": "#"}, id="endless"),
        pytest.param("1", {"type": "objekt"}, id="no-type"),
        pytest.param("1", {"type": 5, "properties": 7}, id="no-schema"),
        pytest.param("1", {"$ref": "#/$defs/missing"}, id="missing"),
        pytest.param(
            f"[{', '.join('{}' for _ in range(MAX_UNIQUE_ITEMS + 1))}]",
            {"uniqueItems": True},
            id="many-items",
        ),
    ],
)
def test_what_could_take_too_long_counts_as_fitting(document: str, schema: dict[str, Any]) -> None:
    assert find_misfit(document, schema) is None


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/a.json", "file:///etc/passwd", "urn:a"])
def test_nothing_is_fetched_for_a_reference(reference: str) -> None:
    """The library would, with a warning, which is an error here."""
    assert find_misfit("1", {"$ref": reference}) is None


WITHOUT = """
import logging, sys
sys.modules["jsonschema"] = None
logging.basicConfig(format="%(message)s", stream=sys.stdout)
from adapter.schema_check import find_misfit
print(find_misfit("1", {"type": "string"}), find_misfit("{", {}), find_misfit("2", {}))
"""


def test_without_the_library_only_the_syntax_is_checked_and_one_warning_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines() == [
        "answers are not checked against their JSON schema: "
        "pip install 'responses-adapter[schemas]'",
        "None it is not a JSON document None",
    ]
