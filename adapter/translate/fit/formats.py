"""`response_format` in a form that the upstream knows.

Without `json_schema`, the schema goes into the instructions, and the answer is checked against it
by whoever sends the request (`Draft.answer_schema`).

Source: `reported.md` §3.3 (DeepSeek, GLM and Kimi know `json_object` alone); TGI's guidance types.
"""

import json
from collections.abc import Callable
from typing import Any

from msgspec import UnsetType

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatPart

_PATH = "text.format"
_ONE_OBJECT = "Answer with one JSON object, and with nothing else."
_SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "tgi": lambda schema: {"type": "json", "value": schema},
    "json_object": lambda schema: {"type": "json_object", "schema": schema},
}


def fit_format(draft: Draft, dialect: Dialect) -> None:
    """Ask for JSON in the strongest way that the upstream takes."""
    given = draft.parameters.get("response_format")
    if not isinstance(given, dict) or draft.text_call is not None:  # then it holds a grammar
        return
    schema: dict[str, Any] | None = (given.get("json_schema") or {}).get("schema")
    if given["type"] in dialect.formats:
        if schema is not None and dialect.format_shape != "openai":
            draft.parameters["response_format"] = _SHAPES[dialect.format_shape](schema)
        elif schema is None and dialect.json_word and not _mentions_json(draft):
            draft.instruct(_ONE_OBJECT)
            draft.adapted.append(_PATH)
        return
    draft.adapted.append(_PATH)
    if schema is not None:
        draft.answer_schema = schema
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        draft.instruct(
            f"Answer with one JSON document that fits this JSON schema, and with nothing else:\n{text}"
        )
    else:
        draft.instruct(_ONE_OBJECT)
    if "json_object" in dialect.formats:
        draft.parameters["response_format"] = {"type": "json_object"}
    else:
        del draft.parameters["response_format"]


def _mentions_json(draft: Draft) -> bool:
    return any(
        "json" in text.lower() for message in draft.messages for text in _texts(message.content)
    )


def _texts(content: str | list[ChatPart] | UnsetType) -> list[str]:
    if isinstance(content, list):
        return [part["text"] for part in content if part["type"] == "text"]
    return [content] if isinstance(content, str) else []
