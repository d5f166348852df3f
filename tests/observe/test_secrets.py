"""Keys, headers and content are in no metric, no span and no line. A canary in each place tells."""

import json
import logging
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapter import ResponsesAPI
from adapter.config import Settings
from adapter.observe.log_format import JsonFormatter, TextFormatter
from tests.asgi.conftest import Stand
from tests.asgi.streams import REQUEST
from tests.hosted.asking import mcp
from tests.observe.conftest import REQUESTS
from tests.observe.scrape import scrape
from tests.servers.answers import (
    Answer,
    Eof,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.mcp_servers import tool_server
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"


def quoting(request: Request) -> Answer:
    """Refuse with all that was sent."""
    sent = json.dumps(request.json)
    return json_answer(400, {"error": {"message": f"{CANARY} {sent} {request.headers}"}})


REPLIES: list[Any] = [
    quoting,
    Answer(500),
    Answer(before=[Eof()]),
    stream_answer(chunk({"content": CANARY}), Eof()),
    stream_answer(chunk({"content": CANARY}), {"error": {"message": CANARY}}),
    stream_answer(chunk({"content": CANARY, "reasoning_content": CANARY}), chunk({}, "stop")),
    tool_answer((f"{CANARY}_tool", {CANARY: CANARY})),
    tool_answer(("get_weather", {"city": CANARY})),
]


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("fields", [{"stream": True}, {}, {"background": True}])
async def test_nothing_of_what_is_asked_or_said_is_told(
    stand: Stand,
    upstream: ScriptedUpstream,
    client: httpx2.AsyncClient,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    reply: Any,
    fields: dict[str, Any],
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger(REQUESTS).setLevel(logging.INFO)
    async with tool_server() as tools:
        port = int(tools.url.rsplit(":", 1)[1].split("/")[0])
        fetch = {"allow_http": True, "allow_private": True, "allowed_ports": [port]}
        settings = Settings.load(
            environ={},
            metrics=True,
            traces=True,
            server_timing=True,
            store="memory:",
            fetch=fetch,
            upstream_api_key=f"sk-{CANARY}-ours",
        )
        stand.app = app = ResponsesAPI(upstream.url, settings=settings)
        upstream.reply(reply)
        upstream.always(text_answer(CANARY))
        schema = {"type": "object", "properties": {CANARY: {"type": "string"}}}
        function = {"type": "function", "name": f"{CANARY}_tool", "parameters": schema}

        await client.post(
            "/v1/responses",
            params={"key": CANARY},
            headers={
                "authorization": f"Bearer sk-{CANARY}",
                "cookie": CANARY,
                "user-agent": CANARY,
                "tracestate": f"{CANARY}=1",
            },
            json={
                **REQUEST,
                **fields,
                "input": f"Hi {CANARY}",
                "instructions": CANARY,
                "metadata": {CANARY: CANARY},
                "user": CANARY,
                CANARY: CANARY,
                "tools": [mcp(tools, headers={"x-key": CANARY}), function],
            },
        )
        await app.aclose()
        told = await scrape(client)

    ours = [record for record in caplog.records if record.name.startswith("adapter")]
    for formatter in (JsonFormatter(), TextFormatter()):
        assert CANARY not in "\n".join(formatter.format(record) for record in ours)
    assert ours
    assert CANARY not in told.text
    spans_of_ours = [
        span.to_json()
        for span in spans.get_finished_spans()
        if span.instrumentation_scope is not None
        and span.instrumentation_scope.name == "responses-adapter"
    ]
    assert spans_of_ours
    assert CANARY not in "\n".join(spans_of_ours)
