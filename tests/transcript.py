"""Transcripts: what a client asks, what a server answers to that, and what becomes of both.

For tests. A directory `tests/transcripts/<upstream>/<scenario>/` holds

    request.json    what the client asks
    source.toml     who answered, in which dialect to ask, and a table for each answer
    chat.1.json     what we ask upstream
    upstream.1.sse  the body of the answer, byte for byte (.json: a whole answer, or an error; .txt)
    chat.2.json     what we ask then, if we do; it gets `upstream.2`, or else the last one again
    events.sse      what a client that streams gets; not there if it failed before it began
    response.json   the response of the last event, and what a client that does not stream gets
    error.json      what the latter gets if it failed, and the former if it failed before it began

`chat`, `events`, `response` and `error` are what our code makes of the others. They are read by
people before they are committed: `pytest --update` writes them anew, and the difference is reviewed.

A replay runs the whole core (`adapter.loop` and all below it) on an upstream that plays the bodies.
It waits for nothing; ids are counted and the clock stands still.
"""

import asyncio
import re
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from adapter.dialects import Dialect, dialect_named
from adapter.errors import AdapterError
from adapter.habits import Habits
from adapter.loop import ResponseRun
from adapter.stream.encode import DONE, encode_events
from adapter.surroundings import Surroundings
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.turn import Target
from adapter.types.events import Event
from adapter.types.response import Response

ROOT = Path(__file__).parent / "transcripts"
REVIEWED = ("chat.*.json", "events.sse", "response.json", "error.json")
NOW = 1_795_132_800  # 2026-11-20, the day of the captures
# An event, with the blank line behind it in any of its forms.
_EVENT = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)

Value = TypeVar("Value")
Reads = Sequence[bytes]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer of a server.

    Attributes:
        body: its body; stands in a file of its own.
        status: HTTP status.
        content_type: the header, or empty if it was not sent.
        headers: other headers that matter, their names in lower case.
        capture: name of the recording.
    """

    body: bytes
    status: int = 200
    content_type: str = ""
    headers: dict[str, str] = {}
    capture: str = ""

    @property
    def reads(self) -> Reads:
        """The body as servers send it: an event at a time."""
        if not self.content_type.startswith("text/event-stream"):
            return (self.body,)
        return tuple(filter(None, _EVENT.findall(self.body)))


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the answers come from.

    Attributes:
        server: who sent them.
        version: of the server, or of the report about it.
        origin: they were recorded, or written down from what a report says.
        date: when they were recorded or reported.
        dialect: the one to ask in.
        answers: one for each `upstream` file.
        facts: what is different from the dialect.
        report: what says that the server does this.
        note: what else there is to know.
    """

    server: str
    version: str
    origin: Literal["capture", "written from report"]
    date: str
    dialect: str
    answers: tuple[Answer, ...]
    facts: dict[str, Any] = {}
    report: str = ""
    note: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a replay: the events, or the error before there were any."""

    events: tuple[Event, ...] = ()
    error: AdapterError | None = None

    @property
    def response(self) -> Response:
        """The response that the last event carries."""
        response: Response = self.events[-1].response  # type: ignore[union-attr]  # it has one
        return response

    def encode(self) -> bytes:
        """Return what a client that streams gets, as its bytes."""
        if self.error is not None:
            return _error_document(self.error)
        return encode_events(self.events) + DONE


class Transcript:
    """One directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"

    @cached_property
    def source(self) -> Source:
        values = tomllib.loads((self.path / "source.toml").read_text(encoding="utf-8"))
        bodies = sorted(self.path.glob("upstream.*"))
        answers = [
            {**answer, "body": body.read_bytes()}
            for answer, body in zip(values["answers"], bodies, strict=True)
        ]
        return msgspec.convert({**values, "date": str(values["date"]), "answers": answers}, Source)

    def reviewed(self) -> dict[str, bytes]:
        """Return the files that our code would make, as they were reviewed."""
        paths = (path for pattern in REVIEWED for path in self.path.glob(pattern))
        return {path.name: path.read_bytes() for path in paths}

    def write(self, results: Mapping[str, bytes]) -> None:
        """Replace the reviewed files."""
        for name in self.reviewed():
            (self.path / name).unlink()
        for name, content in results.items():
            (self.path / name).write_bytes(content)

    def results(self) -> dict[str, bytes]:
        """Return what our code makes now, by the names of its files."""
        run, upstream = self._run(_as_sent)
        try:
            results = {"response.json": _readable(msgspec.json.encode(_finished(run.collect())))}
        except AdapterError as error:
            results = {"error.json": _error_document(error)}
        assert len(upstream.asked) >= len(self.source.answers), "an answer was not asked for"
        for number, chat in enumerate(upstream.asked, 1):
            results[f"chat.{number}.json"] = _readable(chat)
        streamed = self.replay()
        if streamed.error is None:
            results["events.sse"] = streamed.encode()
            results["response.json"] = _readable(msgspec.json.encode(streamed.response))
        return results

    def replay(
        self,
        arriving: Callable[[Answer], Reads] | None = None,
        failure: AdapterError | None = None,
    ) -> Outcome:
        """Return what a client that streams gets.

        Args:
            arriving: how a body, or its beginning, arrives; an event at a time by default.
            failure: what the upstream raises behind the last body.
        """
        run, _ = self._run(arriving or _as_sent, failure)
        return _finished(_stream(run))

    def _run(
        self, arriving: Callable[[Answer], Reads], failure: AdapterError | None = None
    ) -> tuple[ResponseRun, "_Upstream"]:
        upstream = _Upstream(self.source.answers, arriving, failure)
        dialect = _with_facts(dialect_named(self.source.dialect), self.source.facts)
        request = decode_request((self.path / "request.json").read_bytes())
        run = ResponseRun(
            request,
            partial(to_chat_request, request),
            Target(upstream, {}, Habits(dialect), request.model or ""),
            Surroundings(new_id=_counted_ids(), now=lambda: NOW),
        )
        return run, upstream


def _with_facts(dialect: Dialect, facts: Mapping[str, Any]) -> Dialect:
    """Return a dialect with other facts; TOML has lists for sets."""
    sets = {name for name in facts if isinstance(getattr(dialect, name), frozenset)}
    values = {name: frozenset(fact) if name in sets else fact for name, fact in facts.items()}
    return msgspec.structs.replace(dialect, **values)


class _Upstream:
    """Plays answers, one after the other, and the last one ever after."""

    def __init__(
        self,
        answers: Sequence[Answer],
        arriving: Callable[[Answer], Reads],
        failure: AdapterError | None,
    ) -> None:
        self.asked: list[bytes] = []
        self._answers = answers
        self._arriving = arriving
        self._failure = failure

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator["_PlayedAnswer", None]:
        self.asked.append(body)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        failure = self._failure if answer is self._answers[-1] else None
        yield _PlayedAnswer(answer, self._arriving(answer), failure)

    async def aclose(self) -> None:
        """There is nothing to close."""


class _PlayedAnswer:
    def __init__(self, answer: Answer, reads: Reads, failure: AdapterError | None) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        if answer.content_type:
            self.headers = {"content-type": answer.content_type, **answer.headers}
        self._reads = reads
        self._failure = failure

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for read in filter(None, self._reads):
            yield read
        if self._failure is not None:
            raise self._failure


def find_transcripts() -> list[Transcript]:
    """Return all transcripts, in order of their names."""
    return [Transcript(path.parent) for path in sorted(ROOT.glob("*/*/source.toml"))]


def decode_stream(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream that we sent, after a look at how they are framed."""
    *events, rest = body.removesuffix(DONE).split(b"\n\n")
    assert (rest, body.endswith(DONE)) == (b"", True)
    decoded = []
    for event in events:
        first, second = event.split(b"\n")
        data = msgspec.json.decode(second.removeprefix(b"data: "))
        assert first.decode() == f"event: {data['type']}"
        decoded.append(data)
    return decoded


def _as_sent(answer: Answer) -> Reads:
    return answer.reads


async def _stream(run: ResponseRun) -> Outcome:
    events: list[Event] = []
    try:
        async for more in run.events():
            events += more
    except AdapterError as error:
        return Outcome(tuple(events), error)
    return Outcome(tuple(events))


def _finished(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Run what waits for nothing that is not there."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)


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
