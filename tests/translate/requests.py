"""Requests as clients send them, and the chat requests that they become, both as JSON."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.dialects.base import ALL_TOOL_CHOICES
from adapter.errors import InvalidRequestError
from adapter.translate.decode import decode_request
from adapter.translate.items import PlacedItem
from adapter.translate.replay import History
from adapter.translate.request import Translation, to_chat_request
from adapter.types.request import ResponseRequest

# An upstream that takes everything as it is: what differs then is what chat completions are.
PLAIN = Dialect(
    name="plain",
    source="a test",
    system_role="system",
    late_system="system",
    merge_same_role=False,
    parts=frozenset({"image_url", "input_audio", "file", "video_url"}),
    refusal_field=True,
    output_limit="max_completion_tokens",
    parameters=frozenset({"verbosity", "user", "service_tier"}),
    tool_choices=ALL_TOOL_CHOICES,
)


def request(**fields: Any) -> ResponseRequest:
    """Return a request, which says "Hello" if nothing else is given."""
    body = {"model": "tiny", "input": "Hello", **fields}
    return decode_request(json.dumps(body).encode())


def translate(
    dialect: Dialect = PLAIN, history: Sequence[PlacedItem] = (), **fields: Any
) -> Translation:
    earlier = History(tuple(history)) if history else None
    return to_chat_request(request(**fields), dialect, history=earlier)


def chat(dialect: Dialect = PLAIN, **fields: Any) -> dict[str, Any]:
    """Return the body of the chat request."""
    body: dict[str, Any] = json.loads(translate(dialect, **fields).chat.encode())
    return body


def messages(given: Any, dialect: Dialect = PLAIN, **fields: Any) -> list[Any]:
    """Return the messages for an input."""
    found: list[Any] = chat(dialect, input=given, **fields)["messages"]
    return found


def refusal(dialect: Dialect = PLAIN, **fields: Any) -> tuple[str | None, str | None, str]:
    """Return code, param and message of the error that a request is answered with."""
    with pytest.raises(InvalidRequestError) as caught:
        translate(dialect, **fields)
    return caught.value.code, caught.value.param, caught.value.message


def call(call_id: str, arguments: Any = "{}", **fields: Any) -> dict[str, Any]:
    """Return a call as an input item."""
    item = {"type": "function_call", "call_id": call_id, "name": "f", "arguments": arguments}
    return {**item, **fields}


def output(call_id: str | None, said: Any = "ok", **fields: Any) -> dict[str, Any]:
    """Return an output as an input item."""
    return {"type": "function_call_output", "call_id": call_id, "output": said, **fields}


def chat_call(call_id: str, arguments: str = "{}") -> dict[str, Any]:
    """Return a call as chat completions have it."""
    function = {"name": "f", "arguments": arguments}
    return {"id": call_id, "function": function, "type": "function"}


def nested(levels: int) -> dict[str, Any]:
    """Return an object with so many lists in it, one inside the other."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return {"a": value}
