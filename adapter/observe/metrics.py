"""Counts requests and calls for Prometheus, by its client library (the extra `metrics`).

No label can be filled by a client: routes have names, endpoints no ids, fields are families, tools
are kinds. A request is counted when it is over, from totals.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter

from adapter.observe.exchange import Call, Exchange, ObservedRun, Transport
from adapter.observe.families import MAX_FAMILIES, OTHER, families_of
from adapter.observe.meters import Meters
from adapter.observe.sink import Sink
from adapter.observe.tallies import Count, Tallies
from adapter.types.events import Event
from adapter.types.items import (
    ApplyPatchCall,
    ComputerCall,
    CustomToolCall,
    FunctionCall,
    LocalShellCall,
    OutputItem,
    ShellCall,
    ToolSearchCall,
)
from adapter.types.response import Usage

# Between two times that a process shows the others what it has counted.
SHARED_SECONDS: Final = 1.0
# After as many requests, or answers of the store, what was counted is handed over, though nobody
# looks: it takes memory. An idle server asks its store too, and who follows a run asks often.
MANY: Final = 1000

NO_ROUTE: Final = "none"
NO_STATUS: Final = "none"
OTHER_METHOD: Final = "OTHER"
METHODS: Final = frozenset(
    {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "WEBSOCKET"}
)
HANDED_OVER: Final = "handed_over"
_OF_TOOLS: Final = ("execute_tool", "list_tools")
# Calls that the client makes; those of hosted tools are seen when they are made.
_CLIENT_CALLS: Final = (
    ApplyPatchCall,
    ComputerCall,
    CustomToolCall,
    FunctionCall,
    LocalShellCall,
    ShellCall,
    ToolSearchCall,
)


class Metrics(Sink):
    """Counts.

    Args:
        registry: takes the metrics.
        shared_seconds: between two times that others are shown what was counted; None is only when
            somebody looks.
    """

    def __init__(self, registry: CollectorRegistry, shared_seconds: float | None = None) -> None:
        self._meters = meters = Meters(registry)
        self._tallies = Tallies()
        self._count = self._tallies.count
        self._under_way: dict[Transport, Count] = {
            "http": self._count(meters.in_progress, "http"),
            "websocket": self._count(meters.in_progress, "websocket"),
            "socket": self._count(meters.sockets),
            "background": self._count(meters.background),
        }
        self._streams = self._count(meters.streams)
        self._requests: dict[tuple[Transport, str, str, str, int], Count] = {}
        self._runs: dict[tuple[str, str, str], _OfRun] = {}
        self._calls: dict[tuple[str, str, int, str], _OfCall] = {}
        self._families: set[str] = set()
        self._shared_seconds = shared_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._counted = 0  # requests and answers of the store, since it was handed over

    def flush(self) -> None:
        """Hand over to the library what was counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._counted = 0
        self._tallies.flush()

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        self.flush()

    def _flush_within(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.flush)

    # Requests

    def begin(self, exchange: Exchange) -> None:
        """See `Sink.begin`."""
        self._under_way[exchange.transport].value += 1
        if self._shared_seconds is not None:
            self._flush_within(self._shared_seconds)

    def run(self, exchange: Exchange) -> None:
        """See `Sink.run`."""
        if exchange.stream:
            self._streams.value += 1

    def end(self, exchange: Exchange) -> None:
        """See `Sink.end`."""
        transport = exchange.transport
        self._under_way[transport].value -= 1
        if transport != "background":  # it has been asked for over HTTP
            key = transport, exchange.method, exchange.endpoint, exchange.route, exchange.status
            requests = self._requests.get(key)
            if requests is None:
                requests = self._new_requests(*key)
            requests.value += 1
        if exchange.run is not None:
            self._count_run(exchange, exchange.run)
        self._flush_if_many()
        if self._shared_seconds is not None:
            self._flush_within(self._shared_seconds)

    def _flush_if_many(self) -> None:
        self._counted += 1
        if self._counted >= MANY:
            self.flush()

    def _new_requests(
        self, transport: Transport, method: str, endpoint: str, route: str, status: int
    ) -> Count:
        known = method if method in METHODS else OTHER_METHOD
        meter, shown = self._meters.requests, route or NO_ROUTE
        count = self._count(meter, transport, known, endpoint, shown, str(status))
        if known == method:  # else there is no end to them
            self._requests[transport, method, endpoint, route, status] = count
        return count

    def _count_run(self, exchange: Exchange, run: ObservedRun) -> None:
        key = exchange.transport, exchange.route, exchange.outcome
        of_run = self._runs.get(key)
        if of_run is None:
            of_run = self._runs[key] = _OfRun(self._meters, self._tallies, *key)
        if exchange.stream:
            self._streams.value -= 1
        of_run.responses.value += 1
        of_run.add_seconds(exchange.ended_at - exchange.started)
        if exchange.first_event is not None:
            of_run.add_first_event(exchange.first_event - exchange.started)
        if run.end is not None:
            self._count_response(exchange, of_run, run.end)
        translation = run.translation
        if translation.dropped:
            self._count_fields(self._meters.dropped, exchange.route, translation.dropped)
        if translation.adapted:
            self._count_fields(self._meters.adapted, exchange.route, translation.adapted)
        for fact in run.learned:
            self._count(self._meters.lessons, exchange.route, fact).value += 1

    def _count_response(self, exchange: Exchange, of_run: "_OfRun", last: Event) -> None:
        response = last.response  # type: ignore[union-attr]  # the last event has one
        of_run.events.value += last.sequence_number + 1
        for item in response.output:
            if isinstance(item, _CLIENT_CALLS):
                self._count(self._meters.tool_calls, _type_of(item), HANDED_OVER).value += 1
        usage: Usage | None = response.usage
        if usage is None:
            return
        of_run.input.value += usage.input_tokens
        of_run.output.value += usage.output_tokens
        of_run.cached.value += usage.input_tokens_details.cached_tokens
        of_run.reasoning.value += usage.output_tokens_details.reasoning_tokens
        # What comes all at once has no speed.
        if exchange.stream and exchange.first_event is not None and usage.output_tokens > 1:
            seconds = exchange.ended_at - exchange.first_event
            if seconds > 0:
                of_run.add_rate(usage.output_tokens / seconds)

    def _count_fields(self, counter: Counter, route: str, paths: Iterable[str]) -> None:
        for family in families_of(paths):
            if len(self._families) < MAX_FAMILIES:
                self._families.add(family)
            known = family if family in self._families else OTHER
            self._count(counter, route, known).value += 1

    # Calls

    def end_call(self, exchange: Exchange, call: Call) -> None:
        """See `Sink.end_call`."""
        if call.operation == "execute_tool":
            self._count(self._meters.tool_calls, call.kind, call.outcome).value += 1
            self._tallies.observe(self._meters.tool_seconds, call.kind).add(
                call.ended - call.started
            )
        if call.operation in _OF_TOOLS:
            return
        key = call.route, call.operation, call.status, call.outcome
        of_call = self._calls.get(key)
        if of_call is None:
            of_call = self._calls[key] = _OfCall(self._meters, self._tallies, *key)
        of_call.requests.value += 1
        if call.operation == "chat":
            started = call.started
            if call.first_byte is not None:
                of_call.add_first_byte(call.first_byte - started)
            if call.first_event is not None:
                of_call.add_first_event(call.first_event - started)
            of_call.add_seconds(call.ended - started)

    # What happens whatever the request is

    def store(self, operation: str, seconds: float, *, failed: bool) -> None:
        """See `Sink.store`."""
        self._tallies.observe(self._meters.store_seconds, operation).add(seconds)
        if failed:
            self._count(self._meters.store_errors, operation).value += 1
        self._flush_if_many()

    def retry(self, route: str) -> None:
        """See `Sink.retry`."""
        self._count(self._meters.retries, route).value += 1

    def breaker(self, route: str, *, is_open: bool) -> None:
        """See `Sink.breaker`."""
        self._meters.breaker.labels(route).set(is_open)


class _OfRun:
    """What is counted of every run that ends in one way, at hand."""

    def __init__(
        self, meters: Meters, tallies: Tallies, transport: str, route: str, outcome: str
    ) -> None:
        self.responses = tallies.count(meters.responses, transport, route, outcome)
        self.add_seconds = tallies.observe(meters.seconds, transport, route).add
        self.add_first_event = tallies.observe(meters.first_event, transport, route).add
        self.add_rate = tallies.observe(meters.rate, route).add
        self.events = tallies.count(meters.events, route)
        self.input = tallies.count(meters.tokens, route, "input")
        self.output = tallies.count(meters.tokens, route, "output")
        self.cached = tallies.count(meters.tokens, route, "cached")
        self.reasoning = tallies.count(meters.tokens, route, "reasoning")


class _OfCall:
    """What is counted of every call of an upstream that ends in one way, at hand."""

    def __init__(
        self,
        meters: Meters,
        tallies: Tallies,
        route: str,
        operation: str,
        status: int,
        outcome: str,
    ) -> None:
        said = str(status) if status else NO_STATUS
        self.requests = tallies.count(meters.upstream_requests, route, operation, said, outcome)
        self.add_first_byte = tallies.observe(meters.upstream_first_byte, route).add
        self.add_first_event = tallies.observe(meters.upstream_first_event, route).add
        self.add_seconds = tallies.observe(meters.upstream_seconds, route).add


def _type_of(item: OutputItem) -> str:
    config: Any = item.__struct_config__
    return str(config.tag)
