"""Every metric, once: name, meaning and labels. What is counted when, `metrics` knows.

Names begin with `responses_adapter_`; those of counters end in `_total`, which the library adds.
"""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from adapter._version import __version__
from adapter.observe.tallies import BulkHistogram

PREFIX: Final = "responses_adapter"

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_STORE_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_RATES: Final = (1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)


class Meters:
    """All metrics of one process.

    Args:
        registry: takes them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        ours: dict[str, Any] = {"namespace": PREFIX, "registry": registry}
        # The sum of what living processes have; the others of a dead one have happened all the same.
        now: dict[str, Any] = {**ours, "multiprocess_mode": "livesum"}

        # Requests
        self.requests = Counter(
            "requests",
            "Requests that are over, by HTTP status.",
            ("transport", "method", "endpoint", "route", "status"),
            **ours,
        )
        self.responses = Counter(
            "responses",
            "Responses that are over, by how they ended.",
            ("transport", "route", "outcome"),
            **ours,
        )
        self.seconds = BulkHistogram(
            "response_seconds",
            "From a request to the end of its response.",
            ("transport", "route"),
            buckets=_SECONDS,
            **ours,
        )
        self.first_event = BulkHistogram(
            "first_event_seconds",
            "From a request to the first that its model said.",
            ("transport", "route"),
            buckets=_SECONDS,
            **ours,
        )
        self.in_progress = Gauge(
            "requests_in_progress", "Requests that are being answered.", ("transport",), **now
        )
        self.streams = Gauge("streams_open", "Streamed responses that are being made.", **now)
        self.sockets = Gauge("websockets_open", "WebSockets that are open.", **now)
        self.background = Gauge(
            "background_runs", "Background responses that are being made.", **now
        )

        # Responses
        self.tokens = Counter(
            "tokens",
            "Tokens as upstreams count them: cached are of the input, reasoning of the output.",
            ("route", "type"),
            **ours,
        )
        self.events = Counter("events", "Events that responses were made of.", ("route",), **ours)
        self.rate = BulkHistogram(
            "output_tokens_per_second",
            "Output tokens of a response by the time from its first event to its end.",
            ("route",),
            buckets=_RATES,
            **ours,
        )
        self.dropped = Counter(
            "dropped",
            "Requests of which a field was not sent upstream.",
            ("route", "field"),
            **ours,
        )
        self.adapted = Counter(
            "adapted",
            "Requests of which a field was sent upstream in another form.",
            ("route", "field"),
            **ours,
        )
        self.lessons = Counter(
            "lessons", "Facts that refusals of upstreams taught.", ("route", "fact"), **ours
        )

        # Upstreams
        self.upstream_requests = Counter(
            "upstream_requests",
            "Calls of upstreams, by HTTP status and how they ended.",
            ("route", "operation", "status", "outcome"),
            **ours,
        )
        self.upstream_first_byte = BulkHistogram(
            "upstream_first_byte_seconds",
            "From a call of an upstream to the headers of its answer.",
            ("route",),
            buckets=_SECONDS,
            **ours,
        )
        self.upstream_first_event = BulkHistogram(
            "upstream_first_event_seconds",
            "From a call of an upstream to the first that its model said.",
            ("route",),
            buckets=_SECONDS,
            **ours,
        )
        self.upstream_seconds = BulkHistogram(
            "upstream_seconds",
            "For a call of an upstream, to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            **ours,
        )
        self.retries = Counter(
            "upstream_retries", "Further tries of calls of upstreams.", ("route",), **ours
        )
        self.breaker = Gauge(
            "breaker_open",
            "Processes that leave an upstream alone, because it was found down.",
            ("route",),
            **now,
        )

        # What else is called
        self.tool_calls = Counter(
            "tool_calls",
            "Tool calls by kind; those that are the client's to make are handed_over.",
            ("kind", "outcome"),
            **ours,
        )
        self.tool_seconds = BulkHistogram(
            "tool_seconds", "For calls of hosted tools.", ("kind",), buckets=_SECONDS, **ours
        )
        self.store_seconds = BulkHistogram(
            "store_seconds",
            "For answers of the store.",
            ("operation",),
            buckets=_STORE_SECONDS,
            **ours,
        )
        self.store_errors = Counter(
            "store_errors", "Questions that the store did not answer.", ("operation",), **ours
        )

        info = Gauge(
            "info", "The running version; always 1.", ("version",), multiprocess_mode="max", **ours
        )
        info.labels(__version__).set(1)
