"""Hostile and odd requests get a 4xx that names the parameter, or a defined answer: never a 500.

Each runs through the real app, with a model server in process that always says the same.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.types import Message

from adapter.asgi.app import ResponsesAPI
from adapter.config import Settings
from adapter.stream.grammar import check
from adapter.upstream.base import UpstreamAnswer
from tests.hostile.bodies import BODIES
from tests.hostile.fields import FIELDS
from tests.hostile.items import ITEMS
from tests.hostile.odd import ODD
from tests.hostile.tools import TOOLS

_ANSWER = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
_DONE = b"data: [DONE]\n\n"


class FakeAnswer:
    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield _ANSWER
        yield _DONE


class FakeUpstream:
    """Always says the same, and takes only JSON."""

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[UpstreamAnswer, None]:
        with suppress(RecursionError):  # JSON all the same
            json.loads(body.decode())
        yield FakeAnswer()

    async def aclose(self) -> None:
        """Nothing is open."""


class Answer:
    """What the app sent."""

    def __init__(self, messages: list[Message]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = dict(messages[0]["headers"])
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    def events(self) -> list[Any]:
        events = self.body.removesuffix(_DONE).decode().split("\n\n")[:-1]
        return [json.loads(event.partition("\ndata: ")[2]) for event in events]


def post(body: bytes) -> Answer:
    """Send a body to the app.

    Raises:
        TimeoutError: there was no whole answer within 5 seconds.
    """
    app = ResponsesAPI(FakeUpstream(), settings=Settings.load(environ={}, dialect="generic"))
    return asyncio.run(asyncio.wait_for(_post(app, body), 5))


async def _post(app: ResponsesAPI, body: bytes) -> Answer:
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": body}]

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()  # a client that stays
        return waiting.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/responses",
        "raw_path": b"/v1/responses",
        "root_path": "",
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    return Answer(sent)


def body_of(fields: Mapping[str, Any] | bytes, **more: Any) -> bytes:
    """Return a request that is in order but for these fields."""
    if isinstance(fields, bytes):
        return b'{"model": "tiny", "input": "Hi", %s%s}' % (
            fields,
            b"".join(b', "%s": %s' % (k.encode(), json.dumps(v).encode()) for k, v in more.items()),
        )
    return json.dumps({"model": "tiny", "input": "Hi", **fields, **more}).encode()


MISFITS = [pytest.param(*case, id=name) for name, *case in (*FIELDS, *ITEMS, *TOOLS)]
ODDITIES = [pytest.param(fields, id=name) for name, fields in ODD]


def test_there_are_enough_of_them() -> None:
    assert len(BODIES) + len(MISFITS) + len(ODDITIES) >= 220


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    answer = post(body)

    assert (answer.status, answer.headers[b"content-type"]) == (400, b"application/json")
    error = json.loads(answer.body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fields", "param"), MISFITS)
def test_a_parameter_at_fault_is_named(
    fields: Mapping[str, Any] | bytes, param: str, stream: bool
) -> None:
    answer = post(body_of(fields, stream=stream))

    error = json.loads(answer.body)["error"]
    assert (answer.status, error["param"]) == (400, param)
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert 0 < len(error["message"]) < 1000


# Where open JSON may stand.
PLACES = [
    b'"text": {"format": {"type": "json_schema", "name": "n", "schema": {"a": %s}}}',
    b'"response_format": {"type": "json_schema", "json_schema": {"schema": {"a": %s}}}',
    b'"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a": %s}},'
    b' {"type": "function_call_output", "call_id": "c", "output": ""}]',
    b'"input": [{"type": "shell_call", "call_id": "c", "action": {"a": %s}},'
    b' {"type": "shell_call_output", "call_id": "c", "output": [{"outcome": {"exit_code": 1}}]}]',
    b'"input": [{"type": "tool_search_output", "tools": [{"type": "web_search", "a": %s}]},'
    b' {"role": "user", "content": "Hi"}]',
    b'"tools": [{"type": "web_search", "a": %s}]',
    b'"tools": [{"type": "function", "name": "f", "parameters": {"a": %s}}]',
    b'"tools": [{"type": "function", "name": "f"}],'
    b' "tool_choice": {"type": "function", "name": "f", "a": %s}',
    b'"tools": [{"type": "function", "name": "f"}], "tool_choice":'
    b' {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f", "a": %s}]}',
    b'"seed": %s',
    b'"unheard_of": %s',
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_json_of_any_depth_is_answered_or_refused(place: bytes, stream: bool) -> None:
    """Where the stack ends depends on the caller, so the depths around it are all tried."""
    depths = [100, 150, *range(940, 1_000), 5_000]
    bodies = [place % (b"[" * depth + b"]" * depth) for depth in depths]

    assert {post(body_of(body, stream=stream)).status for body in bodies} <= {200, 400}


@pytest.mark.parametrize("fields", ODDITIES)
def test_an_odd_request_is_answered(fields: Mapping[str, Any] | bytes) -> None:
    answer = post(body_of(fields, stream=False))

    response = json.loads(answer.body)
    assert (answer.status, response.get("status")) == (200, "completed")
    assert response["output"][0]["content"][0]["text"] == "Hi"


@pytest.mark.parametrize("fields", ODDITIES)
def test_the_stream_of_an_odd_request_is_legal(fields: Mapping[str, Any] | bytes) -> None:
    answer = post(body_of(fields, stream=True))

    assert answer.status == 200
    assert check(answer.events()) == []
