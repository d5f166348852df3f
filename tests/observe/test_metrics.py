"""What is counted of requests, and what is not told by it."""

from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from adapter.observe.exchange import Exchange
from adapter.observe.metrics import MANY, Metrics
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST, open_stream, read_stream
from tests.observe.scrape import scrape
from tests.servers.answers import (
    Answer,
    Eof,
    Pause,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


async def test_a_response_is_counted_when_it_is_over(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    upstream.always(text_answer("Hello there", usage=USAGE))

    stream = await read_stream(client)
    await client.post("/v1/responses", json=REQUEST)

    told = await scrape(client)
    of_route = {"route": "default"}
    assert told.value("requests_total", status="200", endpoint="/responses", method="POST") == 2
    assert told.value("responses_total", outcome="completed", transport="http", **of_route) == 2
    assert told.value("response_seconds_count", **of_route) == 2
    assert told.value("first_event_seconds_count", **of_route) == 2
    assert told.value("tokens_total", type="input", **of_route) == 200
    assert told.value("tokens_total", type="output", **of_route) == 40
    assert told.value("tokens_total", type="cached", **of_route) == 120
    assert told.value("tokens_total", type="reasoning", **of_route) == 10
    assert told.value("events_total", **of_route) == 2 * len(stream.events)
    assert told.value("output_tokens_per_second_count", **of_route) == 1
    assert told.value("upstream_requests_total", status="200", outcome="ok", **of_route) == 2
    assert told.value("upstream_first_byte_seconds_count", **of_route) == 2
    assert told.value("upstream_first_event_seconds_count", **of_route) == 2
    assert told.value("upstream_seconds_count", **of_route) == 2
    assert told.value("requests_in_progress") == told.value("streams_open") == 0


async def test_much_is_handed_over_though_nobody_looks() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)

    for _ in range(MANY):
        exchange = Exchange("http", "GET", "/models", {})
        metrics.begin(exchange)
        exchange.close(None)
        metrics.end(exchange)

    (told,) = [
        sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "responses_adapter_requests_total"
    ]
    assert told == MANY


async def test_answers_of_the_store_are_handed_over_though_there_are_no_requests() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)

    for _ in range(MANY):
        metrics.store("purge", 0.1, failed=False)

    asked = registry.get_sample_value(
        "responses_adapter_store_seconds_count", {"operation": "purge"}
    )
    assert asked == MANY


async def test_what_is_under_way_is_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    gate = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), gate, chunk({}, "stop")))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        during = await scrape(client)
        gate.release()
        await stream.rest()
    after = await scrape(client)

    assert (during.value("requests_in_progress"), after.value("requests_in_progress")) == (1, 0)
    assert (during.value("streams_open"), after.value("streams_open")) == (1, 0)


@pytest.mark.parametrize(
    ("reply", "status", "outcome", "upstream_outcome"),
    [
        (json_answer(400, {"error": {"message": "no"}}), "400", "refused", "refused"),
        (Answer(500), "502", "refused", "refused"),
        (Answer(before=[Eof()]), "502", "refused", "unreachable"),
        (stream_answer(chunk({"content": "a"}), Eof()), "200", "failed", "broken"),
    ],
)
async def test_failures_are_told_apart(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    reply: Answer,
    status: str,
    outcome: str,
    upstream_outcome: str,
) -> None:
    start(metrics=True, upstream_retries=0)
    upstream.always(reply)

    await client.post("/v1/responses", json=REQUEST | {"stream": True})

    told = await scrape(client)
    assert told.labels("outcome") == {outcome, upstream_outcome}
    assert told.value("requests_total", status=status) == 1


async def test_a_client_that_goes_is_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stand: Stand
) -> None:
    start(metrics=True)
    gate = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), gate))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
    await (await upstream.request(0)).disconnected.wait()

    told = await scrape(client)
    assert told.value("responses_total", outcome="disconnected") == 1
    assert told.value("upstream_requests_total", outcome="cancelled") == 1


async def test_tools_of_the_client_are_told_by_kind_alone(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    upstream.reply(tool_answer(("launch_secret_rocket", {}), ("launch_secret_rocket", {})))
    tool = {"type": "function", "name": "launch_secret_rocket", "parameters": {"type": "object"}}

    await read_stream(client, tools=[tool])

    told = await scrape(client)
    assert told.value("tool_calls_total", kind="function_call", outcome="handed_over") == 2
    assert "rocket" not in told.text


async def test_drops_are_told_by_family(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True, hosted_tools="drop")
    upstream.always(text_answer("Hello"))
    tools: list[dict[str, Any]] = [{"type": "web_search"}, {"type": "image_generation"}]

    await read_stream(client, tools=tools, my_secret_field=1)

    told = await scrape(client)
    assert told.value("dropped_total", field="tools", route="default") == 1
    assert told.value("dropped_total", field="*") == 1
    assert "my_secret_field" not in told.text


async def test_lessons_are_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    refusal = "Unsupported parameter: 'stream_options' is not supported with this model."
    upstream.reply(json_answer(400, {"error": {"message": refusal}}), text_answer("Hello"))

    await read_stream(client)

    told = await scrape(client)
    assert told.value("upstream_requests_total", outcome="refused", status="400") == 1
    assert told.value("upstream_requests_total", outcome="ok", status="200") == 1
    assert told.value("lessons_total", route="default") >= 1


async def test_words_of_clients_are_no_labels(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    upstream.always(text_answer("Hello"))

    await client.request("PROPFIND", "/v1/responses")
    await client.get("/v1/responses/resp_secret")
    await client.post("/v1/responses", json=REQUEST | {"model": "secret-model"})

    told = await scrape(client)
    assert told.value("requests_total", method="OTHER", status="405") == 1
    assert told.value("requests_total", endpoint="/responses/{id}", status="404") == 1
    assert "secret" not in told.text
    assert "PROPFIND" not in told.text


async def test_retries_and_the_breaker_are_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True, upstream_retries=1, upstream_retry_wait=0.001, breaker_failures=2)
    later = Answer(503, {"retry-after": "0"}, framing="length")
    upstream.reply(later, later, later, later)

    for _ in range(2):
        await client.post("/v1/responses", json=REQUEST)

    told = await scrape(client)
    assert told.value("upstream_retries_total", route="default") == 2
    assert told.value("upstream_requests_total", status="503") == 4
    assert told.value("breaker_open", route="default") == 1


async def test_a_websocket_and_its_responses_are_told(
    start: Start, stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(metrics=True)
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        await socket.create()
        await socket.turn()
        await socket.send({"type": "response.create", "model": 7})
        await socket.until("error")
        during = await scrape(client)

    assert during.value("websockets_open") == 1
    assert during.value("responses_total", transport="websocket", outcome="completed") == 1
    assert during.value("requests_total", transport="websocket", status="200") == 1
    assert during.value("requests_total", transport="websocket", status="400") == 1


async def test_a_background_response_is_told_when_it_is_over(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    app = start(metrics=True, store="memory:")
    gate = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), gate, chunk({}, "stop")))

    queued = await client.post("/v1/responses", json=REQUEST | {"background": True})
    during = await scrape(client)
    gate.release()
    await client.get(f"/v1/responses/{queued.json()['id']}", params={"stream": "true"})
    await app.aclose()
    after = await scrape(client)

    assert (during.value("background_runs"), after.value("background_runs")) == (1, 0)
    assert during.value("requests_total", endpoint="/responses", transport="http") == 1
    assert after.value("responses_total", transport="background", outcome="completed") == 1
    assert after.value("store_seconds_count", operation="start_run") == 1
    assert after.value("store_seconds_count", operation="finish") == 1
