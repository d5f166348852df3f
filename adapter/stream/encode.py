"""Events to SSE bytes.

`event:` and `data:` lines with LF only; several events may share one buffer, and so one send.

Source: sheet §2.
"""

from collections.abc import Iterable
from typing import get_args

import msgspec

from adapter.types.events import Event

DONE = b"data: [DONE]\n\n"
KEEPALIVE_COMMENT = b": keep-alive\n\n"

_encode_into = msgspec.json.Encoder().encode_into
_PREFIXES = {
    kind: f"event: {kind.__struct_config__.tag}\ndata: ".encode() for kind in get_args(Event)
}


def encode_events(events: Iterable[Event]) -> bytes:
    """Return the events as server-sent events."""
    buffer = bytearray()
    for event in events:
        buffer += _PREFIXES[type(event)]
        _encode_into(event, buffer, -1)
        buffer += b"\n\n"
    return bytes(buffer)
