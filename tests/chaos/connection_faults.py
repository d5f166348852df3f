"""Faults of statuses, headers, framings and connections: all that is around an answer's content."""

import gzip
import zlib
from collections.abc import Iterator

from tests.chaos.fault import HTML, JSON, SSE, TEXT, Fault, body_of, good_chunks, streamed
from tests.servers.answers import Answer, Eof, Hang, Reset, Step, json_answer, raw

_PAGE = b"<!doctype html><html><body><h1>Bad Gateway</h1><pre>Traceback (most recent call last)"
_TRACE = b"""Traceback (most recent call last):
  File "/srv/model/server.py", line 12, in answer
    raise RuntimeError("CUDA error")
RuntimeError: CUDA error
"""
_STATUSES = (400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 422, 429, 431, 451)
_BROKEN = (500, 501, 502, 503, 504, 507, 520, 524, 529, 599)
_ODD = (201, 202, 204, 205, 206, 226, 300, 304, 305, 600, 999)
_REDIRECTS = (301, 302, 303, 307, 308)

BODY = body_of(*good_chunks())
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
_CHUNKED = _HEAD + b"transfer-encoding: chunked\r\n\r\n"


def statuses() -> Iterator[Fault]:
    error = {"error": {"message": "No.", "type": "server_error", "code": None}}
    for status in (*_STATUSES, *_BROKEN):
        yield Fault(
            f"{status} json", json_answer(status, error), is_wide=status not in (400, 429, 500)
        )
    for status in (400, 403, 404, 500, 502, 503):
        yield Fault(f"{status} html", Answer(status, HTML, [_PAGE]), is_wide=True)
        yield Fault(
            f"{status} trace",
            Answer(status, {"content-type": "text/plain"}, [_TRACE]),
            is_wide=True,
        )
        yield Fault(
            f"{status} trace in json",
            json_answer(status, {"detail": _TRACE.decode()}),
            is_wide=True,
        )
        yield Fault(f"{status} empty", Answer(status, JSON), is_wide=True)
    for status in _ODD:
        yield Fault(
            f"{status} with a good answer",
            Answer(status, SSE, [BODY], framing="close"),
            is_wide=True,
        )
    for status in _REDIRECTS:
        yield Fault(
            f"{status} to itself",
            Answer(status, {"location": "/v1/chat/completions"}),
            is_wide=True,
        )
    yield Fault("429 retry-after", json_answer(429, error, {"retry-after": "1"}))
    yield Fault("503 retry-after", json_answer(503, error, {"retry-after": "9999999"}))
    yield Fault("500 that hangs", Answer(500, JSON, [b'{"err', Hang()]), hangs=True)
    yield Fault("400 cut", Answer(400, JSON, [b'{"error": {"mess', Eof()]))
    yield Fault("500 of 4 MB", Answer(500, JSON, [b'"' + b"x" * 65536] * 64))


def informational() -> Iterator[Fault]:
    whole = _HEAD + b"connection: close\r\n\r\n" + BODY
    for status in (100, 102, 103):
        early = b"HTTP/1.1 %d Early\r\nlink: </style.css>\r\n\r\n" % status
        yield Fault(f"{status} first", raw(early * 3 + whole), TEXT, on_wire=True)
    endless = [b"HTTP/1.1 100 Continue\r\n\r\n" * 500] * 20
    yield Fault("100 without end", raw(*endless), on_wire=True)
    yield Fault("100 and nothing", raw(b"HTTP/1.1 100 Continue\r\n\r\n"), on_wire=True)
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"
    yield Fault("101", raw(upgrade + BODY), on_wire=True)


def headers() -> Iterator[Fault]:
    line = b"x-more: " + b"y" * 1000 + b"\r\n"
    yield Fault("headers without end", raw(_HEAD, *[line * 10] * 20), on_wire=True)
    yield Fault("one header without end", raw(_HEAD + b"x: ", *[b"y" * 9000] * 20), on_wire=True)
    yield Fault("status line without end", raw(b"HTTP/1.1 200 ", *[b"O" * 9000] * 20), on_wire=True)
    yield Fault("not HTTP", raw(b"SSH-2.0-OpenSSH_9.2\r\n"), on_wire=True)
    yield Fault("binary", raw(bytes(range(256)) * 16), on_wire=True)
    yield Fault("HTTP/0.9", raw(BODY), on_wire=True)
    preface = b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64"
    yield Fault("HTTP/2", raw(preface), on_wire=True)
    no_length = b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    yield Fault("HTTP/1.0", raw(no_length + BODY), TEXT, on_wire=True)
    bare = (_HEAD + b"connection: close\r\n\r\n").replace(b"\r\n", b"\n")
    yield Fault("bare line ends", raw(bare + BODY), TEXT, on_wire=True)
    yield Fault("no content type", Answer(chunks=[BODY]), TEXT)
    yield Fault("text/plain", Answer(headers={"content-type": "text/plain"}, chunks=[BODY]), TEXT)
    yield Fault("200 html", Answer(headers=HTML, chunks=[_PAGE]))
    yield Fault("204 like", Answer(204, SSE, framing="length"))


def framings() -> Iterator[Fault]:
    """Bodies that are not as long as was said."""

    def sized(length: object) -> Answer:
        return raw(b"%bcontent-length: %b\r\n\r\n%b" % (_HEAD, str(length).encode(), BODY))

    cases = {
        "too long": len(BODY) + 1,
        "far too long": 10**12,
        "too short": len(BODY) // 2,
        "none": 0,
        "negative": -1,
        "not a number": "many",
        "of 400 digits": "9" * 400,
    }
    for name, length in cases.items():
        text = TEXT if name.endswith("too long") else None  # all was said, and the end of it
        yield Fault(f"content-length {name}", sized(length), text, on_wire=True)
    twice = b"content-length: 5\r\ncontent-length: 6\r\n\r\n"
    yield Fault("two lengths", raw(_HEAD + twice + BODY), on_wire=True)
    both = b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    yield Fault("length and chunks", raw(_HEAD + both + b"%x\r\n" % len(BODY) + BODY), on_wire=True)
    for name, size in {"no hex": b"zz", "negative": b"-5", "huge": b"f" * 30}.items():
        yield Fault(f"chunk size {name}", raw(_CHUNKED + size + b"\r\n" + BODY), on_wire=True)
    yield Fault(
        "chunk longer than its size",
        raw(_CHUNKED + b"5\r\n" + BODY + b"\r\n0\r\n\r\n"),
        on_wire=True,
    )
    ext = b"%x;%b\r\n%b\r\n0\r\n\r\n" % (len(BODY), b"x=y", BODY)
    yield Fault("chunk extension", raw(_CHUNKED + ext), TEXT, on_wire=True)
    trailer = b"%x\r\n%b\r\n0\r\nx-late: 1\r\n\r\n" % (len(BODY), BODY)
    yield Fault("trailer", raw(_CHUNKED + trailer), TEXT, on_wire=True)


def codings() -> Iterator[Fault]:
    def coded(name: str, body: bytes, coding: str = "gzip") -> Answer:
        return Answer(headers={**SSE, "content-encoding": coding}, chunks=[body])

    packed = gzip.compress(BODY)
    bomb = gzip.compress(b"data: " + b"\0" * 40_000_000)
    yield Fault("gzip", coded("gzip", packed), TEXT, on_wire=True)
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    slow = Answer(headers={**SSE, "content-encoding": "gzip"}, chunks=pieces)
    yield Fault("gzip in pieces", slow, TEXT, on_wire=True)
    yield Fault("deflate", coded("deflate", zlib.compress(BODY), "deflate"), TEXT, on_wire=True)
    yield Fault("gzip cut", coded("gzip", packed[: len(packed) // 2]))
    yield Fault("gzip without its end", coded("gzip", packed[:-4]), TEXT, on_wire=True)
    yield Fault("gzip and not", coded("gzip", BODY))
    yield Fault("gzip broken", coded("gzip", packed[:40] + b"\xff" * 20 + packed[60:]))
    yield Fault("gzip bomb", coded("gzip", bomb))
    yield Fault("unknown coding", coded("x", BODY, "snappy"))
    yield Fault("two codings", coded("x", gzip.compress(packed), "gzip, gzip"))


def borders() -> Iterator[Fault]:
    """Connections that end at one of each kind of place, in order and not."""
    event = BODY.index(b"wo") if b"wo" in BODY else BODY.index("wörld".encode())
    size = b"%x\r\n" % len(BODY)
    whole = _CHUNKED + size + BODY + b"\r\n0\r\n\r\n"
    start = len(_CHUNKED) + len(size)
    said = start + BODY.index(b"data: [DONE]")
    places = {
        "before the status line": 0,
        "in the status line": 8,
        "in a header": 25,
        "behind a header": len(_HEAD),
        "behind the headers": len(_CHUNKED),
        "in a chunk size": len(_CHUNKED) + 1,
        "behind a chunk size": start,
        "in the first event": start + 20,
        "in an event": start + event,
        "in a character": start + event + 2,
        "between two lines": start + BODY.index(b"\n\n") + 1,
        "between two events": start + BODY.index(b"\n\n") + 2,
        "before the end is said": said,
        "while the end is said": said + 8,
    }
    for name, place in places.items():
        for how, end in {"FIN": Eof(), "RST": Reset(), "hang": Hang()}.items():
            steps: list[Step] = [whole[:place]] if place else []
            answer = raw(*steps, end)
            yield Fault(f"{how} {name}", answer, hangs=how == "hang", on_wire=True)
    for place in (len(whole) - 7, len(whole) - 2):
        for how, end in {"FIN": Eof(), "hang": Hang()}.items():
            answer = raw(whole[:place], end)
            name = f"{how} {len(whole) - place} bytes before the last"
            yield Fault(name, answer, TEXT, hangs=how == "hang", on_wire=True)


def app_ends() -> Iterator[Fault]:
    """The same for apps in the same process: they return, raise or hang."""
    chunks = good_chunks()
    for how, end in {"ends": Eof(), "breaks": Reset(), "hangs": Hang()}.items():
        hangs = how == "hangs"
        yield Fault(f"{how} at once", Answer(before=[end]), hangs=hangs)
        yield Fault(f"{how} with headers alone", streamed(end), hangs=hangs)
        yield Fault(f"{how} in the middle", streamed(*chunks[:3], end), hangs=hangs)


CONNECTION_FAULTS = [
    *statuses(),
    *informational(),
    *headers(),
    *framings(),
    *codings(),
    *borders(),
    *app_ends(),
]
