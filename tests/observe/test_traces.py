"""Spans of requests, of calls of upstreams and of tools: their names, their kin, what they hold.

Source: opentelemetry-semantic-conventions, whose names are compared with ours.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, http_attributes
from opentelemetry.semconv.attributes import error_attributes, server_attributes
from opentelemetry.trace import SpanKind, StatusCode

from adapter import ResponsesAPI
from adapter.config import Settings
from adapter.dialects import DIALECTS
from adapter.observe.exchange import Call, Exchange
from adapter.observe.resource import KeptResource
from adapter.observe.traces import PROVIDERS, Traces
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST, read_stream
from tests.hosted.asking import Asker, mcp
from tests.servers.answers import Answer, json_answer, text_answer, tool_answer
from tests.servers.mcp_servers import tool_server
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
OURS = "responses-adapter"


def ours(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """Return the spans of the adapter, in the order of their beginning."""
    found = [
        span
        for span in spans.get_finished_spans()
        if span.instrumentation_scope is not None and span.instrumentation_scope.name == OURS
    ]
    return sorted(found, key=lambda span: span.start_time or 0)


def facts(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


async def test_a_request_and_its_call_are_spans_of_the_clients_trace(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    spans: InMemorySpanExporter,
) -> None:
    start(traces=True, dialect="mistral")
    upstream.reply(text_answer("Hello"))

    await client.post(
        "/v1/responses",
        json=REQUEST | {"stream": True, "temperature": 0.5, "max_output_tokens": 99},
        headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"},
    )

    server, call = ours(spans)
    assert (server.name, server.kind) == ("POST /responses", SpanKind.SERVER)
    assert (call.name, call.kind) == ("chat m", SpanKind.CLIENT)
    assert f"{server.context.trace_id:032x}" == f"{call.context.trace_id:032x}" == TRACE
    assert f"{parent_of(server):016x}" == PARENT
    assert parent_of(call) == id_of(server)
    sent = upstream.requests[0].headers
    assert sent["traceparent"] == f"00-{TRACE}-{id_of(call):016x}-01"
    assert sent["tracestate"] == "vendor=1"
    assert facts(server)["http.response.status_code"] == 200
    assert facts(server)["http.route"] == "/responses"
    assert facts(server)["gen_ai.response.id"].startswith("resp_")
    assert facts(server)["gen_ai.usage.input_tokens"] == 7
    assert facts(call)["gen_ai.operation.name"] == "chat"
    assert facts(call)["gen_ai.provider.name"] == "mistral_ai"
    assert facts(call)["gen_ai.request.model"] == "m"
    assert facts(call)["gen_ai.request.temperature"] == 0.5
    assert facts(call)["gen_ai.request.max_tokens"] == 99
    assert facts(call)["gen_ai.request.stream"] is True
    assert facts(call)["gen_ai.usage.output_tokens"] == 5
    assert facts(call)["gen_ai.response.finish_reasons"] == ("stop",)
    assert facts(call)["gen_ai.response.time_to_first_chunk"] > 0
    assert facts(call)["server.address"] == "127.0.0.1"
    assert server.status.status_code is call.status.status_code is StatusCode.UNSET
    assert server.end_time is not None
    assert call.end_time is not None
    assert call.end_time <= server.end_time


async def test_each_turn_has_a_span_and_so_has_each_tool(
    stand: Stand, upstream: ScriptedUpstream, spans: InMemorySpanExporter
) -> None:
    async with tool_server() as tools:
        port = int(tools.url.rsplit(":", 1)[1].split("/")[0])
        fetch = {"allow_http": True, "allow_private": True, "allowed_ports": [port]}
        settings = Settings.load(environ={}, traces=True, fetch=fetch, store="none")
        stand.app = app = ResponsesAPI(upstream.url, settings=settings)
        upstream.reply(tool_answer(("get_weather", {"city": "Paris"})), text_answer("Sunny"))

        await Asker(stand.url, upstream)("Weather?", tools=[mcp(tools)])
        await app.aclose()

    server, first, tool, second = ours(spans)
    assert [each.name for each in (first, second)] == ["chat scripted", "chat scripted"]
    assert (tool.name, tool.kind) == ("execute_tool get_weather", SpanKind.INTERNAL)
    assert facts(tool)["gen_ai.tool.name"] == "get_weather"
    assert {parent_of(each) for each in (first, tool, second)} == {id_of(server)}
    assert facts(first)["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert facts(first)["gen_ai.usage.input_tokens"] == 7
    assert facts(server)["gen_ai.usage.input_tokens"] == 14
    # The MCP server has found the trace in what it was sent.
    theirs = [
        span
        for span in spans.get_finished_spans()
        if span.kind is SpanKind.SERVER and span.name == "tools/call get_weather"
    ]
    assert [f"{span.context.trace_id:032x}" for span in theirs] == [f"{tool.context.trace_id:032x}"]


@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [(Answer(500), 502, "500"), (json_answer(400, {"error": {"message": "no"}}), 400, "400")],
)
async def test_errors_are_told(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    spans: InMemorySpanExporter,
    reply: Answer,
    status: int,
    error: str,
) -> None:
    start(traces=True)
    upstream.always(reply)

    await client.post("/v1/responses", json=REQUEST)

    server, call = ours(spans)
    assert facts(server)["http.response.status_code"] == status
    assert (server.status.status_code is StatusCode.ERROR) is (status >= 500)
    assert call.status.status_code is StatusCode.ERROR
    assert facts(call)["http.response.status_code"] == int(error)
    assert facts(call)["error.type"]


async def test_a_background_response_is_a_part_of_the_trace_that_asked_for_it(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    spans: InMemorySpanExporter,
) -> None:
    app = start(traces=True, store="memory:")
    upstream.reply(text_answer("Hello"))

    queued = await client.post("/v1/responses", json=REQUEST | {"background": True})
    await client.get(f"/v1/responses/{queued.json()['id']}", params={"stream": "true"})
    await app.aclose()

    asked, run, call = (span for span in ours(spans) if "{id}" not in span.name)
    assert facts(run)["adapter.transport"] == "background"
    assert facts(run)["adapter.outcome"] == "completed"
    assert parent_of(run) == id_of(asked)
    assert parent_of(call) == id_of(run)


async def test_a_response_on_a_websocket_has_a_span(
    start: Start, stand: Stand, upstream: ScriptedUpstream, spans: InMemorySpanExporter
) -> None:
    start(traces=True)
    upstream.reply(text_answer("Hello"))

    async with open_socket(stand.url, headers={"traceparent": TRACEPARENT}) as socket:
        await socket.create()
        await socket.turn()

    turn, call = ours(spans)
    assert turn.name == "WEBSOCKET /responses"
    assert f"{turn.context.trace_id:032x}" == TRACE
    assert parent_of(call) == id_of(turn)


async def test_what_is_not_sampled_makes_no_spans_and_the_upstream_is_told(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    spans: InMemorySpanExporter,
) -> None:
    start(traces=True)
    upstream.reply(text_answer("Hello"))

    await client.post(
        "/v1/responses", json=REQUEST, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}
    )

    assert ours(spans) == []
    assert re.fullmatch(
        f"00-{TRACE}-[0-9a-f]{{16}}-00", upstream.requests[0].headers["traceparent"]
    )


async def test_a_tool_of_what_is_not_sampled_makes_no_span(spans: InMemorySpanExporter) -> None:
    """Whatever a sampler would say of it alone: what a request calls is a part of it."""
    traces = Traces()
    exchange = Exchange("http", "POST", "/responses", {"traceparent": f"00-{TRACE}-{PARENT}-00"})
    call = Call("execute_tool", "get_weather", "mcp")

    traces.begin(exchange)
    traces.begin_call(exchange, call)
    traces.end_call(exchange, call)
    traces.end(exchange)

    assert call.span is call.token is None
    assert ours(spans) == []


async def test_without_traces_the_clients_context_is_passed_on_as_it_is(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    await client.post("/v1/responses", json=REQUEST, headers={"traceparent": TRACEPARENT})

    assert upstream.requests[0].headers["traceparent"] == TRACEPARENT


async def test_names_are_those_of_the_conventions(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    spans: InMemorySpanExporter,
) -> None:
    start(traces=True)
    upstream.reply(text_answer("Hello", usage={"prompt_tokens": 1, "completion_tokens": 1}))
    upstream.always(Answer(500))
    await read_stream(client, temperature=1, top_p=1, max_output_tokens=9)
    await client.post("/v1/responses", json=REQUEST)

    modules = (gen_ai_attributes, http_attributes, error_attributes, server_attributes)
    known = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, str) and re.fullmatch(r"[a-z_.]+", value)
    }
    used = {name for span in ours(spans) for name in facts(span)}
    assert {name for name in used if not name.startswith("adapter.")} <= known


def test_a_resource_is_kept_as_it_is() -> None:
    made = Resource.create({"service.name": OURS})

    kept = KeptResource(made)

    assert kept == made
    assert hash(kept) == hash(made)
    assert kept.attributes == made.attributes


def test_providers_are_those_of_the_conventions() -> None:
    source = gen_ai_attributes.__file__
    assert source is not None
    with open(source, encoding="utf-8") as file:  # noqa: PTH123  # a class there warns when used
        text = file.read()

    for dialect, provider in PROVIDERS.items():
        assert dialect in DIALECTS
        assert f'= "{provider}"' in text
