"""The pure stages of a request, each ready to be called again and again with the same input.

Requests and answers are those of the scenarios: what a stage costs here is its part of the CPU time
that `benchmarks.run` measures. A new stage is a new row.
"""

import json
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import msgspec

from adapter.dialects import DIALECTS
from adapter.stream.encode import encode_events
from adapter.stream.machine import ResponseStream
from adapter.stream.sse import SSEReader
from adapter.stream.turn import TurnReader
from adapter.translate.decode import decode_request
from adapter.translate.echo import to_response
from adapter.translate.request import Translation, to_chat_request
from adapter.types.events import Event
from benchmarks.agent_input import as_responses
from benchmarks.mock_upstream import MODES, stream_events

DIALECT = DIALECTS["vllm"]
DELTAS = 64  # of a stream; more than a few, so that its beginning and end do not count for much


class Stage(msgspec.Struct, frozen=True):
    """One stage.

    Attributes:
        name: of the stage.
        call: does its work once.
        units: what the time is divided by.
        unit: its name.
    """

    name: str
    call: Callable[[], object]
    units: int = 1
    unit: str = "request"


def request_body(size: int = 0, items: int = 1, tools: int = 0) -> bytes:
    """Return a request with at least `size` bytes of text in `items` messages, and some tools."""
    text = "Tell me about the weather. " * max(1, size // 27 // items)
    parameters = {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name in ("city", "day")},
        "required": ["city"],
    }
    fields: dict[str, Any] = {"model": "m", "stream": True, "input": "Hello"}
    if size or items > 1:
        fields["input"] = [{"role": "user", "content": text}] * items
    if tools:
        fields["tools"] = [
            {"type": "function", "name": f"get_{index}", "parameters": parameters}
            for index in range(tools)
        ]
    return json.dumps(fields).encode()


def answer(mode: str, number: int = DELTAS) -> list[bytes]:
    """Return the events of an answer of the mock upstream."""
    content = MODES[mode](number)
    return list(stream_events("m", content, include_usage=True))


def translate(body: bytes) -> Translation:
    return to_chat_request(decode_request(body), DIALECT)


def new_stream(body: bytes = request_body()) -> ResponseStream:
    request = decode_request(body)
    number = count().__next__
    response = to_response(request, translate(body), id="resp_0", created_at=0)
    return ResponseStream(response, lambda prefix: f"{prefix}_{number()}")


def adapt(reads: list[bytes]) -> bytes:
    """Take what comes from upstream to what goes to the client, one read after the other."""
    return _adapt_with(new_stream(), reads)


def _adapt_with(stream: ResponseStream, reads: list[bytes]) -> bytes:
    turn = TurnReader(DIALECT)
    said = [encode_events(stream.start())]
    said += [encode_events(stream.feed(turn.feed(read))) for read in reads]
    events = stream.feed(turn.end()) + stream.end_turn(turn.finish_reason, turn.usage)
    said.append(encode_events([*events, *stream.finish(0)]))
    return b"".join(said)


def stages() -> list[Stage]:
    """Return all stages."""
    return [*_request_stages(), *_stream_stages()]


def _request_stages() -> list[Stage]:
    bodies = {
        "short": request_body(),
        "8 tools": request_body(tools=8),
        "64 kB": request_body(size=64_000),
        "200 kB": request_body(size=200_000, items=20),
        "1,000 items": request_body(items=1_000),
        "agent, 200 kB": json.dumps({"model": "m", **as_responses()}).encode(),
    }
    found = []
    for name, body in bodies.items():
        request = decode_request(body)
        translation = translate(body)
        found += [
            Stage(f"decode the request: {name}", partial(decode_request, body)),
            Stage(f"translate: {name}", partial(to_chat_request, request, DIALECT)),
            Stage(f"encode the chat request: {name}", translation.chat.encode),
        ]
    request, translation = decode_request(bodies["short"]), translate(bodies["short"])
    found.append(
        Stage(
            "begin a response",
            lambda: to_response(request, translation, id="resp_0", created_at=0),
        )
    )
    return found


def _stream_stages() -> list[Stage]:
    whole, single = b"".join(answer("burst")), answer("burst")
    deltas = TurnReader(DIALECT).feed(whole)
    events: list[Event] = new_stream().feed(deltas)
    unit = {"units": DELTAS, "unit": "delta"}
    found = [
        Stage("split server-sent events", lambda: SSEReader().feed(whole), **unit),  # type: ignore[arg-type]
        Stage("read chunks", lambda: TurnReader(DIALECT).feed(whole), **unit),  # type: ignore[arg-type]
        Stage("make events", lambda: new_stream().feed(deltas), **unit),  # type: ignore[arg-type]
        Stage("encode events", lambda: encode_events(events), **unit),  # type: ignore[arg-type]
        Stage("all, a read for each delta", lambda: adapt(single), **unit),  # type: ignore[arg-type]
        Stage("all, one read", lambda: adapt([whole]), **unit),  # type: ignore[arg-type]
    ]
    for mode, factor in (("reasoning", 2), ("tools", 1)):
        reads = [b"".join(answer(mode))]
        name = f"all, one read, {mode}"
        found.append(Stage(name, partial(adapt, reads), DELTAS * factor, "delta"))
    return found
