"""A body becomes a request, or an error that names the place."""

from typing import Any

import msgspec
import pytest

from adapter.errors import InvalidRequestError
from adapter.translate.decode import MAX_METADATA_PAIRS, decode_request
from adapter.types.request import ResponseRequest, TextOptions
from tests.translate.requests import nested, refusal, request


def test_a_request_is_what_was_sent() -> None:
    body = b'{"model": "m", "input": "Hi", "temperature": 1, "text": {"verbosity": "low"}}'

    assert decode_request(body) == ResponseRequest(
        model="m",
        input=msgspec.Raw(b'"Hi"'),
        temperature=1,
        text=TextOptions(verbosity="low"),
    )


def test_fields_that_are_not_known_are_kept_as_they_came() -> None:
    body = b'{"model": "m", "top_k": 5, "extras": {"a":  [1]}}'

    assert decode_request(body).extras == {
        "top_k": msgspec.Raw(b"5"),
        "extras": msgspec.Raw(b'{"a":  [1]}'),
    }


def test_of_a_name_that_is_said_twice_the_last_counts() -> None:
    assert decode_request(b'{"model": "a", "model": "b", "top_k": 1, "top_k": 2}') == (
        ResponseRequest(model="b", extras={"top_k": msgspec.Raw(b"2")})
    )


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_raw_values_are_on_one_line(line_break: bytes) -> None:
    """They are echoed in events as they are, and an event's data is one line."""
    body = b'{"model": "m",\n "input": [\n"a\\n",\r\n 1]}'.replace(b"\n", line_break)

    assert bytes(decode_request(body).input).split() == [b"[", b'"a\\n",', b"1]"]
    assert bytes(decode_request(body).input).splitlines() == [bytes(decode_request(body).input)]


# (name, body, how the reason begins)
UNREADABLE: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "Input data was truncated"),
    ("half of it", b'{"model": ', "Input data was truncated"),
    ("a form", b"model=m&input=Hi", "JSON is malformed"),
    ("single quotes", b"{'model': 'm'}", "JSON is malformed"),
    ("something behind it", b"{} x", "JSON is malformed"),
    ("a line break inside a string", b'{"model": "a\nb"}', "JSON is malformed"),
    ("half a surrogate pair", b'{"x": "\\ud800 and more"}', "JSON is malformed"),
    ("a number that is none", b'{"x": NaN}', "JSON is malformed"),
    ("no UTF-8", b'{"model": "\xff"}', "the body is not UTF-8 (byte 11)"),
    ("no UTF-8 where nobody looks", b'{"x": ["\xc3("]}', "the body is not UTF-8 (byte 8)"),
    ("UTF-16", '{"model": "m"}'.encode("utf-16"), "the body is not UTF-8 (byte 0)"),
    ("too deep", b'{"x": ' + b"[" * 99_999 + b"]" * 99_999 + b"}", "it is nested too deeply"),
]


@pytest.mark.parametrize(
    ("body", "reason"), [pytest.param(*case, id=name) for name, *case in UNREADABLE]
)
def test_a_body_that_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_request(body)

    error = caught.value
    assert (error.code, error.param) == ("invalid_json", None)
    assert error.message.startswith(f"We could not parse the JSON body of your request: {reason}")


@pytest.mark.parametrize("body", [b"null", b"7", b'"Hi"', b"[]", b'[{"model": "m"}]'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_request(body)

    assert (caught.value.code, caught.value.param) == ("invalid_type", None)


# (name, fields, code, param, message)
MISFITS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("no model", {"model": None}, "missing_required_parameter", "model", "Missing required parameter: 'model'."),
    ("a model of no end", {"model": "m" * 1025}, "string_above_max_length", "model", "Invalid 'model': expected at most 1024 characters, got 1025."),
    ("fields without end", {f"x{n}": 1 for n in range(1001)}, "invalid_value", None, "Invalid request body: expected at most 1000 fields that are not those of the API, got 1001."),
    ("an empty model", {"model": " "}, "invalid_value", "model", "Invalid 'model': expected the name of a model, got an empty string."),
    ("a model that is a number", {"model": 7}, "invalid_type", "model", "Invalid 'model': Expected str | null, got int."),
    ("a temperature that is text", {"temperature": "hot"}, "invalid_type", "temperature", "Invalid 'temperature': Expected float | null, got str."),
    ("a temperature below 0", {"temperature": -1}, "decimal_below_min_value", "temperature", "Invalid 'temperature': Expected float >= 0.0."),
    ("a temperature above 2", {"temperature": 2.5}, "decimal_above_max_value", "temperature", "Invalid 'temperature': Expected float <= 2.0."),
    ("no output tokens", {"max_output_tokens": 0}, "integer_below_min_value", "max_output_tokens", "Invalid 'max_output_tokens': Expected int >= 1."),
    ("too many logprobs", {"top_logprobs": 21}, "integer_above_max_value", "top_logprobs", "Invalid 'top_logprobs': Expected int <= 20."),
    ("a long cache key", {"prompt_cache_key": "k" * 129}, "string_above_max_length", "prompt_cache_key", "Invalid 'prompt_cache_key': Expected str of length <= 128."),
    ("an effort that is none", {"reasoning": {"effort": "huge"}}, "invalid_value", "reasoning.effort", "Invalid 'reasoning.effort': Invalid enum value 'huge'."),
    ("an include that is none", {"include": ["x"]}, "invalid_value", "include[0]", "Invalid 'include[0]': Invalid enum value 'x'."),
    ("a format of unknown type", {"text": {"format": {"type": "xml"}}}, "invalid_value", "text.format.type", "Invalid 'text.format.type': Invalid value 'xml'."),
    ("a format without a type", {"text": {"format": {}}}, "missing_required_parameter", "text.format.type", "Missing required parameter: 'text.format.type'."),
    ("a schema without a name", {"text": {"format": {"type": "json_schema", "schema": {}}}}, "missing_required_parameter", "text.format.name", "Missing required parameter: 'text.format.name'."),
    ("a schema with an empty name", {"text": {"format": {"type": "json_schema", "name": "", "schema": {}}}}, "string_below_min_length", "text.format.name", "Invalid 'text.format.name': Expected str of length >= 1."),
    ("metadata that is no text", {"metadata": {"a": 1}}, "invalid_type", "metadata[...]", "Invalid 'metadata[...]': Expected str, got int."),
    ("too much metadata", {"metadata": {str(n): "" for n in range(MAX_METADATA_PAIRS + 1)}}, "object_above_max_properties", "metadata", "Invalid 'metadata': expected at most 16 pairs, got 17."),
    ("tools that are no list", {"tools": {}}, "invalid_type", "tools", "Invalid 'tools': Expected array | null, got object."),
    ("a schema that is too deep", {"text": {"format": {"type": "json_schema", "name": "n", "schema": nested(200)}}}, "invalid_value", "text.format.schema", "Invalid 'text.format.schema': expected at most 200 levels of nesting."),
    ("a chat-style schema that is too deep", {"response_format": {"type": "json_schema", "json_schema": {"schema": nested(200)}}}, "invalid_value", "response_format.json_schema.schema", "Invalid 'response_format.json_schema.schema': expected at most 200 levels of nesting."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [pytest.param(fields, (*found,), id=name) for name, fields, *found in MISFITS],
)
def test_a_misfit_is_named_by_its_path(
    fields: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert refusal(**fields) == expected


def test_as_much_metadata_as_is_allowed_is_taken() -> None:
    metadata = {str(n): "" for n in range(MAX_METADATA_PAIRS)}

    assert request(metadata=metadata).metadata == metadata


def test_a_schema_as_deep_as_is_allowed_is_taken() -> None:
    schema = nested(198)
    text = {"format": {"type": "json_schema", "name": "n", "schema": schema}}

    assert request(text=text).text.format.schema == schema  # type: ignore[union-attr]
