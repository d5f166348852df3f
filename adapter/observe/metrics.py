"""Counts requests and calls for Prometheus, by its client library (the extra `metrics`).

No label can be filled by a client: routes have names, endpoints no ids, fields are families, tools
are kinds. A request is counted when it is over, from totals.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import StructConfig
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from adapter.observe.exchange import Call, Exchange
from adapter.observe.families import MAX_FAMILIES, OTHER, families_of
from adapter.observe.meters import Meters
from adapter.observe.observer import Sink
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

NO_ROUTE: Final = "none"
OTHER_METHOD: Final = "OTHER"
METHODS: Final = frozenset({"GET", "POST", "DELETE", "WEBSOCKET", "HEAD", "OPTIONS", "PUT", "PATCH"})
HANDED_OVER: Final = "handed_over"
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

Add = Callable[[float], None]


class Metrics(Sink):
    """Counts.

    Args:
        registry: takes the metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._meters = Meters(registry)
        # To find a metric by its labels takes longer than to add to it.
        self._adding: dict[tuple[Counter | Gauge | Histogram, tuple[str, ...]], Add] = {}
        self._families: set[str] = set()

    # Requests

    def begin(self, exchange: Exchange) -> None:
        """See `Sink.begin`."""
        self._in_progress(exchange, 1)

    def run(self, exchange: Exchange) -> None:
        """See `Sink.run`."""
        if exchange.stream:
            self._add(self._meters.streams)(1)

    def end(self, exchange: Exchange) -> None:
        """See `Sink.end`."""
        self._in_progress(exchange, -1)
        meters, route, transport = self._meters, exchange.route or NO_ROUTE, exchange.transport
        method = exchange.method if exchange.method in METHODS else OTHER_METHOD
        status = str(exchange.status)
        if transport != "background":  # it has been asked for over HTTP
            self._add(meters.requests, transport, method, exchange.endpoint, route, status)(1)
        if exchange.run is None:
            return
        if exchange.stream:
            self._add(meters.streams)(-1)
        self._add(meters.responses, transport, route, exchange.outcome)(1)
        self._add(meters.seconds, transport, route)(exchange.seconds)
        if exchange.first_event is not None:
            waited = exchange.first_event - exchange.started
            self._add(meters.first_event, transport, route)(waited)
        translation = exchange.run.translation
        self._count_fields(meters.dropped, route, translation.dropped)
        self._count_fields(meters.adapted, route, translation.adapted)
        for fact in exchange.run.learned:
            self._add(meters.lessons, route, fact)(1)
        if exchange.run.end is not None:
            self._count_response(exchange, route, exchange.run.end)

    def _in_progress(self, exchange: Exchange, one: int) -> None:
        meters = self._meters
        match exchange.transport:
            case "socket":
                self._add(meters.sockets)(one)
            case "background":
                self._add(meters.background)(one)
            case _:
                self._add(meters.in_progress, exchange.transport)(one)

    def _count_response(self, exchange: Exchange, route: str, last: Event) -> None:
        response = last.response  # type: ignore[union-attr]  # the last event has one
        self._add(self._meters.events, route)(last.sequence_number + 1)
        self._count_client_calls(response.output)
        if response.usage is not None:
            self._count_tokens(exchange, route, response.usage)

    def _count_tokens(self, exchange: Exchange, route: str, usage: Usage) -> None:
        for type_, count in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cached", usage.input_tokens_details.cached_tokens),
            ("reasoning", usage.output_tokens_details.reasoning_tokens),
        ):
            if count:
                self._add(self._meters.tokens, route, type_)(count)
        # One that came all at once has no speed.
        if exchange.stream and exchange.first_event is not None and usage.output_tokens > 1:
            seconds = exchange.ended - exchange.first_event
            if seconds > 0:
                self._add(self._meters.rate, route)(usage.output_tokens / seconds)

    def _count_client_calls(self, output: Iterable[OutputItem]) -> None:
        for item in output:
            if isinstance(item, _CLIENT_CALLS):
                self._add(self._meters.tool_calls, _type_of(item), HANDED_OVER)(1)

    def _count_fields(self, counter: Counter, route: str, paths: Iterable[str]) -> None:
        for family in families_of(paths):
            if len(self._families) < MAX_FAMILIES:
                self._families.add(family)
            self._add(counter, route, family if family in self._families else OTHER)(1)

    # Calls

    def end_call(self, exchange: Exchange, call: Call) -> None:
        """See `Sink.end_call`."""
        meters, seconds = self._meters, call.ended - call.started
        if call.operation == "execute_tool":
            self._add(meters.tool_calls, call.kind, call.outcome)(1)
            self._add(meters.tool_seconds, call.kind)(seconds)
            return
        if call.operation == "list_tools":
            return
        route = exchange.route or NO_ROUTE
        status = str(call.status or "none")
        self._add(meters.upstream_requests, route, call.operation, status, call.outcome)(1)
        if call.operation != "chat":
            return
        if call.first_byte is not None:
            self._add(meters.upstream_first_byte, route)(call.first_byte - call.started)
        if call.first_event is not None:
            self._add(meters.upstream_first_event, route)(call.first_event - call.started)
        self._add(meters.upstream_seconds, route)(seconds)

    # What happens whatever the request is

    def store(self, operation: str, seconds: float, *, failed: bool) -> None:
        """See `Sink.store`."""
        self._add(self._meters.store_seconds, operation)(seconds)
        if failed:
            self._add(self._meters.store_errors, operation)(1)

    def retry(self, route: str) -> None:
        """See `Sink.retry`."""
        self._add(self._meters.retries, route)(1)

    def breaker(self, route: str, *, is_open: bool) -> None:
        """See `Sink.breaker`."""
        self._meters.breaker.labels(route).set(is_open)

    def _add(self, meter: Counter | Gauge | Histogram, *labels: str) -> Add:
        """Return what adds to a metric, by its labels."""
        add = self._adding.get((meter, labels))
        if add is None:
            child = meter.labels(*labels) if labels else meter
            add = child.observe if isinstance(child, Histogram) else child.inc
            self._adding[meter, labels] = add
        return add


def _type_of(item: OutputItem) -> str:
    config: StructConfig = item.__struct_config__
    return str(config.tag)
