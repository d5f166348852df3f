"""What the list of requests says of one, read from the bytes that go through. Pure.

Most of them are only searched: what is decoded is the request, and the end of the answer.
"""

import re
from typing import Any

import msgspec

PREVIEW_CHARS = 100
MAX_CHARS = 300  # of what the list quotes

_DELTA = re.compile(rb'"type":"response\.[a-z_.]+\.delta"')
_LAST = re.compile(rb'(?:^|\ndata: )\{"type":"(?:response\.(?:completed|incomplete|failed)|error)"')


class Asked(msgspec.Struct, frozen=True):
    """What a request says of itself.

    Attributes:
        model: that it asks.
        streams: the answer is to be a stream.
        preview: the beginning of its last text.
    """

    model: str | None = None
    streams: bool = False
    preview: str = ""


class Said(msgspec.Struct, frozen=True):
    """What the end of an answer says of the whole."""

    id: str | None = None
    status: str | None = None
    usage: Any = None
    error: Any = None


class _Request(msgspec.Struct, frozen=True):
    model: Any = None
    stream: Any = None
    input: Any = None


class _Last(msgspec.Struct, frozen=True):
    response: Said | None = None
    error: Any = None


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_request = msgspec.json.Decoder(_Request)
_document = msgspec.json.Decoder(Said)
_last = msgspec.json.Decoder(_Last)


def read_request(body: bytes) -> Asked:
    """Return what the body of a request says; of one that cannot be read, nothing."""
    try:
        found = _request.decode(body)
    except _UNREADABLE:
        return Asked()
    model = found.model[:MAX_CHARS] if isinstance(found.model, str) else None
    return Asked(model, found.stream is True, preview(found.input))


def has_delta(data: bytes) -> bool:
    """Tell whether a delta is among the events."""
    return _DELTA.search(data) is not None


def find_last(data: bytes) -> bytes | None:
    """Return the event that ends a response, if it is here: a frame, or a line of a stream."""
    found = _LAST.search(data)
    if found is None:
        return None
    return data[found.start() :].removeprefix(b"\ndata: ").partition(b"\n")[0]


def read_last(event: bytes) -> Said | None:
    """Return what the last event says; None if it cannot be read."""
    try:
        found = _last.decode(event)
    except _UNREADABLE:
        return None
    return found.response or Said(status="failed", error=found.error)


def read_document(body: bytes) -> Said:
    """Return what an answer says that is no stream; of one that cannot be read, nothing."""
    try:
        return _document.decode(body)
    except _UNREADABLE:
        return Said()


def preview(input: Any) -> str:
    """Return the beginning of the last text that somebody put in."""
    entries = input if isinstance(input, list) else [input]
    for entry in reversed(entries):
        text = _text_of(entry)
        if text:
            return " ".join(text[: 4 * PREVIEW_CHARS].split())[:PREVIEW_CHARS]
    return ""


def _text_of(entry: Any) -> str:
    match entry:
        case str():
            return entry
        case {"content": str() as text} | {"text": str() as text}:
            return text
        case {"output": str() as text}:
            return f"↩ {text}"  # what a tool said
        case {"content": list() as parts}:
            return next((found for part in reversed(parts) if (found := _text_of(part))), "")
        case _:
            return ""
