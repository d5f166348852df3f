"""Our OpenAPI document: of the routes, and of the types that are decoded and encoded anyway.

It is made when it is first asked for.

Source: OpenAPI 3.1.1.
"""

import re
from functools import cache
from typing import Any, Final

import msgspec

from adapter._version import __version__
from adapter.asgi.openapi.operations import OPERATIONS, Operation
from adapter.asgi.openapi.schemas import Schema, Schemas
from adapter.asgi.paths import STATE_ROUTES, all_routes, allowed_methods

_JSON: Final = "application/json"
_TEXT: Final[Schema] = {"type": "string"}
_ITEM: Final[Schema] = {"type": "object", "description": "an item, by its `type`"}
_ITEMS: Final[Schema] = {"type": "array", "items": _ITEM}
# What our types leave to later readers, as raw JSON.
_OPEN_FIELDS: Final[dict[str, dict[str, Schema]]] = {
    "ResponseRequest": {
        "input": {"anyOf": [_TEXT, _ITEMS, {"type": "null"}]},
        "input_items": {"anyOf": [_ITEMS, {"type": "null"}]},
        "tools": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "null"}]},
        "tool_choice": {"anyOf": [_TEXT, {"type": "object"}, {"type": "null"}]},
    },
    "NewConversation": {"items": {"anyOf": [{**_ITEMS, "maxItems": 20}, {"type": "null"}]}},
    "NewItems": {"items": {**_ITEMS, "maxItems": 20}},
    "Conversation": {"metadata": {"type": "object", "additionalProperties": _TEXT}},
}
_ERROR: Final[Schema] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_FAILURE: Final = {
    "description": "It could not be done.",
    "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
}


@cache
def make_document() -> dict[str, Any]:
    """Return the document, with nothing said of where its paths begin."""
    takes, answers = Schemas(), Schemas(complete=True)
    paths: dict[str, Any] = {}
    for route in all_routes():
        paths[route] = {
            method.lower(): _operation(route, OPERATIONS[method, route], takes, answers)
            for method in allowed_methods(route)
        }
    schemas = {**takes.named, **answers.named, "Error": _ERROR}
    for name, fields in _OPEN_FIELDS.items():
        properties = schemas[name]["properties"]
        schemas[name] = {**schemas[name], "properties": {**properties, **fields}}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "responses-adapter",
            "version": __version__,
            "summary": "The Responses API of OpenAI, made from chat completions.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def document_at(base: str) -> bytes:
    """Return the document as JSON.

    Args:
        base: path that the routes stand under, such as `/v1`.
    """
    document = make_document()
    placed = {name: document[name] for name in ("openapi", "info")}
    placed["servers"] = [{"url": base or "/"}]
    return msgspec.json.encode(placed | document)


def _operation(route: str, row: Operation, takes: Schemas, answers: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {_JSON: {"schema": answers.of(row.answers)}}
    if row.event is not None:
        content["text/event-stream"] = {
            "schema": _TEXT,
            "x-event-schema": answers.of(row.event),
        }
    operation: dict[str, Any] = {
        "operationId": row.id,
        "summary": row.summary,
        "tags": ["stored"] if route in STATE_ROUTES else ["made"],
        "responses": {
            "200": {"description": "It is done.", "content": content},
            "default": _FAILURE,
        },
    }
    parameters = [_in_path(name) for name in re.findall(r"\{(\w+)\}", route)]
    parameters += [each for kind in row.queries for each in _in_query(kind, takes)]
    if parameters:
        operation["parameters"] = parameters
    if row.takes is not None:
        schema = takes.of(row.takes)
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return operation


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}}


def _in_query(kind: type[msgspec.Struct], takes: Schemas) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": is_required, "schema": _without_null(schema)}
        for name, schema, is_required in takes.fields_of(kind)
    ]


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a value in a query, where nothing is said by leaving it out."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return options[0] if len(options) == 1 else schema
