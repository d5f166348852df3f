"""Faults of what an answer says: event streams, chunks, deltas and calls."""

import json
from collections.abc import Iterator
from typing import Any

from tests.chaos.fault import (
    JSON,
    SSE,
    TEXT,
    WORDS,
    Fault,
    body_of,
    good_chunks,
    odd,
    steps_of,
    streamed,
)
from tests.servers.answers import Answer, chunk, sse

_BODY = body_of(*good_chunks())
_DEEP = b"[" * 200_000
_ERROR = {"error": {"message": "CUDA error", "type": "server_error", "code": 500}}
ANY = ("completed", "failed")


def cuts() -> Iterator[Fault]:
    """Good answers in odd pieces and line ends."""
    yield Fault("byte by byte", Answer(headers=SSE, chunks=steps_of(_BODY, 1)), TEXT)
    for size in (2, 3, 5, 7):
        yield Fault(
            f"{size} bytes at a time", Answer(headers=SSE, chunks=steps_of(_BODY, size)), TEXT
        )
    for name, end in {"CRLF": b"\r\n", "CR": b"\r"}.items():
        body = _BODY.replace(b"\n", end)
        yield Fault(name, Answer(headers=SSE, chunks=[body]), TEXT)
        yield Fault(f"{name} byte by byte", Answer(headers=SSE, chunks=steps_of(body, 1)), TEXT)
    yield Fault("BOM", Answer(headers=SSE, chunks=[b"\xef\xbb\xbf", _BODY]), TEXT)
    comments = [b": ping\n\n" if at % 2 else b":\n\n" for at in range(1000)]
    yield Fault("1,000 comments", streamed(*comments, *good_chunks()), TEXT)
    fields = b"id: 1\nevent: message\nretry: 1\n" + _BODY.replace(b"\n\n", b"\nid: 2\n\n")
    yield Fault("other fields", Answer(headers=SSE, chunks=[fields]), TEXT)


def ends() -> Iterator[Fault]:
    chunks = good_chunks()
    yield Fault("no finish", streamed(*chunks[:-1], done=False))
    yield Fault("no answer", streamed(done=False))
    yield Fault("the end alone", streamed())
    yield Fault("comments alone", streamed(b": ping\n\n" * 10, done=False))
    yield Fault("a role alone", streamed(chunks[0], done=False))
    yield Fault("no [DONE]", streamed(*chunks, done=False), TEXT)
    yield Fault("two ends", streamed(*chunks, "[DONE]", "[DONE]"), TEXT)
    yield Fault("two finishes", streamed(*chunks, chunk({}, "stop")), TEXT)
    yield Fault("text behind the finish", streamed(*chunks, chunk({"content": "!"})), ends=ANY)
    behind = streamed(*chunks, "[DONE]", chunk({"content": "!"}), done=False)
    yield Fault("text behind the end", behind, ends=ANY)
    yield Fault("error behind the finish", streamed(*chunks, _ERROR))
    yield Fault("error behind the text", streamed(*chunks[:-1], _ERROR))
    yield Fault("error at once", streamed(_ERROR))
    yield Fault("error as text", streamed(*chunks[:3], {"error": "out of memory"}))
    yield Fault(
        "error as event", streamed(*chunks[:3], b'event: error\ndata: {"message": "no"}\n\n')
    )
    for reason in ("length", "content_filter"):
        answer = streamed(*chunks[:-1], chunk({}, reason))
        yield Fault(f"finish {reason}", answer, ends=("incomplete",))
    for reason in ("error", "abort", "", "gremlins", 42, None, ["stop"]):
        answer = streamed(*chunks[:-1], chunk({}, reason), done=False)  # type: ignore[arg-type]  # odd
        yield Fault(f"finish {reason!r}", answer, ends=("completed", "failed", "incomplete"))


def sizes() -> Iterator[Fault]:
    small = {"max_event_bytes": 1_000_000}
    giant = "x" * 4_000_000
    yield Fault("giant delta", streamed(chunk({"content": giant}, "stop")), giant)
    yield Fault("too large a delta", streamed(chunk({"content": giant}, "stop")), settings=small)
    # As long as anybody reads; the limit is for that.
    endless = {"max_stream_bytes": 500_000}
    comments = streamed(*[b": ping\n\n" * 10_000] * 20, *good_chunks())
    yield Fault("comments without end", comments, settings=endless)
    said = b"".join(step for step in sse(chunk({"content": "y"}), done=False) * 1000)  # type: ignore[misc]  # bytes
    yield Fault("words without end", streamed(*[said] * 10), settings=endless)
    line = Answer(headers=SSE, chunks=[b"data: " + b"x" * 65536] * 40)
    yield Fault("line without end", line, settings=small)
    many = "y" * 100_000
    words = b"".join(step for step in sse(chunk({"content": "y"}), done=False) * 1000)  # type: ignore[misc]  # bytes
    yield Fault("100,000 deltas", streamed(*[words] * 100, chunk({}, "stop")), many)
    calls = [
        chunk(
            {
                "tool_calls": [
                    {"index": at, "id": f"c{at}", "function": {"name": "f", "arguments": "{}"}}
                ]
            }
        )
        for at in range(1000)
    ]
    yield Fault("1,000 calls", streamed(*calls, chunk({}, "tool_calls")), "")
    document = Answer(headers=JSON, chunks=[b'{"choices": [' + b" " * 65536] * 40)
    yield Fault("document without end", document, settings=small)


def garbage() -> Iterator[Fault]:
    cases: dict[str, bytes] = {
        "no JSON": b"data: nope\n\n",
        "half JSON": b'data: {"choices": [{"delta"\n\n',
        "JSON and more": b'data: {"choices": []} {"choices": []}\n\n',
        "deep JSON": b"data: %b\n\n" % _DEEP,
        "deep content": b'data: {"choices": [{"index": 0, "delta": {"content": %b}}]}\n\n' % _DEEP,
        "a page": b"<html><body>502 Bad Gateway</body></html>\n\n",
        "data of a page": b"data: <html><body>502</body></html>\n\n",
        "no UTF-8": b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}\n\n',
        "half a surrogate": b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n',
        "NUL": b'data: {"choices":[{"index":0,"delta":{"content":"a\\u0000"}}]}\n\n',
        "a raw NUL": b'data: {"choices":[{"index":0,"delta":{"content":"\0"}}]}\n\n',
        "NaN": b'data: {"choices": [], "usage": {"prompt_tokens": NaN}}\n\n',
        "1e999": b'data: {"choices": [], "usage": {"prompt_tokens": 1e999}}\n\n',
        "a key twice": b'data: {"choices":[],"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n',
        "no field": b"choices\n\n",
    }
    for name, data in cases.items():
        yield Fault(name, odd(data), ends=ANY, is_wide=True)


def types() -> Iterator[Fault]:
    """Values of other types than the API has, at every place of a chunk."""
    values: dict[str, Any] = {
        "null": None,
        "true": True,
        "42": 42,
        "-1.5": -1.5,
        "text": "x",
        "[]": [],
        "[null]": [None],
        "[42]": [42],
        "{}": {},
        "nested": {"a": [{"b": None}]},
    }
    for name, value in values.items():
        for place, given in _placed(value).items():
            yield Fault(f"{place} is {name}", odd(given), ends=ANY, is_wide=True)
    for name in ("null", "42", "text", "[]", "{}"):
        body = json.dumps({"choices": values[name]}).encode()
        answer = Answer(headers=JSON, chunks=[body])
        yield Fault(f"document with choices {name}", answer, is_wide=True)
        answer = Answer(headers=JSON, chunks=[json.dumps(values[name]).encode()])
        yield Fault(f"document {name}", answer, is_wide=True)


def _placed(value: Any) -> dict[str, Any]:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    return {
        "chunk": value,
        "choices": chunk(choices=value),
        "choice": chunk(choices=[value]),
        "delta": chunk(value),
        "content": chunk({"content": value}),
        "reasoning": chunk({"reasoning_content": value}),
        "calls": chunk({"tool_calls": value}),
        "call": chunk({"tool_calls": [value]}),
        "call index": chunk({"tool_calls": [call | {"index": value}]}),
        "call id": chunk({"tool_calls": [call | {"id": value}]}),
        "function": chunk({"tool_calls": [call | {"function": value}]}),
        "name": chunk({"tool_calls": [call | {"function": {"name": value}}]}),
        "arguments": chunk(
            {"tool_calls": [call | {"function": {"name": "f", "arguments": value}}]}
        ),
        "index": chunk(choices=[{"index": value, "delta": {"content": "x"}}]),
        "usage": chunk({}, usage=value),
        "error": chunk({}, error=value),
        "logprobs": chunk(choices=[{"index": 0, "delta": {}, "logprobs": value}]),
        "created": chunk({}, created=value),
    }


def calls() -> Iterator[Fault]:
    """Calls that are numbered and named as no server should."""

    def call(index: Any, id: Any, name: Any, arguments: Any) -> dict[str, Any]:
        function = {"name": name, "arguments": arguments}
        return chunk({"tool_calls": [{"index": index, "id": id, "function": function}]})

    cases = {
        "same id twice": [call(0, "c", "f", "{}"), call(1, "c", "f", "{}")],
        "same id on all": [call(at, "c", "f", "{}") for at in range(50)],
        "same index": [call(0, f"c{at}", "f", "{}") for at in range(5)],
        "no id": [call(0, None, "f", "{}"), call(1, None, "g", "{}")],
        "no index": [call(None, "a", "f", "{}"), call(None, "b", "g", "{}")],
        "index -1": [call(-1, "a", "f", "{}")],
        "index 10^18": [call(10**18, "a", "f", "{}")],
        "interleaved": [
            call(at % 2, f"c{at % 2}", "f" if at < 2 else None, "1") for at in range(40)
        ],
        "no name": [call(0, "c", None, "{}"), call(0, None, None, "}")],
        "unknown name": [call(0, "c", "launch_missiles", "{}")],
        "name of 1 MB": [call(0, "c", "f" * 1_000_000, "{}")],
        "id of 1 MB": [call(0, "c" * 1_000_000, "f", "{}")],
        "arguments no JSON": [call(0, "c", "f", "{{{")],
        "no arguments": [call(0, "c", "f", None)],
    }
    for name, chunks in cases.items():
        yield Fault(
            f"calls: {name}", streamed(*chunks, chunk({}, "tool_calls")), ends=ANY, is_wide=True
        )
        yield Fault(f"cut calls: {name}", streamed(*chunks, done=False), is_wide=True)


def tags() -> Iterator[Fault]:
    """Marks of reasoning and calls in the text."""
    for name, text in {
        "open": "<think>never closed",
        "closed alone": "</think>",
        "many": "<think>" * 5000,
        "half": "<thi",
        "marks": "<|channel|>analysis<|message|>" * 200,
    }.items():
        words = [chunk({"content": text[at : at + 5]}) for at in range(0, min(len(text), 2000), 5)]
        yield Fault(f"tags: {name}", streamed(*words, chunk({}, "stop")), ends=ANY, is_wide=True)
        yield Fault(f"cut tags: {name}", streamed(*words, done=False), is_wide=True)


CONTENT_FAULTS = [
    *cuts(),
    *ends(),
    *sizes(),
    *garbage(),
    *types(),
    *calls(),
    *tags(),
]
assert WORDS
