"""What holds a secret is not shown, wherever it stands; what holds none is shown as it came."""

import json
from typing import Any

import pytest

from adapter.inspector.masking import (
    header_secrets,
    is_secret,
    mask_headers,
    mask_pieces,
    mask_request,
)

SECRET = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Proxy-Authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "client_secret",
        "password",
        "x-goog-api-key",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["prompt_cache_key", "token", "key", "max_output_tokens", "keys", "user", "model"]
)
def test_other_names_are_left_alone(name: str) -> None:
    """`token` stands in log probabilities, `key` in arguments."""
    assert not is_secret(name)


def test_only_values_of_known_headers_are_shown() -> None:
    """A gateway's own header may hold a secret under any name."""
    headers = [("Content-Type", "application/json"), ("x-gateway", SECRET), ("cookie", "a=b")]

    shown = mask_headers(headers)

    assert shown == [("Content-Type", "application/json"), ("x-gateway", "***"), ("cookie", "***")]


def test_secrets_of_headers_come_without_their_scheme() -> None:
    headers = [("authorization", f"Bearer {SECRET}"), ("x-api-key", "key-0123456789")]

    assert header_secrets(headers) == {SECRET.encode(), b"key-0123456789"}


def test_placeholders_are_no_secrets() -> None:
    assert header_secrets([("authorization", "Bearer none")]) == set()


MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example/mcp"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param({"authorization": SECRET}, {"authorization": "***"}, id="authorization"),
        pytest.param(
            {"headers": {"X-Anything": SECRET}}, {"headers": {"X-Anything": "***"}}, id="headers"
        ),
        pytest.param(
            {"server_url": f"https://user:{SECRET}@mcp.example/mcp"},
            {"server_url": "https://***@mcp.example/mcp"},
            id="user in the URL",
        ),
        pytest.param(
            {"server_url": f"https://mcp.example/mcp?a=1&api_key={SECRET}"},
            {"server_url": "https://mcp.example/mcp?a=1&api_key=***"},
            id="key in the URL",
        ),
    ],
)
def test_secrets_of_mcp_servers_are_masked(given: dict[str, Any], shown: dict[str, Any]) -> None:
    body = {"model": "m", "tools": [{**MCP, **given}]}

    masked, secrets = mask_request(json.dumps(body).encode())

    assert json.loads(masked) == {"model": "m", "tools": [{**MCP, **shown}]}
    assert any(SECRET.encode() in secret for secret in secrets)


def test_a_request_without_secrets_stays_byte_for_byte() -> None:
    body = (
        b'{ "model":"m",\n "input" : "my password is Swordfish", "prompt_cache_key": "a-b-c-d-e" }'
    )

    assert mask_request(body) == (body, set())


def test_schemas_may_describe_secrets() -> None:
    schema = {"type": "object", "properties": {"api_key": {"type": "string"}}}
    body = json.dumps({"tools": [{"type": "function", "parameters": schema}]}).encode()

    assert mask_request(body) == (body, set())


@pytest.mark.parametrize(
    "body",
    [
        b'{"tools": [{"authorization": "' + SECRET.encode() + b'", }]',
        b'{"tools": [{"headers": {"X-Anything": "' + SECRET.encode() + b'"}, }]',
        b'{"tools": [{"authorization": "' + SECRET.encode(),
    ],
)
def test_secrets_in_what_is_no_json_are_masked(body: bytes) -> None:
    masked, _ = mask_request(body)

    assert SECRET.encode() not in masked


def test_a_secret_is_found_across_borders() -> None:
    whole = f"the key {SECRET} is wrong".encode()
    pieces = [whole[place : place + 1] for place in range(len(whole))]

    masked = mask_pieces(pieces, {SECRET.encode()})

    assert b"".join(masked) == f"the key {'*' * len(SECRET)} is wrong".encode()
    assert [len(piece) for piece in masked] == [1] * len(whole)
