"""Errors in place of a chunk: said in one, instead of one, or by what cannot be one.

Source: `observed.md` §8, `reported.md` §3.2.
"""

from typing import Any

import msgspec

from adapter.errors import UpstreamError
from adapter.translate.errors import stream_error
from adapter.types.chat import ChatChunk
from adapter.types.raw import is_given

_any = msgspec.json.Decoder()


def check_chunk(chunk: ChatChunk, data: bytes) -> None:
    """Look whether what is no ordinary chunk is an error.

    Raises:
        UpstreamError: it is.
    """
    if (
        is_given(chunk.error)
        or chunk.object == "error"
        or (chunk.choices is None and chunk.detail)
        or (not chunk.choices and chunk.base_resp and _is_failure(chunk.base_resp))
        or (chunk.choices is None and chunk.object is None and _tells_error(read_open(data)))
    ):
        raise stream_error(read_open(data))


def not_a_chunk(data: bytes) -> UpstreamError:
    """Return the error that data stands for, or that it cannot be read."""
    match error := read_open(data):
        case None:
            return UpstreamError("The upstream sent an event that is not JSON.")
        case {"error": inner} if inner:
            return stream_error(error)
        case [{"error": inner}, *_] if inner:
            return stream_error(error)
        case _:
            return UpstreamError("The upstream sent an event that is not a chat completion chunk.")


def read_open(raw: bytes | msgspec.Raw) -> Any:
    """Decode what was only skipped over before; None if it cannot be (`1e999`, bytes that are no
    UTF-8).
    """
    try:
        return _any.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _tells_error(value: Any) -> bool:
    """Tell whether an object that is no chunk is an error all the same (`event: error`)."""
    match value:
        case {"message": str(text)} if text:
            return True
        case {"type": "error"}:
            return True
        case _:
            return False


def _is_failure(base_resp: msgspec.Raw) -> bool:
    """Tell whether MiniMax's word on how things went is a bad one; it stands in good chunks too."""
    match read_open(base_resp):
        case {"status_code": int(code)}:
            return code != 0
        case _:
            return False
