"""What a scripted upstream answers: values, and short ways to build the usual ones.

Chat chunks have fixed ids and times, so that what becomes of them can be compared whole. Nothing
here does IO; `scripted.py` plays the answers.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec

from tests.servers.signals import Signal

COMPLETION_ID = "chatcmpl-0123456789abcdef"
CREATED = 1_790_000_000
MODEL = "scripted"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}

_SSE_HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
_JSON_HEADERS = {"content-type": "application/json"}


class Pause:
    """Stop the script here until `release()`; `reached` is set when the script has come here."""

    def __init__(self) -> None:
        self.reached = Signal()
        self.released = Signal()

    def release(self) -> None:
        self.released.set()


class Hang:
    """Say nothing more, until the client goes or the test ends."""


class Reset:
    """Break the connection (TCP RST). A client may lose what it has not read yet: pause first."""


class Eof:
    """Close the connection in order (TCP FIN), after all that was written, wherever the body is."""


Step = bytes | Pause | Hang | Reset | Eof


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer, step by step.

    Attributes:
        chunks: the body; every bytes is one write, and one HTTP chunk if the framing is chunked.
        before: steps taken before the status line is sent.
        framing: how the end of the body is told: `chunked`; `length`, for bodies of bytes alone;
            `close`, by closing the connection; `none`, the chunks are the whole answer, status
            line included, and the connection is closed after them.
    """

    status: int = 200
    headers: Mapping[str, str] = {}
    chunks: Sequence[Step] = ()
    before: Sequence[Step] = ()
    framing: Literal["chunked", "length", "close", "none"] = "chunked"


def chunk(
    delta: Mapping[str, Any] | None = None, finish_reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return one `chat.completion.chunk`; `more` are top-level keys, such as `usage`."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish_reason}
    return {
        "id": COMPLETION_ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": [choice],
    } | more


def sse(*chunks: Mapping[str, Any] | str | Step, done: bool = True) -> tuple[Step, ...]:
    """Return the steps of an SSE body, one event a step.

    Args:
        chunks: an object is sent as JSON, a string as data as it is; bytes go out raw, and other
            steps are kept.
        done: whether `data: [DONE]` ends it.
    """
    ended = (*chunks, "[DONE]") if done else chunks
    return tuple(_sse_step(each) for each in ended)


def _sse_step(given: Mapping[str, Any] | str | Step) -> Step:
    if isinstance(given, str):
        return f"data: {given}\n\n".encode()
    if isinstance(given, Mapping):
        return b"data: " + _encode(given) + b"\n\n"
    return given


def stream_answer(*chunks: Mapping[str, Any] | str | Step, done: bool = True) -> Answer:
    """Return a streamed answer of these chunks; see `sse` for what they may be."""
    return Answer(headers=_SSE_HEADERS, chunks=sse(*chunks, done=done))


def text_answer(
    text: str, *, reasoning: str = "", finish_reason: str = "stop", usage: Any = USAGE
) -> Answer:
    """Return a streamed answer that says `text`, a word at a time, after `reasoning`."""
    thoughts = [chunk({"reasoning_content": word}) for word in _words(reasoning)]
    words = [chunk({"content": word}) for word in _words(text)]
    return _streamed(*thoughts, *words, finish_reason=finish_reason, usage=usage)


def tool_answer(
    *calls: tuple[str, Mapping[str, Any]], text: str = "", usage: Any = USAGE
) -> Answer:
    """Return a streamed answer that calls tools.

    The calls get the ids `call_0`, `call_1` and so on, and their arguments come in two pieces.

    Args:
        calls: name and arguments of each.
        text: what is said before the calls.
    """
    chunks = [chunk({"content": word}) for word in _words(text)]
    for index, (name, arguments) in enumerate(calls):
        written = json.dumps(arguments)
        half = len(written) // 2
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        chunks += [
            chunk({"tool_calls": [head | {"function": {"name": name, "arguments": ""}}]}),
            chunk({"tool_calls": [_arguments_piece(index, written[:half])]}),
            chunk({"tool_calls": [_arguments_piece(index, written[half:])]}),
        ]
    return _streamed(*chunks, finish_reason="tool_calls", usage=usage)


def whole_answer(text: str, *, finish_reason: str = "stop") -> Answer:
    """Return a chat completion that is not streamed."""
    message = {"role": "assistant", "content": text}
    body = {
        "id": COMPLETION_ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": USAGE,
    }
    return json_answer(200, body)


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer whose body is `body` as JSON, with its length told."""
    return Answer(status, _JSON_HEADERS | dict(headers or {}), [_encode(body)], framing="length")


def raw(*chunks: Step) -> Answer:
    """Return an answer of these very bytes, status line and all; the connection then closes."""
    return Answer(chunks=chunks, framing="none")


def cut(body: bytes, *borders: int) -> tuple[bytes, ...]:
    """Cut `body` at these offsets, to be sent in as many writes."""
    edges = [0, *borders, len(body)]
    return tuple(body[start:end] for start, end in pairwise(edges))


def _streamed(*chunks: Mapping[str, Any], finish_reason: str, usage: Any) -> Answer:
    opening = chunk({"role": "assistant", "content": ""})
    counted = [] if usage is None else [chunk(choices=[], usage=usage)]
    return stream_answer(opening, *chunks, chunk({}, finish_reason), *counted)


def _arguments_piece(index: int, arguments: str) -> dict[str, Any]:
    return {"index": index, "function": {"arguments": arguments}}


def _words(text: str) -> list[str]:
    """Split into words that keep the blanks before them, as tokens do."""
    return re.findall(r"\s*\S+|\s+$", text)


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
