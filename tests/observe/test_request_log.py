"""One line for each request, with its id, and the forms in which lines are written."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from adapter.observe.exchange import request_id
from adapter.observe.log_format import (
    JsonFormatter,
    RequestIdFilter,
    TextFormatter,
    log_config,
    make_formatter,
)
from adapter.observe.request_log import RequestLine
from tests.asgi.conftest import Stand, Start
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST, read_stream
from tests.observe.conftest import REQUESTS
from tests.servers.answers import Answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


class Lines(logging.Handler):
    """Keeps lines as a formatter writes them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def requests(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.lines]
        return [line for line in lines if line["logger"] == REQUESTS]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines of the adapter, as JSON."""
    handler = Lines(JsonFormatter())
    logger = logging.getLogger("adapter")
    logger.addHandler(handler)
    logging.getLogger(REQUESTS).setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


async def test_a_request_has_one_line(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, lines: Lines
) -> None:
    start()
    upstream.reply(text_answer("Hello there"))

    stream = await read_stream(client, headers={"x-request-id": "mine"}, my_secret_field=1)

    (line,) = lines.requests
    assert line["request_id"] == "mine"
    assert stream.answer.headers["x-request-id"] == "mine"
    assert (line["method"], line["endpoint"], line["status"]) == ("POST", "/responses", 200)
    assert (line["outcome"], line["route"]) == ("completed", "default")
    assert (line["tokens_in"], line["tokens_out"]) == (7, 5)
    assert line["events"] == len(stream.events)
    assert line["response"] == stream.events[-1]["response"]["id"]
    assert line["dropped"] == ["*"]
    assert line["ms"] >= line["first_event_ms"] > 0
    assert line["upstream_ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


async def test_every_line_of_a_request_has_its_id(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, lines: Lines
) -> None:
    logging.getLogger("adapter").setLevel(logging.DEBUG)
    try:
        start()
        upstream.reply(Answer(500))
        answer = await client.post("/v1/responses", json=REQUEST | {"my_field": 1})
    finally:
        logging.getLogger("adapter").setLevel(logging.NOTSET)

    (request,) = lines.requests
    assert request["error"]
    assert request["status"] == answer.status_code
    ids = {json.loads(line).get("request_id") for line in lines.lines}
    assert ids == {answer.headers["x-request-id"]}


async def test_a_response_on_a_websocket_has_a_line_with_the_id_of_the_handshake(
    start: Start, stand: Stand, upstream: ScriptedUpstream, lines: Lines
) -> None:
    start()
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url, headers={"x-request-id": "mine"}) as socket:
        await socket.create()
        await socket.turn()
        await socket.send({"type": "response.create", "model": 7})
        await socket.until("error")

    first, second = lines.requests[:2]
    assert (first["transport"], first["outcome"], first["status"]) == (
        "websocket",
        "completed",
        200,
    )
    assert (second["outcome"], second["status"]) == ("refused", 400)
    assert {line["request_id"] for line in lines.requests} == {"mine"}


async def test_without_the_level_there_are_no_lines(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, lines: Lines
) -> None:
    logging.getLogger(REQUESTS).setLevel(logging.WARNING)
    start()
    upstream.reply(text_answer("Hello"))

    await client.post("/v1/responses", json=REQUEST)

    assert lines.lines == []


def test_text_is_for_people() -> None:
    token = request_id.set("req_1")
    try:
        facts = {"method": "POST", "endpoint": "/responses", "status": 200, "outcome": "completed"}
        line = RequestLine({**facts, "ms": 12.5, "dropped": ("top_k", "seed")})
        plain = TextFormatter().format(line)
        coloured = TextFormatter(colours=True).format(line)
    finally:
        request_id.reset(token)

    said = "POST /responses 200 completed ms=12.5 dropped=top_k,seed"
    assert re.fullmatch(rf"\d\d:\d\d:\d\d info     {said} \[req_1\]", plain)
    assert said in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_other_lines_say_who_speaks() -> None:
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "%s!", ("Oh",), None)

    assert TextFormatter().format(record).endswith("warning  uvicorn: Oh!")
    assert json.loads(JsonFormatter().format(record))["message"] == "Oh!"


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_exceptions_are_shown(formatter: logging.Formatter) -> None:
    error = ValueError("broken")
    info = (ValueError, error, None)
    record = logging.LogRecord("adapter.x", logging.ERROR, "", 0, "Oh", None, info)

    assert "ValueError: broken" in formatter.format(record)
    assert len(JsonFormatter().format(record).splitlines()) == 1


@pytest.mark.parametrize(("log_format", "kind"), [("json", JsonFormatter), ("text", TextFormatter)])
def test_a_format_is_what_it_says(log_format: Any, kind: type) -> None:
    assert isinstance(make_formatter(log_format), kind)


def test_lines_of_libraries_begin_at_warning() -> None:
    config = log_config("json", "trace")

    assert config["root"]["level"] == "WARNING"
    assert config["loggers"]["adapter"]["level"] == "DEBUG"


def test_other_formats_can_have_the_id() -> None:
    record = logging.LogRecord("adapter", logging.INFO, "", 0, "Hello", None, None)
    token = request_id.set("req_2")
    try:
        RequestIdFilter().filter(record)
    finally:
        request_id.reset(token)

    assert logging.Formatter("%(request_id)s %(message)s").format(record) == "req_2 Hello"
