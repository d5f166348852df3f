"""What is stored of a request for another process, and what keeps it from being stored at all."""

import json
from typing import Any

import pytest

from adapter.background.handover import read_handover, to_handover

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
MCP = {"type": "mcp", "server_label": "s", "server_url": "https://host/mcp"}
ADDRESS = "http://user:password@host/v1"


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": "Hi", "background": True, **fields}).encode()


@pytest.mark.parametrize(
    ("request_body", "sent"),
    [
        pytest.param(body(), (), id="plain"),
        pytest.param(body(tools=[FUNCTION]), (), id="a function"),
        pytest.param(body(input="my authorization and headers"), (), id="words"),
        pytest.param(body(), ("openai-organization", "traceparent"), id="headers that are known"),
    ],
)
def test_request_without_secrets_can_be_handed_over(request_body: bytes, sent: Any) -> None:
    headers = {
        "openai-organization": "org",
        "traceparent": "00-1-2-01",
        "authorization": "Bearer k",
    }
    handover = to_handover(request_body, headers, sent, ADDRESS)

    assert handover is not None
    stored = handover.encode()
    again = read_handover(stored)
    assert bytes(again.body) == request_body
    assert again.headers == {"openai-organization": "org"}
    assert again.begun == 1
    assert again.upstream == handover.upstream
    assert b"Bearer" not in stored
    assert b"password" not in stored


@pytest.mark.parametrize(
    ("request_body", "sent"),
    [
        pytest.param(body(), ("authorization",), id="the key of the client"),
        pytest.param(body(), ("x-own",), id="a header of its own"),
        pytest.param(body(tools=[MCP]), (), id="an address"),
        pytest.param(body(tools=[MCP | {"authorization": "x"}]), (), id="authorization"),
        pytest.param(
            body(tools=[{"type": "mcp", "connector_id": "c", "headers": {"a": "b"}}]),
            (),
            id="headers",
        ),
        pytest.param(
            body(tools=[{"type": "namespace", "name": "n", "tools": [MCP]}]),
            (),
            id="in a namespace",
        ),
        pytest.param(
            body(input=[{"type": "additional_tools", "role": "developer", "tools": [MCP]}]),
            (),
            id="in the input",
        ),
        pytest.param(
            body(tools=["T"]).replace(b'"T"', b'{"type":"mcp","\\u0061uthorization":"x"}'),
            (),
            id="spelled otherwise",
        ),
    ],
)
def test_request_with_a_secret_stays_in_its_process(request_body: bytes, sent: Any) -> None:
    assert to_handover(request_body, {"authorization": "Bearer k"}, sent, ADDRESS) is None
