"""Checks events and responses against the published schemas: Open Responses' and the openai SDK's.

For tests. The order of events is the business of `adapter.stream.grammar`; here each object is
looked at alone. Neither schema can hold all that servers must send, and both are wrong in places:
what is let pass, and why, stands in the tables `NOT_IN_OPEN_RESPONSES` and `NOT_IN_SDK` and in
the `_as_…` functions, and nowhere else.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from openai.types.responses import CompactedResponse, Response, ResponseStreamEvent
from openai.types.responses.responses_server_event import ResponseWsError
from pydantic import BaseModel, ValidationError

_SCHEMA = Path(__file__).parent / "data" / "openresponses-2026-04-24.openapi.json"

# Events that Open Responses 2026-04-24 does not have, under the name that it has for them or None.
NOT_IN_OPEN_RESPONSES: Mapping[str, str | None] = {
    # The name of the SDK and of every recording; no release of Open Responses has it.
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
    # Sent while the upstream is silent. By the prose it should have a slug; clients mind no event.
    "keepalive": None,
    # Recorded from OpenAI, and in no schema at all.
    "response.apply_patch_call_operation_diff.delta": None,
    "response.apply_patch_call_operation_diff.done": None,
}
# Items, tools and efforts that its schema has; it refuses others, though its prose allows them.
_ITEMS = {"message", "function_call", "function_call_output", "reasoning", "compaction"}
_EFFORTS = {None, "none", "low", "medium", "high", "xhigh"}

# Events that are not in the types of the SDK, which passes them on as they are.
NOT_IN_SDK = {
    "keepalive",
    "response.reasoning.delta",
    "response.reasoning.done",
    "response.apply_patch_call_operation_diff.delta",
    "response.apply_patch_call_operation_diff.done",
}
# Values that the types of the SDK do not list, though OpenAI sends them (as in the path's end).
_OPEN_ENUMS = {
    ("error", "code"),  # also the codes of requests, such as context_length_exceeded
}


def response_errors(response: Mapping[str, Any]) -> list[str]:
    """Return why Open Responses 2026-04-24 refuses a response object; none if it takes it."""
    return _schema_errors("ResponseResource", _as_response(response))


def compacted_errors(compacted: Mapping[str, Any]) -> list[str]:
    """Return why Open Responses, or the SDK, refuses the answer of `/responses/compact`.

    The types of the SDK know no messages of the user in it, though OpenAI sends them.
    """
    others = [item for item in compacted["output"] if item.get("role") != "user"]
    return _schema_errors("CompactResource", compacted) + _model_errors(
        CompactedResponse, {**compacted, "output": others}
    )


def event_errors(event: Mapping[str, Any]) -> list[str]:
    """Return why Open Responses 2026-04-24 refuses an event; none if it takes it.

    Events of items that it does not know are checked for their number only.
    """
    kind = event.get("type")
    name = NOT_IN_OPEN_RESPONSES.get(str(kind), kind) or kind
    schema = _event_schemas().get(str(name))
    if schema is None:
        known = kind in NOT_IN_OPEN_RESPONSES or kind in _sdk_events() or ":" in str(kind)
        unknown = [] if known else [f"type: {kind} is unknown"]
        numbered = isinstance(event.get("sequence_number"), int)
        return unknown + ([] if numbered else ["sequence_number: is not an integer"])
    changed = {**event, "type": name}
    if isinstance(event.get("response"), dict):
        changed["response"] = _as_response(event["response"])
    item = event.get("item")
    if isinstance(item, dict) and item.get("type") not in _ITEMS:
        changed["item"] = {"type": "compaction", "id": item.get("id"), "encrypted_content": ""}
    return _schema_errors(schema, changed)


def sdk_errors(event: Mapping[str, Any]) -> list[str]:
    """Return why the types of the openai SDK refuse an event or a response; none if they take it.

    The SDK itself builds its objects without looking; this validates, strictly, as from JSON.
    """
    kind = event.get("type")
    if event.get("object") == "response":
        return _model_errors(Response, event)
    if kind in NOT_IN_SDK or ":" in str(kind):
        return []
    if kind == "error":
        event = _as_flat_error(event)
    model = _sdk_events().get(str(kind))
    return [f"type: {kind} is unknown"] if model is None else _model_errors(model, event)


def socket_error_errors(frame: Mapping[str, Any]) -> list[str]:
    """Return why either refuses the frame for an error of a WebSocket; none if both take it."""
    return _schema_errors("WebSocketErrorEvent", frame) + _model_errors(ResponseWsError, frame)


def _as_response(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response without what the schema cannot hold and servers must still send."""
    changed = dict(response)
    for key, types in (("output", _ITEMS), ("tools", {"function"})):
        if isinstance(response.get(key), list):
            changed[key] = [each for each in response[key] if each.get("type") in types]
    choice = response.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") not in {"function", "allowed_tools"}:
        changed["tool_choice"] = "auto"
    reasoning = response.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("effort") not in _EFFORTS:
        changed["reasoning"] = {**reasoning, "effort": None}
    text = response.get("text")
    if isinstance(text, dict) and text.get("format", {}).get("type") == "json_schema":
        # The schema says that the echo of a JSON schema is null; the SDK says that it is an object.
        changed["text"] = {**text, "format": {**text["format"], "schema": None}}
    return changed


def _as_flat_error(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an `error` event as the types have it: flat. On the wire it is nested."""
    nested = event.get("error")
    fields = ("message", "code", "param")
    flat = {key: nested.get(key) for key in fields} if isinstance(nested, dict) else {}
    return {"type": "error", "sequence_number": event.get("sequence_number"), **flat}


def _schema_errors(name: str, instance: object) -> list[str]:
    return [
        f"{'.'.join(map(str, cause.absolute_path))}: {cause.message[:200]}"
        for error in _validator(name).iter_errors(instance)
        for cause in _causes(error)
    ]


def _causes(error: SchemaError) -> Iterator[SchemaError]:
    """Go down into the one member of a union that an instance was meant to be, by its `type`."""
    members: dict[object, list[SchemaError]] = {}
    for inner in error.context or ():
        members.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [
        errors
        for errors in members.values()
        if not any(
            [*inner.relative_path] == ["type"] or inner.validator_value == "null"
            for inner in errors
        )
    ]
    if len(meant) != 1:
        yield error
        return
    for inner in meant[0]:
        yield from _causes(inner)


@cache
def _components() -> Mapping[str, Any]:
    components: Mapping[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))["components"]
    return components


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _components()}
    return Draft202012Validator(schema)


@cache
def _event_schemas() -> Mapping[str, str]:
    """Return the name of the schema of each type of event."""
    return {
        schema["properties"]["type"]["enum"][0]: name
        for name, schema in _components()["schemas"].items()
        if name.endswith("StreamingEvent")
    }


@cache
def _sdk_events() -> Mapping[str, type[BaseModel]]:
    """Return the class of each type of event."""
    union = get_args(ResponseStreamEvent)[0]
    return {
        name: model
        for model in get_args(union)
        for name in get_args(model.model_fields["type"].annotation)
    }


def _model_errors(model: type[BaseModel], value: Mapping[str, Any]) -> list[str]:
    try:
        model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as refused:
        errors = [(error["loc"], error["type"], error["msg"]) for error in refused.errors()]
        return [f"{'.'.join(map(str, path))}: {text}" for path, text in _relevant(errors)]
    return []


_Path = tuple[int | str, ...]


def _relevant(errors: Iterable[tuple[_Path, str, str]]) -> Iterator[tuple[_Path, str]]:
    """Leave out what pydantic says of members of a union whose `type` is another's anyway.

    If that is every member of a union, the type itself is what is wrong.
    """
    errors = [(path, kind, text) for path, kind, text in errors if path[-2:] not in _OPEN_ENUMS]
    others = {
        path[:-1] for path, kind, _ in errors if kind == "literal_error" and path[-1] == "type"
    }

    def is_aside(path: _Path) -> bool:
        return any(path[:length] in others for length in range(len(path) + 1))

    for union in sorted({path[:-1] for path in others}, key=str):
        members = {path[: len(union) + 1] for path, _, _ in errors if path[: len(union)] == union}
        if members <= others and not is_aside(union):
            yield union, "its type is unknown"
    for path, _, text in errors:
        if not is_aside(path):
            yield path, text
