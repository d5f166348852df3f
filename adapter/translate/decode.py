"""The bytes of a request body to a `ResponseRequest`: everything wrong with them is a 400 here.

Unknown top-level fields are kept in `extras`; what becomes of them is decided by
`adapter.translate.extras`.
"""

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.types.decoding import check_depth, invalid, missing_parameter
from adapter.types.request import JsonSchemaFormat, ResponseRequest

MAX_METADATA_PAIRS = 16  # OpenAI's limit (sheet §3)


class _Item(msgspec.Struct, frozen=True):
    content: Raw = Raw(b"")
    output: Raw = Raw(b"")


class _OnlyModel(msgspec.Struct, frozen=True):
    model: str | None = None


_fields = msgspec.json.Decoder(dict[str, Raw])
_request = msgspec.json.Decoder(ResponseRequest)
_encode = msgspec.json.Encoder().encode
_list = msgspec.json.Decoder(list[Raw])
_items = msgspec.json.Decoder(list[_Item])
_only_model = msgspec.json.Decoder(_OnlyModel)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_UNKNOWN = "Object contains unknown field"  # of msgspec, about the body itself
# Names are compared with patterns, and what was learned is kept by them. Paths of files are names.
MAX_MODEL_CHARS = 1024
MAX_UNKNOWN_FIELDS = 1000  # each is named to the client and the log; a body may have a million
_MIN_ITEM_BYTES = 2  # of anything, with what stands between it and the next
KNOWN_FIELDS = frozenset(ResponseRequest.__struct_fields__) - {"extras"}


def decode_request(body: bytes) -> ResponseRequest:
    """Decode and check the body of `POST /v1/responses`.

    Raises:
        InvalidRequestError: not JSON, wrong types, values out of range, no model, or no input;
            `param` names the place.
    """
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look into raw values, which we pass on as they are
        if b"\n" in body or b"\r" in body:
            # Raw values are echoed as they are, and an event's data is one line. In valid JSON line
            # breaks stand only between tokens.
            _fields.decode(body)
            body = body.replace(b"\n", b" ").replace(b"\r", b" ")
        request = _decode(body)
    except _UNREADABLE as exc:
        raise _unreadable(exc) from exc
    _check(request)
    return request


def _decode(body: bytes) -> ResponseRequest:
    """Decode in one go, as most requests can be; or take apart what is known and what is not."""
    try:
        request = _request.decode(body)
        if not request.extras:
            return request
    except msgspec.ValidationError as exc:
        if not str(exc).startswith(_UNKNOWN):
            raise
    fields = _fields.decode(body)
    extras = {name: raw for name, raw in fields.items() if name not in KNOWN_FIELDS}
    if len(extras) > MAX_UNKNOWN_FIELDS:
        raise InvalidRequestError(
            f"Invalid request body: expected at most {MAX_UNKNOWN_FIELDS} fields that are not those "
            f"of the API, got {len(extras)}.",
            code="invalid_value",
        )
    known = {name: raw for name, raw in fields.items() if name in KNOWN_FIELDS}
    return msgspec.structs.replace(_request.decode(_encode(known)), extras=extras)


def check_size(request: ResponseRequest, max_items: int) -> None:
    """Refuse an input of so many small things that to look at them all would hold up others.

    Args:
        request: that was decoded; what is wrong with its items is found later.
        max_items: items and their parts together.

    Raises:
        InvalidRequestError: there are more.
    """
    if len(request.input) <= max_items * _MIN_ITEM_BYTES:
        return  # to count braces takes 60 µs in 200 kB, as long as to decode them
    raw = bytes(request.input)
    # Few braces are few items; only a text may have many of them and be none.
    if raw.count(b"{") > max_items and _count(raw, max_items) > max_items:
        raise InvalidRequestError(
            f"Invalid 'input': expected at most {max_items} items and parts together.",
            code="array_above_max_length",
            param="input",
        )


def _count(raw: bytes, limit: int) -> int:
    try:
        count = len(_list.decode(raw))
        if count > limit:
            return count
        for item in _items.decode(raw):
            for parts in (item.content, item.output):
                if bytes(parts)[:1] == b"[":
                    count += len(_list.decode(parts))
            if count > limit:
                break
    except _UNREADABLE:
        return 0  # whoever reads it says what is wrong
    return count


def read_model(body: bytes) -> str:
    """Return the model of a request that is not ours to check.

    Raises:
        InvalidRequestError: not JSON, or no model.
    """
    try:
        return _check_model(_only_model.decode(body).model)
    except _UNREADABLE as exc:
        raise _unreadable(exc) from exc


def _check_model(model: str | None) -> str:
    if model is None:
        raise missing_parameter("model")
    if not model.strip():
        raise InvalidRequestError(
            "Invalid 'model': expected the name of a model, got an empty string.",
            code="invalid_value",
            param="model",
        )
    if len(model) > MAX_MODEL_CHARS:
        raise InvalidRequestError(
            f"Invalid 'model': expected at most {MAX_MODEL_CHARS} characters, got {len(model)}.",
            code="string_above_max_length",
            param="model",
        )
    return model


def _check(request: ResponseRequest) -> None:
    _check_model(request.model)
    if request.text is not None and isinstance(request.text.format, JsonSchemaFormat):
        check_depth(request.text.format.schema, "text.format.schema")
    if request.response_format is not None and request.response_format.json_schema is not None:
        check_depth(
            request.response_format.json_schema.schema, "response_format.json_schema.schema"
        )
    if request.metadata is not None and len(request.metadata) > MAX_METADATA_PAIRS:
        raise InvalidRequestError(
            f"Invalid 'metadata': expected at most {MAX_METADATA_PAIRS} pairs, "
            f"got {len(request.metadata)}.",
            code="object_above_max_properties",
            param="metadata",
        )


def _unreadable(exc: Exception) -> InvalidRequestError:
    """Return the error for a body that cannot be decoded, whatever stands in the way."""
    match exc:
        case msgspec.ValidationError():
            return invalid(exc)
        case UnicodeDecodeError():
            reason = f"the body is not UTF-8 (byte {exc.start})"
        case RecursionError():
            reason = "it is nested too deeply"
        case _:
            reason = f"{exc}"
    return InvalidRequestError(
        f"We could not parse the JSON body of your request: {reason}.", code="invalid_json"
    )
