"""What is wrong with a request is said with the right status, code and parameter, as JSON.

Source: sheet §8 (bodies, statuses, codes); RFC 9110 §15.5 (405 with `allow`).
"""

from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Stand, Start
from tests.asgi.recorder import Recorder
from tests.asgi.streams import REQUEST
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

NOT_JSON = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut"),
    pytest.param(b"hello", id="text"),
    pytest.param(b'{"model": "m", "input": "Hi"', id="unclosed"),
    pytest.param(b'{"model": "m", "input": "Hi"} trailing', id="trailing"),
    pytest.param(b"{'model': 'm'}", id="single-quotes"),
    pytest.param(b'{"model": "m", "input": NaN}', id="nan"),
    pytest.param(b'\xff\xfe{"model": "m"}', id="utf-16"),
    pytest.param(b'{"model": "m", "input": "\xff"}', id="bytes-that-are-not-utf-8"),
    pytest.param(b'{"model": "m", "input": ' + b"[" * 100_000, id="deep"),
    pytest.param(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", id="gzip"),
]

WRONG = [
    # name, fields, code, param
    pytest.param({"model": None}, "missing_required_parameter", "model", id="null-model"),
    pytest.param({"model": ""}, "invalid_value", "model", id="empty-model"),
    pytest.param({"model": 5}, "invalid_type", "model", id="number-as-model"),
    pytest.param({"input": None}, "missing_required_parameter", "input", id="no-input"),
    pytest.param({"input": 5}, "invalid_type", "input", id="number-as-input"),
    pytest.param({"stream": "yes"}, "invalid_type", "stream", id="text-as-bool"),
    pytest.param({"temperature": "hot"}, "invalid_type", "temperature", id="text-as-number"),
    pytest.param(
        {"temperature": 3}, "decimal_above_max_value", "temperature", id="number-above-range"
    ),
    pytest.param(
        {"max_output_tokens": 0}, "integer_below_min_value", "max_output_tokens", id="below-range"
    ),
    pytest.param(
        {"reasoning": {"effort": "a lot"}}, "invalid_value", "reasoning.effort", id="unknown-value"
    ),
    pytest.param({"tools": {}}, "invalid_type", "tools", id="object-as-list"),
    pytest.param({"tools": [5]}, "invalid_type", "tools[0]", id="number-as-tool"),
    pytest.param(
        {"tools": [{"type": "function"}]},
        "missing_required_parameter",
        "tools[0].name",
        id="function-without-name",
    ),
    pytest.param(
        {"tools": [{"type": "teleport"}]}, "unsupported_value", "tools[0].type", id="unknown-tool"
    ),
    pytest.param(
        {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
        "missing_required_parameter",
        "input[0].content[0].text",
        id="part-without-text",
    ),
    pytest.param(
        {"input": [{"role": "user", "content": "a"}, {"role": 5, "content": "b"}]},
        "invalid_type",
        "input[1].role",
        id="number-as-role",
    ),
    pytest.param(
        {"previous_response_id": "resp_1"},
        "unsupported_parameter",
        "previous_response_id",
        id="no-store",
    ),
    pytest.param(
        {"metadata": {"key": 5}}, "invalid_type", "metadata[...]", id="number-as-metadata"
    ),
]


@pytest.mark.parametrize("body", NOT_JSON)
async def test_body_that_is_not_json_is_a_400(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, body: bytes
) -> None:
    start()

    answer = await client.post("/v1/responses", content=body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == (
        "invalid_request_error",
        "invalid_json",
        None,
    )
    assert upstream.requests == []


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null"])
async def test_body_that_is_no_object_is_a_400(
    start: Start, client: httpx2.AsyncClient, body: bytes
) -> None:
    start()

    answer = await client.post("/v1/responses", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_type"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("fields", "code", "param"), WRONG)
async def test_wrong_field_is_a_400_that_names_it(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    fields: dict[str, Any],
    code: str,
    param: str,
    stream: bool,
) -> None:
    start(start_grace=0)

    answer = await client.post("/v1/responses", json=REQUEST | {"stream": stream} | fields)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert param.partition("[...")[0] in error["message"]
    assert upstream.requests == []


async def test_missing_model_is_worded_as_openai_words_it(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start()

    answer = await client.post("/v1/responses", json={"input": "Hi"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "message": "Missing required parameter: 'model'.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "missing_required_parameter",
        }
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("POST", "/v1/response"),
        ("POST", "/v1/responses/extra/more"),
        ("POST", "/V1/RESPONSES"),
        ("POST", "/v2/responses"),
        ("POST", "/v1/chat/completions"),
        ("DELETE", "/v1/%F0%9F%98%80/%00"),
        ("OPTIONS", "/nothing"),
    ],
)
async def test_unknown_route_is_a_404_as_json(
    start: Start, client: httpx2.AsyncClient, method: str, path: str
) -> None:
    start()

    answer = await client.request(method, path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"] == "unknown_url"
    assert method in answer.json()["error"]["message"]


async def test_very_long_path_is_cut_in_the_message(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start()

    answer = await client.get("/" + "x" * 5000)

    assert answer.status_code == 404
    assert len(answer.json()["error"]["message"]) < 300


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_wrong_method_is_a_405_that_names_the_right_one(
    start: Start, client: httpx2.AsyncClient, method: str
) -> None:
    start()

    answer = await client.request(method, "/v1/responses")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_head_gets_the_headers_of_a_405_and_no_body(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start()

    answer = await client.head("/v1/responses")

    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/", "/responses"])
async def test_route_is_found_with_and_without_prefix_and_slash(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post(path, json=REQUEST)

    assert answer.status_code == 200


async def test_body_over_the_limit_is_a_413(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(max_body_bytes=1000)

    answer = await client.post("/v1/responses", json=REQUEST | {"input": "x" * 1000})

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"
    assert "1000 bytes" in answer.json()["error"]["message"]
    assert upstream.requests == []


async def test_body_at_the_limit_is_taken(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    body = b'{"model": "m", "input": "' + b"x" * 1000 + b'"}'
    start(max_body_bytes=len(body))
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", content=body)

    assert answer.status_code == 200


async def test_body_over_the_limit_without_a_length_is_a_413_before_it_is_whole(
    start: Start, client: httpx2.AsyncClient, stand: Stand
) -> None:
    recorder = stand.app = Recorder(start(max_body_bytes=1000))

    async def endless() -> Any:
        yield b" " * 1001
        await recorder.answered.wait()  # no more until it was refused
        yield b" "

    answer = await client.post("/v1/responses", content=endless())

    assert answer.status_code == 413


async def test_unknown_field_is_a_400_where_the_setting_says_so(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start(unknown_fields="reject")

    answer = await client.post("/v1/responses", json=REQUEST | {"wat": 1})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unknown_parameter"
    assert answer.json()["error"]["param"] == "wat"


async def test_errors_carry_the_request_id(start: Start, client: httpx2.AsyncClient) -> None:
    start()

    answer = await client.post("/v1/responses", content=b"", headers={"x-request-id": "mine"})

    assert answer.headers["x-request-id"] == "mine"
