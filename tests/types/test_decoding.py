"""What does not fit its type is said as the API words it: parameter, code, message."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Raw

from adapter.errors import InvalidRequestError
from adapter.types.decoding import (
    MAX_DEPTH,
    check_depth,
    decode_at,
    is_too_deep,
    join,
    missing_parameter,
    unsupported,
)


class Inner(msgspec.Struct):
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    share: Annotated[float, Meta(ge=0, le=1)] = 0
    name: Annotated[str, Meta(min_length=1, max_length=3)] = "a"
    mode: Literal["on", "off"] = "on"
    words: dict[str, str] = {}
    needed: dict[str, "Needy"] = {}


class Needy(msgspec.Struct):
    name: str


class Outer(msgspec.Struct):
    inner: list[Inner]


outer = msgspec.json.Decoder(Outer)

# (name, value of `inner`, code, param)
MISFITS: list[tuple[str, Any, str, str]] = [
    ("another type", 7, "invalid_type", "at.inner"),
    ("another type inside", [7], "invalid_type", "at.inner[0]"),
    ("an integer below", [{"count": 0}], "integer_below_min_value", "at.inner[0].count"),
    ("an integer above", [{"count": 10}], "integer_above_max_value", "at.inner[0].count"),
    ("a number below", [{"share": -0.5}], "decimal_below_min_value", "at.inner[0].share"),
    ("a number above", [{"share": 1.5}], "decimal_above_max_value", "at.inner[0].share"),
    ("a short text", [{"name": ""}], "string_below_min_length", "at.inner[0].name"),
    ("a long text", [{}, {"name": "abcd"}], "string_above_max_length", "at.inner[1].name"),
    ("an unknown word", [{"mode": "x"}], "invalid_value", "at.inner[0].mode"),
    ("a value of a map", [{"words": {"a": 1}}], "invalid_type", "at.inner[0].words[...]"),
    (
        "something missing",
        [{"needed": {"a": {}}}],
        "missing_required_parameter",
        "at.inner[0].needed[...].name",
    ),
]


@pytest.mark.parametrize(
    ("given", "code", "param"), [pytest.param(*case, id=name) for name, *case in MISFITS]
)
def test_a_misfit_has_a_code_and_a_path(given: Any, code: str, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_at(outer, msgspec.json.encode({"inner": given}), "at")

    assert (caught.value.code, caught.value.param) == (code, param)


def test_what_fits_is_returned() -> None:
    assert decode_at(outer, Raw(b'{"inner":[{"count":2}]}'), "at") == Outer([Inner(2)])


def test_something_missing_at_the_top_is_named_by_its_name_alone() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_at(outer, b"{}", "")

    assert (caught.value.param, caught.value.message) == (
        "inner",
        "Missing required parameter: 'inner'.",
    )


def test_a_misfit_without_a_path_is_one_of_the_body() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_at(outer, b"7", "")

    assert caught.value.param is None
    assert caught.value.message.startswith("Invalid request body: Expected")


@pytest.mark.parametrize("raw", [b"", b"{", b"[] x", b"[" * 100_000 + b"]" * 100_000])
def test_what_is_no_json_is_refused_with_its_path(raw: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_at(msgspec.json.Decoder(), raw, "at")

    assert (caught.value.code, caught.value.param) == ("invalid_json", "at")


def test_a_long_value_is_cut_out_of_the_message() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_at(outer, msgspec.json.encode({"inner": [{"mode": "x" * 10_000}]}), "at")

    assert len(caught.value.message) < 400


def test_a_missing_parameter_is_named() -> None:
    error = missing_parameter("tools[0].name")

    assert (error.code, error.param, error.message) == (
        "missing_required_parameter",
        "tools[0].name",
        "Missing required parameter: 'tools[0].name'.",
    )


def test_an_unsupported_value_is_named_with_its_reason() -> None:
    error = unsupported("input[0].type", "is new")

    assert (error.code, error.param, error.message) == (
        "unsupported_value",
        "input[0].type",
        "Unsupported value: 'input[0].type' is new.",
    )


@pytest.mark.parametrize(
    ("at", "path", "expected"),
    [("", ".model", "model"), ("input[3]", ".content[0]", "input[3].content[0]"), ("a", "", "a")],
)
def test_paths_are_joined(at: str, path: str, expected: str) -> None:
    assert join(at, path) == expected


def lists(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(1, False, id="no nesting"),
        pytest.param([], False, id="an empty list"),
        pytest.param(lists(MAX_DEPTH - 1), False, id="the deepest lists"),
        pytest.param(lists(MAX_DEPTH), True, id="deeper lists"),
        pytest.param([1, {"a": lists(MAX_DEPTH)}], True, id="in one branch"),
        pytest.param(lists(100_000), True, id="deeper than the stack"),
    ],
)
def test_depth_is_told(value: Any, expected: bool) -> None:
    assert is_too_deep(value) is expected


def test_what_is_not_too_deep_passes() -> None:
    check_depth({"a": [{"b": []}]}, "at")


def test_what_is_too_deep_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_depth(lists(MAX_DEPTH), "at")

    assert (caught.value.code, caught.value.param) == ("invalid_value", "at")
