"""What a response object and an error must look like inside an event.

Shape and status only: what `output` holds at the end is compared with the items in `output.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapter.stream.grammar.rules import (
    NULLABLE_KEYS,
    RESPONSE_KEYS,
    RESPONSE_STATUS,
    TERMINAL,
    USAGE_KEYS,
    Fault,
    Rule,
)

# The key that says how a response ended, per last event. The others are null.
_OUTCOME: Final[Mapping[str, str]] = {
    "completed": "completed_at",
    "incomplete": "incomplete_details",
    "failed": "error",
}


def response_faults(response: Mapping[str, Any], symbol: str) -> Iterator[Fault]:
    """Check the response object of an event.

    Args:
        response: the object.
        symbol: type of the event without `response.`.
    """
    for key in sorted(RESPONSE_KEYS - response.keys()):
        yield Fault(Rule.RESPONSE_KEYS, key, f"{key} is missing")
    for key in sorted(RESPONSE_KEYS - NULLABLE_KEYS):
        if response.get(key, "") is None:
            yield Fault(Rule.RESPONSE_NULLS, key, f"{key} is null")
    if response.get("object") != "response":
        yield Fault(Rule.FIELD, "object", "object is not 'response'")
    status = str(response.get("status"))
    if status not in RESPONSE_STATUS[symbol]:
        yield Fault(Rule.RESPONSE_STATUS, f"{symbol} {status}", f"status is {status}")
    yield from _outcome_faults(response, symbol)
    yield from _usage_faults(response.get("usage"), symbol)
    if symbol not in TERMINAL and response.get("output"):
        yield Fault(Rule.RESPONSE_OUTCOME, "output", "output before the end")


def error_faults(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Check an `error` event: nested, as on the wire, and not flat as in the types of the SDK."""
    error = event.get("error")
    if not isinstance(error, dict):
        yield Fault(Rule.FIELD, "error", "an error event without an error object")
        return
    for key in ("type", "code", "message", "param"):
        if key not in error:
            yield Fault(Rule.FIELD, f"error {key}", f"an error object without {key}")
        elif not isinstance(error[key], str | None if key in {"code", "param"} else str):
            yield Fault(Rule.FIELD, f"error {key}", f"{key} of the error is not a string")


def _outcome_faults(response: Mapping[str, Any], symbol: str) -> Iterator[Fault]:
    expected = _OUTCOME.get(symbol)
    for key in _OUTCOME.values():
        value = response.get(key)
        if key != expected and value is not None:
            yield Fault(Rule.RESPONSE_OUTCOME, key, f"{key} in response.{symbol}")
    if expected is None or expected not in response:
        return
    value = response[expected]
    match expected:
        case "completed_at":
            fits = _is_int(value)
        case "incomplete_details":
            fits = _has_strings(value, "reason")
        case _:
            fits = _has_strings(value, "code", "message")
    if not fits:
        yield Fault(Rule.RESPONSE_OUTCOME, expected, f"{expected} does not say how it ended")


def _usage_faults(usage: object, symbol: str) -> Iterator[Fault]:
    if usage is None:
        # A response that failed may have used nothing that anyone counted (recorded).
        if symbol in {"completed", "incomplete"}:
            yield Fault(Rule.RESPONSE_OUTCOME, "usage", "no usage at the end")
    elif symbol not in TERMINAL:
        yield Fault(Rule.RESPONSE_OUTCOME, "usage", "usage before the end")
    else:
        for path in USAGE_KEYS:
            value: Any = usage
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            if not _is_int(value):
                name = ".".join(path)
                yield Fault(Rule.FIELD, f"usage {name}", f"usage.{name} is not an integer")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _has_strings(value: object, *keys: str) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in keys)
