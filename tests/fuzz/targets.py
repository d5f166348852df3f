"""What is fuzzed: a function of bytes for each way in, which raises only if something is wrong.

What hypothesis draws is near to valid (`tests/test_properties*.py`). Here the bytes are anything, and
coverage leads them on.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from adapter.asgi.paths import find_route
from adapter.asgi.socket_frames import check_type, lane_of, read_body, read_frame, wants_answer
from adapter.asgi.state.request import PageQuery, read_query
from adapter.content_coding import CODINGS, BrokenCodingError
from adapter.dialects import DIALECTS
from adapter.dialects.base import ThinkTags
from adapter.errors import AdapterError, UpstreamError
from adapter.sealing import Sealer
from adapter.stream.encode import encode_events
from adapter.stream.grammar import check
from adapter.stream.sse import SSEReader
from adapter.stream.think_tags import ThinkTagSplitter
from adapter.stream.turn import TurnReader
from adapter.tools.grammars.forms import input_misfit
from adapter.translate.decode import decode_request
from adapter.translate.errors import http_error
from adapter.translate.request import to_chat_request
from tests.stream.responses import NOW, as_json, new_stream

_DIALECTS = sorted(DIALECTS.values(), key=lambda dialect: dialect.name)
_SEALER = Sealer((b"k" * 32,))
_MAX_BYTES = 100_000


def request(data: bytes) -> None:
    """A request becomes a chat request, or is refused."""
    with suppress(AdapterError):
        asked = decode_request(data[1:])
        to_chat_request(asked, _DIALECTS[data[0] % len(_DIALECTS)] if data else _DIALECTS[0])


def answer(data: bytes) -> None:
    """An answer, however it is cut, makes a legal stream."""
    dialect = _DIALECTS[data[0] % len(_DIALECTS)] if data else _DIALECTS[0]
    size = 1 + (data[1] if len(data) > 1 else 0)
    kind = "application/json" if len(data) > 2 and data[2] == 0x6A else "text/event-stream"
    reader = TurnReader(dialect, kind, max_event_bytes=_MAX_BYTES)
    stream = new_stream()
    events = stream.start()
    try:
        for at in range(3, len(data), size):
            events += stream.feed(reader.feed(data[at : at + size]))
            if reader.failure is not None:
                break
        events += stream.feed(reader.end())
        if reader.failure is not None:
            raise reader.failure
        events += stream.end_turn(reader.finish_reason, reader.usage) + stream.finish(NOW)
    except UpstreamError as error:
        events += stream.fail(error)
    encode_events(events)
    found = check(as_json(events))
    if found:
        raise AssertionError(found)


def sse(data: bytes) -> None:
    """Where events are cut changes nothing."""
    size = 1 + (data[0] if data else 0)
    whole = SSEReader(_MAX_BYTES)
    cut = SSEReader(_MAX_BYTES)
    at_once = whole.feed(data[1:]) + whole.end()
    in_pieces = [
        event for at in range(1, len(data), size) for event in cut.feed(data[at : at + size])
    ]
    if at_once != in_pieces + cut.end():
        raise AssertionError("cutting changes what is read")


def tags(data: bytes) -> None:
    """Where tags are cut changes nothing, and no letter is lost but those of tags."""
    text = data[1:].decode(errors="replace")
    size = 1 + (data[0] % 16 if data else 0)
    modes: list[ThinkTags] = ["leading", "anywhere"]
    for mode in modes:
        whole, cut = ThinkTagSplitter(mode), ThinkTagSplitter(mode)
        at_once = _joined(whole.split(text) + whole.end())
        pieces = [
            each for at in range(0, len(text), size) for each in cut.split(text[at : at + size])
        ]
        if at_once != _joined(pieces + cut.end()):
            raise AssertionError("cutting changes what is read")


def _joined(pieces: list[tuple[bool, str]]) -> tuple[str, str]:
    return (
        "".join(text for is_reasoning, text in pieces if is_reasoning),
        "".join(text for is_reasoning, text in pieces if not is_reasoning),
    )


def frame(data: bytes) -> None:
    """A frame of a WebSocket is read, or refused."""
    with suppress(AdapterError):
        read = read_frame(read_body({"text": data.decode(errors="surrogateescape")}, _MAX_BYTES))
        lane_of(read)
        check_type(read)
        wants_answer(read)


def sealed(data: bytes) -> None:
    """What was not sealed here is not opened."""
    if _SEALER.open("reasoning", "ra1." + data.decode(errors="replace")) is not None:
        raise AssertionError("opened what was never sealed")


def coding(data: bytes) -> None:
    """A compressed body is decoded, or refused."""
    names = sorted(CODINGS)
    decoder = CODINGS[names[data[0] % len(names)] if data else names[0]]()
    with suppress(BrokenCodingError):
        size = sum(len(piece) for piece in decoder.feed(data[1:]))
        if size > 2000 * len(data) + 1_000_000:
            raise AssertionError("a few bytes became many")


def error(data: bytes) -> None:
    """An error of an upstream's becomes one of ours, which can be encoded."""
    status = 400 + (data[0] % 200 if data else 0)
    kinds = ("application/json", "text/plain", "text/html", "")
    kind = kinds[data[1] % len(kinds)] if len(data) > 1 else ""
    body = http_error(status, {"content-type": kind}, data[2:]).body()
    msgspec.json.encode(body)
    if "Traceback (most" in body["error"]["message"]:
        raise AssertionError("a stack trace is passed on")


def place(data: bytes) -> None:
    """A path and a query are read, or refused."""
    path, _, query = data.partition(b"?")
    found = find_route("/v1" + path.decode("utf-8", "replace"), "/v1")
    if found is not None and any("/" in id or not id for id in found.ids):
        raise AssertionError("an id that is none")
    with suppress(AdapterError):
        read_query(query, PageQuery)


def grammar(data: bytes) -> None:
    """A grammar of a client's, and an input: an answer, in time."""
    definition, _, text = data.decode(errors="replace").partition("\0")
    for syntax in ("regex", "lark"):
        with suppress(AdapterError, ValueError):
            input_misfit(syntax, definition, text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (request, answer, sse, tags, frame, sealed, coding, error, place, grammar)
}
