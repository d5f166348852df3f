"""A chat server that costs next to nothing, so that what stands before it can be measured.

Every answer is written from bytes that were made once. The model's name says what is answered:

    burst-512       512 text chunks, as fast as the socket takes them
    paced-64-20     64 text chunks, one every 20 ms, the first after 20 ms
    short-4         4 text chunks at once
    held-4-8000     4 text chunks at once, after 8000 ms
    coalesced-512-8 512 text chunks at once, 8 in each HTTP chunk
    reasoning-64    64 reasoning chunks and then 64 text chunks, at once
    tools-64        a call whose arguments come in 64 pieces, at once

Without `"stream": true` the same content comes as one JSON body. Spans, which a server under test
may send over OTLP, are taken and forgotten. It speaks as much HTTP/1.1 as a client of a chat server
needs, checks nothing, and is not for tests: they have `ScriptedUpstream`.

    python benchmarks/mock_upstream.py --port 0

prints its base URL, and serves until its standard input closes.
"""

import argparse
import asyncio
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
import uvloop

# As long as a usual token; the leading blank is part of it.
WORD = " token"

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_LAST_CHUNK = b"0\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class ChatRequest(msgspec.Struct, frozen=True):
    """The three fields that decide the answer; the rest is skipped unread."""

    model: str = "short-4"
    stream: bool = False
    stream_options: _StreamOptions | None = None


class Script(msgspec.Struct, frozen=True):
    """What is written for a request, ready to be sent.

    Attributes:
        blocks: the writes, in order; together they are the whole HTTP answer.
        interval_seconds: time before each write; 0 means that all are written at once.
    """

    blocks: tuple[bytes, ...]
    interval_seconds: float = 0.0


class Content(msgspec.Struct, frozen=True):
    """What a mode says: deltas for a stream, and the same as one message."""

    deltas: list[dict[str, Any]]
    message: dict[str, Any]
    finish_reason: str = "stop"
    interval_seconds: float = 0.0
    events_per_block: int = 1


def _text(count: int) -> Content:
    message = {"role": "assistant", "content": WORD * count}
    return Content([{"content": WORD}] * count, message)


def _paced(count: int, interval_ms: int) -> Content:
    return msgspec.structs.replace(_text(count), interval_seconds=interval_ms / 1000)


def _held(count: int, wait_ms: int) -> Content:
    all_of_it = count + 4  # role, finish, usage, done
    return msgspec.structs.replace(_paced(count, wait_ms), events_per_block=all_of_it)


def _coalesced(count: int, together: int) -> Content:
    return msgspec.structs.replace(_text(count), events_per_block=together)


def _reasoning(count: int) -> Content:
    text = _text(count)
    deltas = [{"reasoning_content": WORD}] * count + text.deltas
    return Content(deltas, text.message | {"reasoning_content": WORD * count})


def _tools(count: int) -> Content:
    pieces = ['{"city":"', *["Paris "] * (count - 2), '"}']
    function = {"name": "get_weather", "arguments": "".join(pieces)}
    call = {"id": "call_0", "type": "function", "function": function}
    opening = {"index": 0} | call | {"function": function | {"arguments": ""}}
    deltas: list[dict[str, Any]] = [{"tool_calls": [opening]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in pieces]
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return Content(deltas, message, finish_reason="tool_calls")


MODES: dict[str, Callable[..., Content]] = {
    "burst": _text,
    "coalesced": _coalesced,
    "held": _held,
    "paced": _paced,
    "reasoning": _reasoning,
    "short": _text,
    "tools": _tools,
}


def content_of(model: str) -> Content:
    """Return what a model says, by its name, which is a mode and its numbers.

    Raises:
        ValueError: there is no such mode, or the numbers are not its numbers.
    """
    name, *numbers = model.split("-")
    try:
        return MODES[name](*map(int, numbers))
    except (KeyError, TypeError) as exc:
        raise ValueError(f"no such model: {model}") from exc


@lru_cache(maxsize=64)
def script_for(model: str, *, stream: bool, include_usage: bool) -> Script:
    """Return the answer for a model's name; see `content_of`."""
    content = content_of(model)
    if not stream:
        return Script((_json_answer("200 OK", whole_answer(model, content)),))
    events = list(stream_events(model, content, include_usage=include_usage))
    step = content.events_per_block
    starts = range(0, len(events), step)
    blocks = [_http_chunk(b"".join(events[start : start + step])) for start in starts]
    blocks[0] = _STREAM_HEAD + blocks[0]
    blocks[-1] += _LAST_CHUNK
    if content.interval_seconds:
        return Script(tuple(blocks), content.interval_seconds)
    return Script((b"".join(blocks),))


def stream_events(model: str, content: Content, *, include_usage: bool) -> Iterator[bytes]:
    """Yield the events as vLLM sends them: role, deltas, finish, usage, done."""

    def event(**fields: Any) -> bytes:
        head = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk"}
        chunk = head | {"created": 1_790_000_000, "model": model} | fields
        return b"data: %b\n\n" % json.dumps(chunk, separators=(",", ":")).encode()

    def choice(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        shared = {"index": 0, "logprobs": None, "token_ids": None}
        return event(choices=[shared | {"delta": delta, "finish_reason": finish_reason}])

    yield choice({"role": "assistant", "content": ""})
    for delta in content.deltas:
        yield choice(delta)
    yield choice({}, content.finish_reason)
    if include_usage:
        yield event(choices=[], usage=_usage(content))
    yield b"data: [DONE]\n\n"


def whole_answer(model: str, content: Content) -> bytes:
    """Return the body of an answer that is not streamed."""
    choice = {"index": 0, "message": content.message, "finish_reason": content.finish_reason}
    body = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [choice],
        "usage": _usage(content),
    }
    return _encode(body)


def _usage(content: Content) -> dict[str, int]:
    completion = len(content.deltas)
    return {"prompt_tokens": 7, "completion_tokens": completion, "total_tokens": 7 + completion}


def _encode(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _json_answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body)


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class MockChat(asyncio.Protocol):
    """One connection: reads a request, writes its script, reads the next."""

    decoder = msgspec.json.Decoder(ChatRequest)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        # Per-request state
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's is not a subclass of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._timer is None:
            self._take_next()

    def _take_next(self) -> None:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _CONTENT_LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self._buffer = rest[size:]
        self._start(self._script(head, rest[:size]))

    def _script(self, head: bytes, body: bytes) -> Script:
        if head.startswith(b"GET "):
            models = [{"id": "short-4", "object": "model", "owned_by": "mock"}]
            body = _encode({"object": "list", "data": models})
            return Script((_json_answer("200 OK", body),))
        if head.startswith(b"POST /v1/traces "):
            return Script((_json_answer("200 OK", b""),))
        try:
            request = self.decoder.decode(body)
            usage = request.stream_options is not None and request.stream_options.include_usage
            return script_for(request.model, stream=request.stream, include_usage=usage)
        except ValueError as exc:  # msgspec's are such, too
            error = {"message": str(exc), "type": "invalid_request_error", "code": 400}
            return Script((_json_answer("400 Bad Request", _encode({"error": error})),))

    def _start(self, script: Script) -> None:
        if not script.interval_seconds:
            self._transport.writelines(script.blocks)
            return
        self._write_later(script, 0, self._loop.time() + script.interval_seconds)

    def _write_later(self, script: Script, index: int, when: float) -> None:
        self._timer = self._loop.call_at(when, self._write, script, index, when)

    def _write(self, script: Script, index: int, when: float) -> None:
        self._transport.write(script.blocks[index])
        if index + 1 < len(script.blocks):
            # From the time that was due, not from now: a late write does not delay the rest.
            self._write_later(script, index + 1, when + script.interval_seconds)
        else:
            self._timer = None
            self._take_next()


async def serve(port: int) -> None:
    """Serve on loopback until standard input closes; print the base URL first."""
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()

    def read_to_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(closed.set)

    server = await loop.create_server(MockChat, "127.0.0.1", port, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    threading.Thread(target=read_to_end, daemon=True).start()
    await closed.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve chat answers that cost nothing to make.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    uvloop.run(serve(parser.parse_args().port))
