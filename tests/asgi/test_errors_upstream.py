"""What an upstream says when it refuses or fails, and what becomes of it: status, type, code, text.

Source: sheet §8; the bodies are those of `observed.md` §3 and `reported.md` §3.2.
"""

from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.asgi.streams import REQUEST
from tests.servers.answers import Answer, Hang, json_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

BAD = "invalid_request_error"
SERVER = "server_error"
OVERFLOW = "This model's maximum context length is 4096 tokens. However, you requested 5000."


def text(status: int, body: str, content_type: str = "text/plain") -> Answer:
    return Answer(status, {"content-type": content_type}, [body.encode()])


def error(status: int, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    return json_answer(status, {"error": {"message": "No.", "type": "t", **fields}}, headers)


CASES = [
    # the answer, and then status, type, code, param and message of ours
    pytest.param(error(400), (400, BAD, None, None, "No."), id="400"),
    pytest.param(
        error(400, param="tools[0]", code="bad_tool"),
        (400, BAD, "bad_tool", "tools[0]", "No."),
        id="400-with-param-and-code",
    ),
    pytest.param(error(400, code=400), (400, BAD, None, None, "No."), id="number-as-code"),
    pytest.param(
        error(401, code="invalid_api_key"), (401, BAD, "invalid_api_key", None, "No."), id="401"
    ),
    pytest.param(
        json_answer(401, {"error": "Unauthorized"}),
        (401, BAD, "invalid_api_key", None, "Unauthorized"),
        id="401-as-string-of-vllm",
    ),
    pytest.param(error(403), (403, BAD, None, None, "No."), id="403"),
    pytest.param(error(404), (404, BAD, "model_not_found", None, "No."), id="404"),
    pytest.param(
        json_answer(404, {"object": "error", "message": "No model m.", "code": 404}),
        (404, BAD, "model_not_found", None, "No model m."),
        id="404-as-object-error",
    ),
    pytest.param(error(409), (409, BAD, None, None, "No."), id="409"),
    pytest.param(
        json_answer(422, {"detail": "Unprocessable"}),
        (422, BAD, None, None, "Unprocessable"),
        id="detail-as-text",
    ),
    pytest.param(
        json_answer(422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}),
        (422, BAD, None, None, "Field required (body.messages)"),
        id="detail-as-list-of-fastapi",
    ),
    pytest.param(
        error(429), (429, "too_many_requests", "rate_limit_exceeded", None, "No."), id="429"
    ),
    pytest.param(error(500), (502, SERVER, SERVER, None, "No."), id="500"),
    pytest.param(error(502), (502, SERVER, SERVER, None, "No."), id="502"),
    pytest.param(error(503), (503, SERVER, SERVER, None, "No."), id="503"),
    pytest.param(error(504), (504, SERVER, SERVER, None, "No."), id="504"),
    pytest.param(error(529), (502, SERVER, SERVER, None, "No."), id="529"),
    pytest.param(error(599), (502, SERVER, SERVER, None, "No."), id="599"),
    pytest.param(error(201), (502, SERVER, SERVER, None, "No."), id="201"),
    pytest.param(
        json_answer(400, {"error": {"message": OVERFLOW}}),
        (400, BAD, "context_length_exceeded", None, OVERFLOW),
        id="overflow-of-vllm",
    ),
    pytest.param(
        json_answer(500, {"error": {"message": "too long", "type": "exceed_context_size_error"}}),
        (400, BAD, "context_length_exceeded", None, "too long"),
        id="overflow-of-llama.cpp-as-500",
    ),
    pytest.param(
        json_answer(413, {"object": "error", "message": OVERFLOW}),
        (400, BAD, "context_length_exceeded", None, OVERFLOW),
        id="overflow-as-413",
    ),
    pytest.param(text(400, "Bad input"), (400, BAD, None, None, "Bad input"), id="text"),
    pytest.param(
        text(400, "<!doctype html><h1>Bad Request</h1>", "text/html"),
        (
            400,
            BAD,
            None,
            None,
            "The upstream answered 400 without an error message.",
        ),
        id="html-400",
    ),
    pytest.param(
        text(502, "<html>Bad Gateway</html>", "text/html"),
        (
            502,
            SERVER,
            SERVER,
            None,
            "The upstream answered 502 without an error message.",
        ),
        id="html-502",
    ),
    pytest.param(
        text(404, "<html>Not Found</html>", "text/html"),
        (
            502,
            SERVER,
            SERVER,
            None,
            "The upstream has no chat completions at this address (status 404). "
            "Check the base URL.",
        ),
        id="html-404",
    ),
    pytest.param(
        Answer(400),
        (
            400,
            BAD,
            None,
            None,
            "The upstream answered 400 without an error message.",
        ),
        id="empty-400",
    ),
    pytest.param(
        Answer(500),
        (
            502,
            SERVER,
            SERVER,
            None,
            "The upstream answered 500 without an error message.",
        ),
        id="empty-500",
    ),
    pytest.param(
        json_answer(400, {}),
        (400, BAD, None, None, "{}"),
        id="empty-object",
    ),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("answer", "expected"), CASES)
async def test_refusal_keeps_what_a_client_can_use(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    answer: Answer,
    expected: tuple[Any, ...],
    stream: bool,
) -> None:
    start(start_grace=60)
    upstream.always(answer)

    said = await client.post("/v1/responses", json=REQUEST | {"stream": stream})

    error = said.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    found = (said.status_code, error["type"], error["code"], error["param"], error["message"])
    assert found == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Retry-After", "7"),
        ("retry-after-ms", "700"),
        ("Retry-After", "Fri, 20 Nov 2026 08:00 GMT"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_kept(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    status: int,
    name: str,
    value: str,
) -> None:
    start()
    upstream.reply(error(status, headers={name: value}))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == status
    assert answer.headers[name] == value


@pytest.mark.parametrize("value", ["\xe2\x98\x83", "\xff", "\x80\x81"])
async def test_retry_after_of_odd_bytes_does_no_harm(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, value: str
) -> None:
    start()
    upstream.reply(error(429, headers={"retry-after": value}))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


async def test_other_headers_of_an_error_are_not_passed_on(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(error(400, headers={"set-cookie": "a=b", "x-internal": "host-7"}))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.headers.keys() == {
        "date",
        "server",
        "content-type",
        "content-length",
        "x-request-id",
    }


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(error(400, message="x" * 41_000), id="json"),
        pytest.param(text(400, "x" * 41_000), id="text"),
        pytest.param(json_answer(422, {"detail": [{"msg": "x" * 41_000}]}), id="detail"),
    ],
)
async def test_long_message_is_cut(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, answer: Answer
) -> None:
    """SGLang's validation errors are 41 KB, with its file paths."""
    start()
    upstream.reply(answer)

    said = await client.post("/v1/responses", json=REQUEST)

    assert said.status_code == answer.status
    assert 900 < len(said.json()["error"]["message"]) <= 1001


async def test_endless_error_body_is_not_read_to_its_end(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(Answer(400, {"content-type": "text/plain"}, [b"x" * 65536] * 10 + [Hang()]))

    answer = await client.post("/v1/responses", json=REQUEST)
    await (await upstream.request(0)).disconnected.wait()

    assert answer.status_code == 400


async def test_refused_connection_is_a_502_that_says_where(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    await upstream.__aexit__(None, None, None)

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 502
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == (SERVER, SERVER)
    assert upstream.url.removeprefix("http://").removesuffix("/v1") in error["message"]
