"""What goes upstream with a request besides its body, and what comes back with the answer."""

from typing import Any

import httpx2
import pytest

from adapter.upstream.http import DEFAULT_USER_AGENT
from tests.asgi.conftest import Start
from tests.asgi.streams import REQUEST
from tests.servers.answers import text_answer
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def ask(
    client: httpx2.AsyncClient, upstream: ScriptedUpstream, headers: dict[str, str], **fields: Any
) -> Request:
    """Return the request as the upstream got it."""
    upstream.reply(text_answer("Hello"))
    answer = await client.post("/v1/responses", json=REQUEST | fields, headers=headers)
    assert answer.status_code == 200
    return upstream.requests[-1]


async def test_upstream_sees_no_header_that_is_not_ours_or_listed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()

    request = await ask(
        client,
        upstream,
        {
            "cookie": "session=1",
            "x-forwarded-for": "10.0.0.1",
            "x-forwarded-host": "inside",
            "forwarded": "for=10.0.0.1",
            "x-real-ip": "10.0.0.1",
            "x-api-key": "key",
            "api-key": "key",
            "proxy-authorization": "Basic a",
            "origin": "https://inside",
            "referer": "https://inside/page",
            "user-agent": "browser",
            "x-request-id": "mine",
            "connection": "x-custom",
            "x-custom": "1",
        },
    )

    assert request.headers == {
        "host": upstream.url.removeprefix("http://").removesuffix("/v1"),
        "user-agent": DEFAULT_USER_AGENT,
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }


async def test_authorization_of_the_client_is_passed_on(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()

    request = await ask(client, upstream, {"authorization": "Bearer theirs"})

    assert request.headers["authorization"] == "Bearer theirs"


async def test_configured_key_replaces_that_of_the_client(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(upstream_api_key="ours")

    given = await ask(client, upstream, {"authorization": "Bearer theirs"})
    none = await ask(client, upstream, {})

    assert given.headers["authorization"] == "Bearer ours"
    assert none.headers["authorization"] == "Bearer ours"


async def test_listed_headers_are_passed_on_by_default(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    headers = {
        "openai-organization": "org",
        "openai-project": "project",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }

    request = await ask(client, upstream, headers)

    assert headers.items() <= request.headers.items()


@pytest.mark.parametrize("listed", [["X-Tenant"], ["x-tenant"], ["x-tenant", "cookie"]])
async def test_setting_lists_the_headers_that_are_passed_on_in_any_case(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, listed: list[str]
) -> None:
    start(forward_headers=listed)
    headers = {"X-TENANT": "7", "traceparent": "t", "cookie": "a=b"}

    request = await ask(client, upstream, headers)

    assert request.headers["x-tenant"] == "7"
    assert "traceparent" not in request.headers
    assert request.headers.get("cookie") == ("a=b" if "cookie" in listed else None)


async def test_listed_header_cannot_change_what_the_request_is(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(forward_headers=["content-type", "accept"])

    request = await ask(client, upstream, {"content-type": "text/plain", "accept": "image/png"})

    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "text/event-stream, application/json"


@pytest.mark.parametrize("given", ["mine", "a-b_c.d:1", "x" * 200, "with blanks"])
async def test_request_id_of_the_client_is_given_back(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, given: str
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST, headers={"x-request-id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(b"x" * 201, id="long"),
        pytest.param("ünïcode".encode(), id="utf-8"),
        pytest.param(b"\xff\xfe", id="bytes"),
        pytest.param(b"a\tb", id="tab"),
    ],
)
async def test_request_without_a_sane_id_gets_a_new_one(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, given: bytes | None
) -> None:
    start()
    upstream.always(text_answer("Hello"))
    headers = [] if given is None else [(b"x-request-id", given)]

    ids = set()
    for _ in range(2):
        answer = await client.post("/v1/responses", json=REQUEST, headers=headers)
        ids.add(answer.headers["x-request-id"])

    assert len(ids) == 2
    assert all(len(each) == 52 and each.startswith("req_") for each in ids)


@pytest.mark.parametrize(
    "model",
    [
        "repo:provider",
        "org/model",
        "org/model:fastest",
        "/models/a b.gguf",
        "../../etc/passwd",
        "modèle-☃",
        'quo"te\\',
        "m" * 1000,
    ],
)
async def test_model_id_is_passed_on_untouched(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, model: str
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST | {"model": model})

    assert upstream.requests[0].json["model"] == model
    assert answer.json()["model"] == model


async def test_answer_names_what_was_dropped_and_adapted(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.always(text_answer("Hello"))
    body = REQUEST | {"tools": [{"type": "web_search"}], "shoe_size": 44}

    for stream in (True, False):
        answer = await client.post("/v1/responses", json=body | {"stream": stream})

        assert answer.headers["x-adapter-dropped"] == "shoe_size, tools[0]"


async def test_answer_says_nothing_of_a_request_that_was_sent_as_it_came(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.headers.keys() == {
        "date",
        "server",
        "content-type",
        "content-length",
        "x-request-id",
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a\r\nset-cookie: b=c", id="line-break"),
        pytest.param("a\x00b", id="nul"),
        pytest.param("naïve, ☃", id="beyond-ascii"),
        pytest.param("x" * 5000, id="long"),
        pytest.param("", id="empty"),
        pytest.param("a, b", id="comma"),
        pytest.param('"; DROP', id="quotes"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_field_names_cannot_write_into_the_report_header(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, name: str, stream: bool
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post("/v1/responses", json=REQUEST | {"stream": stream, name: 1})

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    dropped = answer.headers["x-adapter-dropped"]
    assert dropped.isascii()
    assert dropped.isprintable()
    assert len(dropped) <= 1100


async def test_many_dropped_fields_are_cut_in_the_header(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await client.post(
        "/v1/responses", json=REQUEST | {f"field_{number}": 1 for number in range(1000)}
    )

    dropped = answer.headers["x-adapter-dropped"]
    assert dropped.startswith("field_0, field_1, ")
    assert dropped.endswith(", ...")
    assert len(dropped) <= 1100
