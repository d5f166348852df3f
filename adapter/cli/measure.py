"""Measures streams of several addresses, interleaved: in turn, so that what else happens hits all.

The time to the first is that to the first piece of text, reasoning or call, not to the first event:
`response.created` leaves before the model has said anything.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

import msgspec

from adapter.errors import AdapterError, UpstreamError
from adapter.upstream.base import UpstreamAnswer
from adapter.upstream.http import HttpCall, HttpUpstream

_CHAT, _RESPONSES = "/chat/completions", "/responses"
_MARK = b"data:"
# Something that the model said, in a chunk or in an event.
_SAID = re.compile(
    rb'"(?:content|reasoning|reasoning_content)": *"[^"]|"tool_calls": *\[\{|"type":"response\.\w+\.delta"'
)
_TAIL = 64  # bytes that are looked at again, for what lies across the border of two reads


class Load(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        prompt: of each request.
        model: to ask; None is the first that the first address lists.
        max_tokens: of an answer.
        requests: to each address.
        streams: at one time.
    """

    prompt: str
    model: str | None = None
    max_tokens: int = 128
    requests: int = 20
    streams: int = 4


class Figures:
    """What came from one address.

    Attributes:
        name: of it.
        requests: that were made.
        events: that came.
        failures: what went wrong.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests = 0
        self.events = 0
        self.failures: list[str] = []
        self._first: list[float] = []
        self._whole: list[float] = []
        self._seconds = 0.0

    def first_ms(self, part: float) -> float | None:
        """Return a percentile of the times to what was said first."""
        return _percentile(self._first, part)

    def whole_ms(self, part: float) -> float | None:
        """Return a percentile of the times to the end."""
        return _percentile(self._whole, part)

    def events_per_second(self) -> float | None:
        """Return how many came in a second, over all streams."""
        return round(self.events / self._seconds, 1) if self._seconds else None

    def add_stream(self, first: float | None, whole: float, events: int) -> None:
        """Count a stream that came whole."""
        self.events += events
        self._whole.append(whole)
        if first is not None:
            self._first.append(first)

    def add_seconds(self, seconds: float) -> None:
        """Count time in which it was asked."""
        self._seconds += seconds


class _Target:
    """An address, and how it is asked."""

    def __init__(self, url: str, *, is_first: bool) -> None:
        base, kind = url.rstrip("/"), _CHAT if is_first else _RESPONSES
        for ending in (_CHAT, _RESPONSES):
            if base.endswith(ending):
                base, kind = base.removesuffix(ending), ending
        self.upstream = HttpUpstream(base)
        self.kind = kind
        self.figures = Figures(f"{base}{kind}")

    def call(self, load: Load, headers: Mapping[str, str]) -> HttpCall:
        if self.kind == _CHAT:
            message = {"role": "user", "content": load.prompt}
            fields = {"messages": [message], "max_tokens": load.max_tokens}
            return self.upstream.open(_body(load, fields), headers)
        fields = {"input": load.prompt, "max_output_tokens": load.max_tokens, "store": False}
        return self.upstream.post("responses", _body(load, fields), headers)


async def measure(
    urls: Sequence[str],
    load: Load,
    headers: Mapping[str, str],
    clock: Callable[[], float] = time.perf_counter,
    on_end: Callable[[], object] = lambda: None,
) -> list[Figures]:
    """Ask all addresses in turn, and return what came of it.

    Args:
        urls: base URLs, or those of endpoints.
        load: what is asked.
        headers: of the requests.
        clock: seconds of any kind.
        on_end: called when an answer is over.

    Raises:
        ValueError: an address that is none.
        UpstreamError: no model is named, and none is listed.
    """
    targets = [_Target(url, is_first=index == 0) for index, url in enumerate(urls)]
    try:
        if load.model is None:
            load = msgspec.structs.replace(load, model=await _first_model(targets[0], headers))
        left = load.requests
        while left > 0:
            count = min(load.streams, left)
            for target in targets:
                await _ask_together(target, load, headers, count, clock, on_end)
            left -= count
    finally:
        for target in targets:
            await target.upstream.aclose()
    return [target.figures for target in targets]


async def _ask_together(
    target: _Target,
    load: Load,
    headers: Mapping[str, str],
    count: int,
    clock: Callable[[], float],
    on_end: Callable[[], object],
) -> None:
    async def ask() -> None:
        await _ask(target, load, headers, clock)
        on_end()

    started = clock()
    await asyncio.gather(*(ask() for _ in range(count)))
    target.figures.add_seconds(clock() - started)


async def _ask(
    target: _Target, load: Load, headers: Mapping[str, str], clock: Callable[[], float]
) -> None:
    figures = target.figures
    figures.requests += 1
    started = clock()
    try:
        async with target.call(load, headers) as answer:
            if answer.status != 200:
                figures.failures.append(f"{figures.name} answers with {answer.status}")
                return
            first, events = await _read(answer, clock)
    except AdapterError as error:
        figures.failures.append(error.message)
        return
    whole = (clock() - started) * 1000
    figures.add_stream(None if first is None else (first - started) * 1000, whole, events)


async def _read(answer: UpstreamAnswer, clock: Callable[[], float]) -> tuple[float | None, int]:
    """Return when the model first said something, and how many events came."""
    first, events, tail = None, 0, b""
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            events += chunk.count(_MARK) + (tail[-4:] + chunk[:4]).count(_MARK)
            if first is None and _SAID.search(tail + chunk):
                first = clock()
            tail = (tail + chunk[-_TAIL:])[-_TAIL:]
    return first, events


async def _first_model(target: _Target, headers: Mapping[str, str]) -> str:
    async with (
        target.upstream.list_models(headers) as answer,
        aclosing(answer.chunks()) as chunks,
    ):
        body = b"".join([chunk async for chunk in chunks])
    try:
        name: str = msgspec.json.decode(body)["data"][0]["id"]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError) as exc:
        raise UpstreamError(f"{target.upstream.base} lists no models: name the --model.") from exc
    return name


def _body(load: Load, fields: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"model": load.model, "stream": True, "temperature": 0, **fields})


def _percentile(values: Sequence[float], part: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[round((len(ordered) - 1) * part)], 3) if ordered else None
