"""`response_format` in a form that the upstream knows.

Without `json_schema`, the schema goes into the instructions, and the answer is checked against it
by whoever sends the request (`Draft.answer_schema`).

Source: `reported.md` §3.3 (DeepSeek, GLM and Kimi know `json_object` alone); TGI's guidance types.
"""

import json
from typing import Any

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_PATH = "text.format"


def fit_format(draft: Draft, dialect: Dialect) -> None:
    """Ask for JSON in the strongest way that the upstream takes."""
    given = draft.parameters.get("response_format")
    if not isinstance(given, dict):
        return
    schema: dict[str, Any] | None = (given.get("json_schema") or {}).get("schema")
    if given["type"] in dialect.formats:
        if schema is not None and dialect.format_shape == "tgi":
            draft.parameters["response_format"] = {"type": "json", "value": schema}
        return
    draft.adapted.append(_PATH)
    if schema is not None:
        draft.answer_schema = schema
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        draft.instruct(
            f"Answer with one JSON document that fits this JSON schema, and with nothing else:\n{text}"
        )
    else:
        draft.instruct("Answer with one JSON object, and with nothing else.")
    if "json_object" in dialect.formats:
        draft.parameters["response_format"] = {"type": "json_object"}
    else:
        del draft.parameters["response_format"]
