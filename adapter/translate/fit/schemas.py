"""JSON schemas without the keywords that the upstream refuses, tools and formats without `strict`.

Source: `reported.md` §3.3 (Gemini, Mistral and MiniMax refuse keywords, Cerebras and others
`strict`).
"""

from typing import Any

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.types.chat import ChatTool
from adapter.types.decoding import check_depth, decode_at, unsupported

# Keywords under which names are the user's own, not keywords.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_OPAQUE = frozenset({"enum", "const", "default", "examples"})
_REFERENCE = "$ref"
MAX_INLINED = 64  # references followed in one schema: each may hold several of the next
_json = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode


def fit_schemas(draft: Draft, dialect: Dialect) -> None:
    """Leave out what is refused."""
    tools = draft.parameters.get("tools")
    if tools and (dialect.schema_refuses or not dialect.strict_tools):
        draft.parameters["tools"] = [
            _fit_tool(tool, f"tools[{index}]", draft, dialect) for index, tool in enumerate(tools)
        ]
    given = draft.parameters.get("response_format")
    if isinstance(given, dict) and "json_schema" in given:
        fitted = _fit_format(given["json_schema"], draft, dialect)
        draft.parameters["response_format"] = {**given, "json_schema": fitted}


def _fit_format(given: dict[str, Any], draft: Draft, dialect: Dialect) -> dict[str, Any]:
    if not dialect.strict_formats and "strict" in given:
        if given["strict"]:
            draft.dropped.append("text.format.strict")
        given = {key: value for key, value in given.items() if key != "strict"}
    if dialect.schema_refuses:
        fitted = _without(given["schema"], dialect, "text.format.schema")
        if fitted != given["schema"]:
            draft.adapted.append("text.format.schema")
            given = {**given, "schema": fitted}
    return given


def _fit_tool(tool: ChatTool, at: str, draft: Draft, dialect: Dialect) -> ChatTool:
    function = tool.function
    if not dialect.strict_tools and function.strict is not UNSET:
        if function.strict:
            draft.dropped.append(f"{at}.strict")
        function = msgspec.structs.replace(function, strict=UNSET)
    if dialect.schema_refuses:
        schema = _read(_encode(function.parameters), f"{at}.parameters")
        fitted = _without(schema, dialect, f"{at}.parameters")
        if fitted != schema:
            draft.adapted.append(f"{at}.parameters")
            function = msgspec.structs.replace(function, parameters=msgspec.Raw(_encode(fitted)))
    return ChatTool(function)


def _read(raw: bytes, at: str) -> Any:
    schema = decode_at(_json, raw, at)
    check_depth(schema, at)
    return schema


def _without(schema: Any, dialect: Dialect, at: str) -> Any:
    try:
        return without(schema, dialect.schema_refuses)
    except RecursionError as exc:
        raise unsupported(at, "is nested too deeply for the upstream") from exc


def without(schema: Any, refused: frozenset[str]) -> Any:
    """Return the schema without the refused keywords.

    Where `$ref` is refused, what it refers to stands in its place, and anything where that would
    never end. Without a combination (`anyOf`, …), its first branch stands for it, and without
    `const` an `enum` of one value.
    """
    return _Sanitiser(schema, refused).clean(schema)


class _Sanitiser:
    def __init__(self, root: Any, refused: frozenset[str]) -> None:
        self._root = root
        self._refused = refused
        self._inlined = 0
        self._open: list[str] = []  # references that are being followed

    def clean(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.clean(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if _REFERENCE in schema and _REFERENCE in self._refused:
            return self._inline(schema)
        cleaned: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in self._refused:
                if keyword in ("anyOf", "oneOf", "allOf") and isinstance(value, list) and value:
                    first = self.clean(value[0])
                    cleaned = {**first, **cleaned} if isinstance(first, dict) else cleaned
                elif keyword == "const" and "enum" not in self._refused:
                    cleaned["enum"] = [value]
            elif keyword in _OPAQUE:
                cleaned[keyword] = value
            elif keyword in _NAMED and isinstance(value, dict):
                cleaned[keyword] = {name: self.clean(inner) for name, inner in value.items()}
            else:
                cleaned[keyword] = self.clean(value)
        return cleaned

    def _inline(self, schema: dict[str, Any]) -> Any:
        self._inlined += 1
        reference = schema[_REFERENCE]
        target = self._find(reference)
        if target is None or reference in self._open or self._inlined > MAX_INLINED:
            return {}
        beside = {key: value for key, value in schema.items() if key != _REFERENCE}
        self._open.append(reference)
        cleaned = self.clean({**target, **beside})
        self._open.pop()
        return cleaned

    def _find(self, reference: Any) -> dict[str, Any] | None:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = self._root
        for key in reference.removeprefix("#").strip("/").split("/"):
            if key:
                found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None
