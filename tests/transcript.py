"""Transcripts: what a client asks, what a server answers to that, and what becomes of both.

For tests. A directory `tests/transcripts/<upstream>/<scenario>/` holds

    request.json    what the client asks
    chat.1.json     what we ask upstream
    upstream.1.sse  the body of the answer, byte for byte (.json: a whole answer, or an error; .txt)
    source.toml     where the answer comes from, its status and headers, the dialect to read it in
    events.sse      what a client that streams gets; not there if it failed before it began
    response.json   the response of the last event, and what a client that does not stream gets
    error.json      what the latter gets if it failed, and the former if it failed before it began

The second, and the last three, are what our code makes of the others. They are read by people
before they are committed: `pytest --update` writes them anew, and the difference is reviewed.

A replay runs the whole core (`adapter.loop` and all below it) on an upstream that plays the body.
It waits for nothing, so it needs no event loop; ids are counted and the clock stands still.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adapter.dialects import dialect_named
from adapter.errors import AdapterError
from adapter.loop import ResponseRun, Surroundings
from adapter.stream.encode import DONE, encode_events
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Response

ROOT = Path(__file__).parent / "transcripts"
GOLDEN = ("chat.1.json", "events.sse", "response.json", "error.json")
NOW = 1_795_132_800  # 2026-11-20, the day of the captures
# An event, with the blank line behind it in any of its forms.
_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)

Value = TypeVar("Value")
Reads = Sequence[bytes]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an answer comes from.

    Attributes:
        server: who sent it.
        version: of the server, or of the report about it.
        origin: it was recorded, or written down from what a report says.
        date: when it was recorded or reported.
        dialect: the one to ask and to read it in.
        status: HTTP status.
        content_type: the header, or empty if it was not sent.
        capture: name of the recording.
        report: what says that the server does this.
        note: what else there is to know.
        headers: other headers that matter, their names in lower case.
    """

    server: str
    version: str
    origin: str
    date: str
    dialect: str
    status: int = 200
    content_type: str = ""
    capture: str = ""
    report: str = ""
    note: str = ""
    headers: dict[str, str] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What came of a replay: the events, or the error before there were any."""

    events: tuple[Event, ...] = ()
    error: AdapterError | None = None

    def encode(self) -> bytes:
        """Return what a client that streams gets, as its bytes."""
        if self.error is not None:
            return _error_document(self.error)
        return encode_events(self.events) + DONE


class Transcript:
    """One directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()

    @cached_property
    def source(self) -> Source:
        values = tomllib.loads((self.path / "source.toml").read_text(encoding="utf-8"))
        return msgspec.convert({**values, "date": str(values["date"])}, Source)

    @cached_property
    def request(self) -> ResponseRequest:
        return decode_request((self.path / "request.json").read_bytes())

    @cached_property
    def body(self) -> bytes:
        (path,) = self.path.glob("upstream.1.*")
        return path.read_bytes()

    @cached_property
    def reads(self) -> Reads:
        """The body, as the server sent it: an event at a time."""
        if not self.source.content_type.startswith("text/event-stream"):
            return (self.body,)
        return tuple(filter(None, _EVENT.findall(self.body)))

    def golden(self, name: str) -> bytes | None:
        """Return a reviewed file; None if there is none."""
        path = self.path / name
        return path.read_bytes() if path.exists() else None

    def write(self, results: Mapping[str, bytes]) -> None:
        """Replace the reviewed files."""
        for name in GOLDEN:
            path = self.path / name
            if name in results:
                path.write_bytes(results[name])
            else:
                path.unlink(missing_ok=True)

    def replay(self, reads: Reads, failure: AdapterError | None = None) -> Outcome:
        """Return what a client that streams gets.

        Args:
            reads: the body, or its beginning, as it arrives.
            failure: what the upstream raises behind them.
        """
        run, _ = self._run(reads, failure)
        return _finished(_events(run))

    def results(self) -> dict[str, bytes]:
        """Return what there should be in the files of `GOLDEN`; those that are missing should be."""
        run, upstream = self._run(self.reads)
        made = self.replay(self.reads)
        results = {}
        try:
            collected = _finished(run.collect())
        except AdapterError as error:
            results["error.json"] = _error_document(error)
        else:
            results["response.json"] = _readable(msgspec.json.encode(collected))
        results["chat.1.json"] = _readable(upstream.asked[0])
        if made.error is None:
            results["events.sse"] = made.encode()
            results["response.json"] = _readable(msgspec.json.encode(last_response(made.events)))
        return results

    def _run(
        self, reads: Reads, failure: AdapterError | None = None
    ) -> tuple[ResponseRun, "_Upstream"]:
        dialect = dialect_named(self.source.dialect)
        translation = to_chat_request(self.request, dialect)
        upstream = _Upstream(self.source, reads, failure)
        surroundings = Surroundings(new_id=_counted_ids(), now=lambda: NOW)
        return (
            ResponseRun(self.request, translation, dialect, upstream, {}, surroundings),
            upstream,
        )


class _Upstream:
    """Plays an answer."""

    def __init__(self, source: Source, reads: Reads, failure: AdapterError | None) -> None:
        self.status = source.status
        self.headers: Mapping[str, str] = source.headers
        if source.content_type:
            self.headers = {"content-type": source.content_type, **source.headers}
        self.asked: list[bytes] = []
        self._reads = reads
        self._failure = failure

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator["_Upstream", None]:
        self.asked.append(body)
        yield self

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for read in self._reads:
            yield read
        if self._failure is not None:
            raise self._failure

    async def aclose(self) -> None:
        """There is nothing to close."""


def find_transcripts() -> list[Transcript]:
    """Return all transcripts, in order of their names."""
    return [Transcript(path.parent) for path in sorted(ROOT.glob("*/*/source.toml"))]


def last_response(events: Sequence[Event]) -> Response:
    """Return the response that the last event carries."""
    response: Response = events[-1].response  # type: ignore[union-attr]  # the last event has one
    return response


def decode_stream(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream that we sent, after a look at how they are framed."""
    *events, rest = body.removesuffix(DONE).split(b"\n\n")
    assert (rest, body.endswith(DONE)) == (b"", True)
    decoded = []
    for event in events:
        first, second = event.split(b"\n")
        data = json.loads(second.removeprefix(b"data: "))
        assert first.decode() == f"event: {data['type']}"
        decoded.append(data)
    return decoded


async def _events(run: ResponseRun) -> Outcome:
    events: list[Event] = []
    try:
        async for more in run.events():
            events += more
    except AdapterError as error:
        return Outcome(tuple(events), error)
    return Outcome(tuple(events))


def _finished(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Run what waits for nothing, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: Value = stop.value
        return value
    coroutine.close()
    raise AssertionError("a replay should have nothing to wait for")


def _counted_ids() -> Callable[[str], str]:
    counts: Counter[str] = Counter()

    def new_id(prefix: str) -> str:
        counts[prefix] += 1
        return f"{prefix}_{counts[prefix]}"

    return new_id


def _error_document(error: AdapterError) -> bytes:
    document = {"status": error.status, "headers": dict(error.headers), "body": error.body()}
    return _readable(msgspec.json.encode(document))


def _readable(document: bytes) -> bytes:
    return msgspec.json.format(document, indent=2) + b"\n"
