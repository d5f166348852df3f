"""JSON Schemas of `msgspec` types, from their annotations.

Not `msgspec.json.schema_components`: that takes only what can be decoded as well, so it refuses raw
JSON and our unions for output, in which items of other vendors have any `type`.

Source: JSON Schema 2020-12, of which OpenAPI 3.1 is made.
"""

import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, UnsetType

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/"
_PLAIN: Final[dict[Any, Schema]] = {
    Any: {},
    Raw: {},
    bytes: {},
    None: {"type": "null"},
    types.NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
}
# What bounds a value: the name here, and that of JSON Schema for a number, a text and a list.
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "pattern": "pattern",
    "description": "description",
}
_LENGTHS: Final = {"min_length": "min", "max_length": "max"}


class Schemas:
    """Makes schemas; those of structs once, by name.

    Args:
        complete: of what is answered, which has all its fields but those that are left unset.

    Attributes:
        named: of all structs that were met.
    """

    def __init__(self, *, complete: bool = False) -> None:
        self.named: dict[str, Schema] = {}
        self._complete = complete

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._bounded(kind)
        if origin is Literal:
            return {"enum": sorted(arguments)}
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return self._dictionary(*arguments)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(kind)
        return dict(_PLAIN[kind])

    def fields_of(self, kind: type[msgspec.Struct]) -> list[tuple[str, Schema, bool]]:
        """Return of each field of a struct its name, its schema, and whether it must be there."""
        is_whole = self._complete and not kind.__struct_config__.omit_defaults
        return [
            (
                field.encode_name,
                self.of(field.type) | _default(field.default),
                field.required or (is_whole and UnsetType not in get_args(field.type)),
            )
            for field in msgspec.structs.fields(kind)
            if field.encode_name.isidentifier()  # others are not on the wire
        ]

    def _bounded(self, kind: Any) -> Schema:
        base, *notes = get_args(kind)
        schema = self.of(base)
        unit = "Items" if schema.get("type") == "array" else "Length"
        for note in notes:
            assert isinstance(note, Meta), "there are no other notes"
            for name, to in _BOUNDS.items():
                if (bound := getattr(note, name)) is not None:
                    schema[to] = bound
            for name, to in _LENGTHS.items():
                if (bound := getattr(note, name)) is not None:
                    schema[to + unit] = bound
        return schema

    def _dictionary(self, names: Any, values: Any) -> Schema:
        schema: Schema = {"type": "object"}
        if (named := self.of(names)) != {"type": "string"}:
            schema["propertyNames"] = named
        if valued := self.of(values):
            schema["additionalProperties"] = valued
        return schema

    def _union(self, kinds: tuple[Any, ...]) -> Schema:
        options = [self.of(kind) for kind in kinds if kind is not UnsetType]
        return options[0] if len(options) == 1 else {"anyOf": options}

    def _struct(self, kind: type[msgspec.Struct]) -> Schema:
        name = kind.__name__.lstrip("_")
        if name not in self.named:
            self.named[name] = {}  # it may hold itself
            self.named[name] = self._object(kind)
        return {"$ref": _REF + name}

    def _object(self, kind: type[msgspec.Struct]) -> Schema:
        config = kind.__struct_config__
        properties: dict[str, Schema] = {}
        required: list[str] = []
        if config.tag_field is not None:
            properties[config.tag_field] = {"const": config.tag}
            required.append(config.tag_field)
        for name, schema, is_required in self.fields_of(kind):
            properties[name] = schema
            if is_required:
                required.append(name)
        schema = {"type": "object", "properties": properties}
        return schema | ({"required": required} if required else {})


def _default(default: Any) -> Schema:
    return {"default": default} if isinstance(default, bool | int | float | str) else {}
