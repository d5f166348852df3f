"""Frames of the WebSocket mode: what clients send, and how answers are written.

A frame of a client is the body of a request with an envelope among its fields: `type`, `stream_id`
and `generate`. Frames of ours are events, one each, with the `stream_id` of their lane.

Source: OpenAI's guide to the WebSocket mode (November 2026); SDK 3.51 `ResponsesClientEvent` and
`ResponseWsError`; Open Responses 2026-04-24 `WebSocketErrorEvent`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.types import Scope

from adapter.errors import AdapterError, InvalidRequestError, TooLargeError
from adapter.types.decoding import decode_at, invalid, missing_parameter
from adapter.types.events import Event
from adapter.types.request import ResponseRequest

CREATE = "response.create"
STEER = "response.steer"
MAX_STREAM_ID_CHARS = 256

# A message for many frames of text, `texts`, each of them the bytes of one; ASGI has one for a
# single frame only. Servers that take it name it in the extensions of the scope.
SEND_TEXTS: Final = "websocket.send.texts"

_STREAM_ID = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_STREAM_ID_CHARS}}}")
_ENVELOPE = frozenset({"type", "stream_id", "generate"})


class Frame(msgspec.Struct, frozen=True):
    """The envelope of a client's frame, as it came: every field may be wrong.

    Attributes:
        type: what it asks for.
        stream_id: the lane that it belongs to; None is the one without a name.
        generate: false says that the request is only to be remembered.
        previous_response_id: what it continues.
    """

    type: Any = None
    stream_id: Any = None
    generate: Any = None
    previous_response_id: Any = None


class _Steer(msgspec.Struct, frozen=True):
    input: Any
    previous_response_id: str


_frame = msgspec.json.Decoder(Frame)
_steer = msgspec.json.Decoder(_Steer)
_encode = msgspec.json.Encoder().encode


def read_body(message: Mapping[str, Any], max_bytes: int) -> bytes:
    """Return the text of a `websocket.receive` message.

    Raises:
        InvalidRequestError: it has none, or one that is not Unicode.
        TooLargeError: it is longer than allowed.
    """
    text = message.get("text")
    if text is None:
        raise InvalidRequestError(
            "Invalid frame: expected text, got binary data.", code="invalid_value"
        )
    try:
        body: bytes = text.encode()
    except UnicodeEncodeError as exc:
        raise InvalidRequestError("Invalid frame: not Unicode.", code="invalid_json") from exc
    if len(body) > max_bytes:
        raise TooLargeError(f"The frame is larger than the limit of {max_bytes} bytes.")
    return body


def read_frame(body: bytes) -> Frame:
    """Return the envelope of a frame.

    Raises:
        InvalidRequestError: it is not a JSON object.
    """
    try:
        return _frame.decode(body)
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InvalidRequestError(
            "We could not parse the frame: expected a JSON object.", code="invalid_json"
        ) from exc


def lane_of(frame: Frame) -> str | None:
    """Return the lane of a frame, None for the one without a name.

    Raises:
        InvalidRequestError: no lane can have this name.
    """
    stream_id = frame.stream_id
    if stream_id is None or (isinstance(stream_id, str) and _STREAM_ID.fullmatch(stream_id)):
        return stream_id
    raise InvalidRequestError(
        "The 'stream_id' field must be a non-empty string with at most "
        f"{MAX_STREAM_ID_CHARS} characters and may only contain letters, numbers, underscores, "
        "hyphens, and periods.",
        code="invalid_stream_id",
        param="stream_id",
    )


def check_type(frame: Frame) -> None:
    """Refuse frames that we do not know.

    Raises:
        InvalidRequestError: no type, or another than those of the API.
    """
    if frame.type is None:
        raise missing_parameter("type")
    if frame.type not in (CREATE, STEER):
        raise InvalidRequestError(
            f"Invalid 'type': expected '{CREATE}', got {str(frame.type)[:64]!r}.",
            code="invalid_value",
            param="type",
        )


def wants_answer(frame: Frame) -> bool:
    """Tell whether a model is to answer.

    Raises:
        InvalidRequestError: `generate` says neither.
    """
    if frame.generate is not None and not isinstance(frame.generate, bool):
        raise InvalidRequestError(
            "Invalid 'generate': expected true or false.", code="invalid_type", param="generate"
        )
    return frame.generate is not False


def without_envelope(request: ResponseRequest) -> ResponseRequest:
    """Return a request without what belongs to the frame, or to HTTP alone.

    Open Responses forbids `stream`, `stream_options` and `background` here, OpenAI's SDK sends
    them: they are without effect.
    """
    extras = {name: raw for name, raw in request.extras.items() if name not in _ENVELOPE}
    return msgspec.structs.replace(
        request, extras=extras, stream=None, stream_options=None, background=None
    )


def takes_texts(scope: Scope) -> bool:
    """Tell whether the server takes many frames at once."""
    return SEND_TEXTS in (scope.get("extensions") or {})


def encode_texts(events: Sequence[Event], stream_id: str | None) -> list[bytes]:
    """Return events as the texts of frames, one each."""
    texts = [_encode(event) for event in events]
    if stream_id is None:
        return texts
    end = f',"stream_id":"{stream_id}"}}'.encode()
    return [text[:-1] + end for text in texts]


def encode_error(error: AdapterError, stream_id: str | None) -> bytes:
    """Return the frame for what failed before there was a response.

    Open Responses wants a code, always. Codex looks for headers beside the error, the SDK in it.
    """
    body = {**error.body()["error"], "code": error.code or error.type}
    frame: dict[str, Any] = {"type": "error", "status": error.status, "error": body}
    if error.headers:
        body["headers"] = frame["headers"] = dict(error.headers)
    if stream_id is not None:
        frame["stream_id"] = stream_id
    return _encode(frame)


def refuse_steering(body: bytes) -> bytes:
    """Return the frame that gives steering input back: a chat model answers what it was asked.

    Raises:
        InvalidRequestError: the frame is not what the API has for steering.
    """
    steer = decode_at(_steer, body, "")
    return _encode(
        {
            "type": "response.steer.failed",
            "sequence_number": 0,
            "steer": steer,
            "error": {
                "type": "invalid_request_error",
                "code": "steering_not_supported",
                "message": "Responses cannot be steered here: send the input with the next "
                "response.create.",
            },
        }
    )
