"""Decoding errors as the API words them: which parameter, what was found, what was expected.

Source of the codes: error bodies of the OpenAI API (sheet §8).
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from adapter.errors import InvalidRequestError

# Of JSON that is written anew, or walked through. OpenAI's own limit for schemas is 10 levels; past
# some 400 the stack of Python ends.
MAX_DEPTH = 200
# What decoding ends in, if JSON is not what is expected.
UNREADABLE = (msgspec.DecodeError, RecursionError)
_MAX_REASON_CHARS = 300
_AT = re.compile(r" - at (?:`key` in )?`(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`")
_CODES = (
    (re.compile(r"^Expected `int` >="), "integer_below_min_value"),
    (re.compile(r"^Expected `int` <="), "integer_above_max_value"),
    (re.compile(r"^Expected `float` >="), "decimal_below_min_value"),
    (re.compile(r"^Expected `float` <="), "decimal_above_max_value"),
    (re.compile(r"^Expected `str` of length <="), "string_above_max_length"),
    (re.compile(r"^Expected `str` of length >="), "string_below_min_length"),
    (re.compile(r"^Invalid (enum )?value"), "invalid_value"),
    (re.compile(r"^Expected"), "invalid_type"),
)


def invalid(exc: msgspec.ValidationError, at: str = "") -> InvalidRequestError:
    """Return the error to raise for a value that does not fit its type.

    Args:
        exc: what msgspec found.
        at: path of the value that was being decoded, such as `input[3]`; empty for the body.
    """
    reason = str(exc)
    path = at
    if place := _AT.search(reason):
        path = join(at, place["path"].removeprefix("$"))
        reason = reason[: place.start()]
    if missing := _MISSING.match(reason):
        path = join(path, "." + missing["field"])
        return missing_parameter(path)
    code = next((code for pattern, code in _CODES if pattern.match(reason)), "invalid_value")
    reason = reason[:_MAX_REASON_CHARS].replace("`", "")
    subject = f"Invalid '{path}'" if path else "Invalid request body"
    return InvalidRequestError(f"{subject}: {reason}.", code=code, param=path or None)


def missing_parameter(path: str) -> InvalidRequestError:
    """Return the error for a required parameter that is not there."""
    return InvalidRequestError(
        f"Missing required parameter: '{path}'.", code="missing_required_parameter", param=path
    )


def unsupported(path: str, what: str) -> InvalidRequestError:
    """Return the error for a value that is valid but cannot be translated."""
    return InvalidRequestError(
        f"Unsupported value: '{path}' {what}.", code="unsupported_value", param=path
    )


def check_depth(value: Any, at: str) -> None:
    """Refuse open JSON that is nested too deeply to be written anew.

    Raises:
        InvalidRequestError: it has more than `MAX_DEPTH` levels.
    """
    if is_too_deep(value):
        raise InvalidRequestError(
            f"Invalid '{at}': expected at most {MAX_DEPTH} levels of nesting.",
            code="invalid_value",
            param=at,
        )


def is_too_deep(value: Any) -> bool:
    """Tell whether open JSON has more than `MAX_DEPTH` levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = [node for node in level if isinstance(node, dict | list)]
        if not nested:
            return False
        level = [child for node in nested for child in _children(node)]
    return True


def _children(node: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node


def join(at: str, path: str) -> str:
    """Join two paths: `input[3]` and `.content[0]` make `input[3].content[0]`."""
    return (at + path).lstrip(".")


def decode_at(decoder: msgspec.json.Decoder[Any], raw: bytes | msgspec.Raw, at: str) -> Any:
    """Decode a value that stands at a path of the request.

    Raises:
        InvalidRequestError: it does not fit; `param` is the path of the misfit.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as exc:
        raise invalid(exc, at) from exc
    except UNREADABLE as exc:
        raise InvalidRequestError(
            f"Invalid '{at}': not valid JSON, or nested too deeply.",
            code="invalid_json",
            param=at,
        ) from exc
