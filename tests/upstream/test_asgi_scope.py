"""The scope of the chat request is the client's own, with another request in it."""

from typing import Any

import pytest

from adapter.upstream.asgi_scope import DEFAULT_SCOPE, chat_scope

CLIENT: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "2",
    "method": "POST",
    "scheme": "https",
    "path": "/v1/responses",
    "raw_path": b"/v1/responses",
    "query_string": b"debug=1",
    "root_path": "",
    "headers": [(b"host", b"api.example"), (b"cookie", b"a=b"), (b"accept-encoding", b"gzip")],
    "client": ("10.0.0.7", 4711),
    "server": ("10.0.0.1", 443),
    "state": {"engine": "engine"},
    "extensions": {"tls": {"tls_version": 772}, "http.response.pathsend": {}},
    "app": "app",
}


def test_scope_is_a_post_of_the_body_to_the_chat_route() -> None:
    scope = chat_scope(CLIENT, "/v1", b"{}", {"authorization": "Bearer key"})

    assert scope == CLIENT | {
        "path": "/v1/chat/completions",
        "raw_path": b"/v1/chat/completions",
        "query_string": b"",
        "headers": [
            (b"host", b"api.example"),
            (b"accept", b"text/event-stream, application/json"),
            (b"accept-encoding", b"identity"),
            (b"content-type", b"application/json"),
            (b"content-length", b"2"),
            (b"authorization", b"Bearer key"),
        ],
        "extensions": {"tls": {"tls_version": 772}},
    }


def test_own_headers_cannot_be_replaced() -> None:
    given = {"content-length": "99", "host": "evil", "x-one": "é"}
    scope = chat_scope(CLIENT, "/v1", b"{}", given)

    assert dict(scope["headers"])[b"content-length"] == b"2"
    assert dict(scope["headers"])[b"host"] == b"api.example"
    assert dict(scope["headers"])[b"x-one"] == b"\xe9"


def test_state_is_copied_and_the_rest_of_the_client_scope_untouched() -> None:
    before = {name: value for name, value in CLIENT.items() if name != "state"}
    scope = chat_scope(CLIENT, "/v1", b"{}", {})
    scope["state"]["request_id"] = 1
    scope["path"] = "/elsewhere"

    assert before | {"state": {"engine": "engine"}} == CLIENT


@pytest.mark.parametrize(
    ("root_path", "path", "prefix", "expected"),
    [
        pytest.param("", "/v1/responses", "/v1", "/v1/chat/completions", id="no mount"),
        pytest.param("/api", "/api/v1/responses", "/v1", "/api/v1/chat/completions", id="mount"),
        pytest.param("/api", "/v1/responses", "/v1", "/v1/chat/completions", id="server strips it"),
        pytest.param("/v", "/v1/responses", "/v1", "/v1/chat/completions", id="begins alike"),
        pytest.param("/a b", "/a b/x", "", "/a b/chat/completions", id="no prefix"),
    ],
)
def test_route_is_found_behind_the_mount_point(
    root_path: str, path: str, prefix: str, expected: str
) -> None:
    client = CLIENT | {"root_path": root_path, "path": path}
    scope = chat_scope(client, prefix, b"{}", {})

    assert scope["path"] == expected
    assert scope["raw_path"] == expected.replace(" ", "%20").encode()
    assert scope["root_path"] == root_path


def test_websocket_becomes_http() -> None:
    client = CLIENT | {"type": "websocket", "scheme": "wss", "subprotocols": []}
    del client["method"]
    scope = chat_scope(client, "/v1", b"{}", {})

    assert (scope["type"], scope["scheme"], scope["method"]) == ("http", "https", "POST")
    assert "subprotocols" not in scope


def test_request_from_nowhere_has_what_every_app_may_ask_for() -> None:
    scope = chat_scope(DEFAULT_SCOPE, "/v1", b"{}", {})

    assert scope["path"] == "/v1/chat/completions"
    assert scope["headers"][0] == (b"host", b"127.0.0.1")
    assert {"client", "server", "scheme", "http_version", "root_path"} <= scope.keys()
