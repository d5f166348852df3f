"""Requests that are in order but for one thing."""

from typing import Any

DEEP = 100_000
LONG = 1_000_000


def nested(levels: int, inside: Any = None) -> Any:
    """Return lists, one inside the other."""
    value = inside
    for _ in range(levels):
        value = [value]
    return value


def brackets(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def user(content: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": content}]}


def part(**fields: Any) -> dict[str, Any]:
    return user([fields])


def item(**fields: Any) -> dict[str, Any]:
    return {"input": [fields]}


def call(**fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", **fields}


def output(**fields: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": "c", "output": "ok", **fields}


def calls(given: dict[str, Any], answer: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"input": [given, answer or output()]}


def tool(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "name": "f", **fields}


def tools(*given: Any, **fields: Any) -> dict[str, Any]:
    return {"tools": list(given), **fields}


def text_format(**fields: Any) -> dict[str, Any]:
    return {"text": {"format": fields}}


def schema(**fields: Any) -> dict[str, Any]:
    return text_format(type="json_schema", name="n", schema={"type": "object"}, **fields)
