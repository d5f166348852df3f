"""Traces by the OpenTelemetry API (the extra `traces`): whoever runs the app chooses the SDK.

One span of kind server for a request, one of kind client for each call of an upstream, one for each
call of a tool, named as the semantic conventions of generative AI have it. The context of a trace
is taken from the request (W3C Trace Context) and sent on; the MCP SDK sends on by itself what is
current, in `_meta`. Nothing of what was asked or said is recorded.

Source: opentelemetry-semantic-conventions 0.66b2, `gen_ai`, `http`, `server` and `error`.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from adapter._version import __version__
from adapter.observe.exchange import CANCELLED, DISCONNECTED, Call, Exchange
from adapter.observe.families import families_of
from adapter.observe.sink import Sink
from adapter.types.request import ResponseRequest
from adapter.types.response import Usage

SCOPE: Final = "responses-adapter"
FLUSH_MILLISECONDS: Final = 5000

# The names that the conventions have for some of the dialects; others keep their own.
PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
UNKNOWN_PROVIDER: Final = "_OTHER"
# Ways to end that are nobody's fault.
_WELL: Final = frozenset({"ok", "completed", "incomplete", CANCELLED, DISCONNECTED, "refused"})
_CONTEXT_HEADERS: Final = ("traceparent", "tracestate")
_NO_CONTEXT: Final = context.Context()


class Traces(Sink):
    """Makes spans.

    Args:
        provider: makes tracers; None takes the one of the process.
    """

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider=provider)
        self._propagator = TraceContextTextMapPropagator()

    async def aclose(self) -> None:
        """Have sent what waits to be sent, if the SDK lets itself be told."""
        provider = self._provider or trace.get_tracer_provider()
        flush = getattr(provider, "force_flush", None)
        if flush is not None:
            await asyncio.to_thread(flush, FLUSH_MILLISECONDS)

    # Requests

    def begin(self, exchange: Exchange) -> None:
        """See `Sink.begin`."""
        if exchange.transport == "socket":
            return  # it may last for hours, and its responses have spans of their own
        is_background = exchange.transport == "background"
        parent = context.get_current() if is_background else self._sent_context(exchange.headers)
        span = self._tracer.start_span(
            f"{exchange.method} {exchange.endpoint}",
            parent,
            kind=SpanKind.INTERNAL if is_background else SpanKind.SERVER,
            attributes={
                "http.request.method": exchange.method,
                "http.route": exchange.endpoint,
                "adapter.transport": exchange.transport,
                "adapter.request_id": exchange.request_id,
            },
        )
        exchange.span = span
        exchange.context = trace.set_span_in_context(span, parent)
        if not is_background:  # another task will see the end of that
            exchange.token = context.attach(exchange.context)

    def _sent_context(self, headers: Mapping[str, str]) -> context.Context:
        if "traceparent" not in headers:
            return _NO_CONTEXT
        sent = {name: headers[name] for name in _CONTEXT_HEADERS if name in headers}
        return self._propagator.extract(sent)

    def end(self, exchange: Exchange) -> None:
        """See `Sink.end`."""
        span: Span | None = exchange.span
        if span is None:
            return
        self._end_turn(exchange)
        if span.is_recording():
            attributes = _end_attributes(exchange)
            if exchange.status >= 500 or exchange.outcome not in _WELL:
                attributes["error.type"] = exchange.error or exchange.outcome
                span.set_status(StatusCode.ERROR)
            span.set_attributes(attributes)
        span.end()
        if exchange.token is not None:
            context.detach(exchange.token)
            exchange.token = None  # it knows the context, which knows the exchange

    # Calls

    def begin_call(self, exchange: Exchange, call: Call) -> None:
        """See `Sink.begin_call`."""
        if exchange.span is None or call.operation == "list_tools":
            return
        # What a request calls is a part of it: if that is not sampled, nothing of it is, and its
        # own context is what is sent on.
        is_recording = exchange.span.is_recording()
        if call.operation == "execute_tool":
            if is_recording:
                self._begin_tool(call)
            return
        sent = exchange.context
        if is_recording:
            call.span = self._tracer.start_span(
                f"{call.operation} {call.name}",
                exchange.context,
                kind=SpanKind.CLIENT,
                attributes=_request_attributes(exchange, call),
            )
            sent = trace.set_span_in_context(call.span, sent)
        call.headers = {}
        self._propagator.inject(call.headers, sent)

    def _begin_tool(self, call: Call) -> None:
        # As a child of what is current, which is the request, and current itself: what the tool
        # calls belongs to it.
        call.span = self._tracer.start_span(
            f"execute_tool {call.name}",
            kind=SpanKind.INTERNAL,
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": call.name,
                "gen_ai.tool.type": "extension",
                "adapter.tool.kind": call.kind,
            },
        )
        call.token = context.attach(trace.set_span_in_context(call.span))

    def end_call(self, exchange: Exchange, call: Call) -> None:
        """See `Sink.end_call`."""
        if call.span is None:
            return
        if call.token is not None:
            context.detach(call.token)
            call.token = None
        if call.operation == "chat" and call.outcome == "ok":
            call.ended_at = time.time_ns()  # what it cost is told right after
        else:
            _end_span(call)

    def turned(self, exchange: Exchange) -> None:
        """See `Sink.turned`."""
        self._end_turn(exchange)

    def _end_turn(self, exchange: Exchange) -> None:
        """End the span of the latest call of the upstream, if it was left open."""
        call = exchange.turn
        if call is not None and call.span is not None and call.ended_at is not None:
            _end_span(call)


def _end_span(call: Call) -> None:
    """End the span of a call. What came of it is told at once: each attribute told has its price."""
    span: Span = call.span
    call.span = None
    if span.is_recording():
        attributes = _call_attributes(call)
        if call.outcome not in _WELL or call.outcome == "refused":
            attributes["error.type"] = str(call.error or call.status or call.outcome)
            span.set_status(StatusCode.ERROR)
        span.set_attributes(attributes)
    span.end(call.ended_at)


def _request_attributes(exchange: Exchange, call: Call) -> dict[str, Any]:
    """Return what is asked of an upstream, but for the content."""
    dialect = exchange.dialect
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": call.operation,
        "gen_ai.provider.name": PROVIDERS.get(dialect, dialect) or UNKNOWN_PROVIDER,
        "gen_ai.request.model": call.name,
        "adapter.route": call.route,
    }
    host, port = call.address
    if host is not None:
        attributes["server.address"] = host
    if port is not None:
        attributes["server.port"] = port
    if exchange.request is not None:
        _add_parameters(attributes, exchange.request)
    return attributes


def _add_parameters(attributes: dict[str, Any], request: ResponseRequest) -> None:
    if request.stream:
        attributes["gen_ai.request.stream"] = True
    if request.temperature is not None:
        attributes["gen_ai.request.temperature"] = request.temperature
    if request.top_p is not None:
        attributes["gen_ai.request.top_p"] = request.top_p
    if request.max_output_tokens is not None:
        attributes["gen_ai.request.max_tokens"] = request.max_output_tokens
    if request.presence_penalty is not None:
        attributes["gen_ai.request.presence_penalty"] = request.presence_penalty
    if request.frequency_penalty is not None:
        attributes["gen_ai.request.frequency_penalty"] = request.frequency_penalty


def _call_attributes(call: Call) -> dict[str, Any]:
    """Return what came of a call, but for the content."""
    attributes: dict[str, Any] = {} if call.usage is None else _usage_attributes(call.usage)
    if call.status:
        attributes["http.response.status_code"] = call.status
    # A response begins when it ends, at the latest: that is not this call's doing.
    if call.first_event is not None and call.first_event <= call.ended:
        attributes["gen_ai.response.time_to_first_chunk"] = call.first_event - call.started
    if call.finish_reason is not None:
        attributes["gen_ai.response.finish_reasons"] = (call.finish_reason,)
    return attributes


def _end_attributes(exchange: Exchange) -> dict[str, Any]:
    """Return what came of a request, but for the content."""
    attributes: dict[str, Any] = {
        "http.response.status_code": exchange.status,
        "adapter.outcome": exchange.outcome,
    }
    if exchange.route:
        attributes["adapter.route"] = exchange.route
    run = exchange.run
    if run is None:
        return attributes
    for name, paths in (("dropped", run.translation.dropped), ("adapted", run.translation.adapted)):
        if paths:
            attributes[f"adapter.{name}"] = families_of(paths)
    if run.end is not None:
        response = run.end.response  # type: ignore[union-attr]  # the last event has one
        attributes["gen_ai.response.id"] = response.id
        attributes["gen_ai.response.model"] = response.model
        if response.usage is not None:
            attributes |= _usage_attributes(response.usage)
    return attributes


def _usage_attributes(usage: Usage) -> dict[str, Any]:
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.input_tokens_details.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.output_tokens_details.reasoning_tokens,
    }
