"""Own API keys: who is let in, what for, and that a key ends at the gate."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from adapter.asgi.access.hashes import new_key, to_scrypt, to_sha256
from adapter.asgi.app import make_sidecar
from tests.asgi.conftest import Stand
from tests.asgi.many_routes import Put, other, put, route
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST
from tests.servers.answers import MODEL, json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

__all__ = ["other", "put"]  # fixtures
pytestmark = pytest.mark.anyio

ALICE, BOB = "sk-ra-alice-0123456789", "sk-ra-bob-0123456789"
HASHES = (f"alice={to_sha256(ALICE.encode())}", f"bob={to_sha256(BOB.encode())}")


def bearer(key: str | bytes) -> dict[str, Any]:
    raw = key if isinstance(key, bytes) else key.encode()
    return {"authorization": b"Bearer " + raw}


@pytest.fixture
def sidecar(put: Put, upstream: ScriptedUpstream) -> Callable[..., Any]:
    """Put up a sidecar that wants one of two keys."""

    def start(**options: Any) -> Any:
        upstream.always(text_answer("Hello"))
        given = {"api_keys": HASHES, "dialect": "generic", "store": "memory:", **options}
        return put(make_sidecar, upstream=upstream.url, **given)

    return start


async def ask(client: httpx2.AsyncClient, headers: Any = None, **fields: Any) -> httpx2.Response:
    return await client.post("/v1/responses", json=REQUEST | fields, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        bearer(ALICE),
        {"authorization": f"bearer  {ALICE}"},
        {"api-key": ALICE},
        {"x-api-key": ALICE},
        {"x-api-key": ALICE, "authorization": "Basic YTpi"},
    ],
)
async def test_key_lets_in_and_is_shown_to_no_upstream(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, headers: Any
) -> None:
    sidecar(forward_headers=["authorization", "api-key", "x-api-key"])

    answer = await ask(client, headers)
    passed = await client.post(
        "/v1/chat/completions", json={"model": "m", "messages": []}, headers=headers
    )

    assert (answer.status_code, passed.status_code) == (200, 200)
    for request in upstream.requests:
        assert not {"authorization", "api-key", "x-api-key"} & request.headers.keys()
        assert ALICE not in str(request.headers)


async def test_key_of_the_route_goes_upstream_instead(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    sidecar(upstream_api_key="sk-upstream")

    await ask(client, bearer(ALICE))
    await client.get("/v1/models", headers=bearer(ALICE))

    assert [request.headers["authorization"] for request in upstream.requests] == [
        "Bearer sk-upstream"
    ] * 2


REFUSED = [
    pytest.param({}, id="none"),
    pytest.param({"authorization": ""}, id="empty"),
    pytest.param({"authorization": "Bearer"}, id="no-credential"),
    pytest.param({"authorization": ALICE}, id="no-scheme"),
    pytest.param({"authorization": f"Basic {ALICE}"}, id="other-scheme"),
    pytest.param(bearer("sk-wrong"), id="wrong"),
    pytest.param(bearer(ALICE[:-1]), id="cut"),
    pytest.param(bearer(ALICE + "x"), id="longer"),
    pytest.param(bearer(ALICE.upper()), id="upper-case"),
    pytest.param(bearer(f"{ALICE} {ALICE}"), id="twice"),
    pytest.param(bearer("k" * 40_000), id="oversized"),
    pytest.param(bearer("schlüssel"), id="utf-8"),
    pytest.param(bearer(b"\xff\xfe"), id="no-utf-8"),
    pytest.param(bearer(to_sha256(ALICE.encode())), id="hash-itself"),
    pytest.param({":key": "alice", ":key-owner": "alice"}, id="name-of-ours"),
    pytest.param({"x-api-key": "wrong", **bearer("wrong")}, id="two-wrong"),
    pytest.param({"x-api-key": ALICE, **bearer("wrong")}, id="the-first-counts"),
]
PATHS = [
    ("POST", "/v1/responses"),
    ("POST", "/v1/responses/compact"),
    ("POST", "/v1/responses/input_tokens"),
    ("GET", "/v1/responses/resp_1"),
    ("DELETE", "/v1/responses/resp_1"),
    ("POST", "/v1/responses/resp_1/cancel"),
    ("POST", "/v1/conversations"),
    ("GET", "/v1/conversations/conv_1"),
    ("PUT", "/v1/responses"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/health"),
    ("GET", "/metrics"),
    ("GET", "/health/../metrics"),
    ("GET", "/health%2f..%2fmetrics"),
    ("GET", "/"),
    ("OPTIONS", "/v1/responses"),
]


@pytest.mark.parametrize("headers", [each for each in REFUSED if each.id != "name-of-ours"])
async def test_what_is_no_key_is_a_401(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, headers: Any
) -> None:
    sidecar()

    answer = await ask(client, headers)

    error = answer.json()["error"]
    assert answer.status_code == 401
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")
    assert answer.headers["x-request-id"]
    assert upstream.requests == []
    assert ALICE not in answer.text


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_no_path_is_open_without_a_key(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, method: str, path: str
) -> None:
    sidecar()

    answer = await client.request(method, path)

    assert answer.status_code == 401
    assert upstream.requests == []


@pytest.mark.parametrize("path", ["/health", "/ping"])
async def test_health_of_the_upstream_is_open(
    sidecar: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream, path: str
) -> None:
    upstream.always(json_answer(200, {"status": "ok"}), to=path)
    sidecar()

    assert (await client.get(path, headers=bearer(ALICE))).json() == {"status": "ok"}
    assert (await client.get(path)).json() == {"status": "ok"}
    assert ALICE not in str(upstream.requests[0].headers)


async def raw_status(stand: Stand, *lines: bytes) -> bytes:
    """Return the status line of the answer to what no client library would send."""
    host, _, port = stand.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"\r\n".join([b"GET /v1/models HTTP/1.1", b"host: a", *lines, b"", b""]))
        async with asyncio.timeout(5):
            return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        pytest.param([b"authorization: Bearer a\0b"], b"400", id="nul"),
        pytest.param([b":key: alice", b":key-owner: alice"], b"400", id="name-of-ours"),
        pytest.param([b"authorization: Bearer a", b"authorization: Bearer b"], b"401", id="two"),
        pytest.param([b"authorization: Bearer \xff"], b"401", id="bytes"),
        pytest.param([b"x-%d: 1" % number for number in range(300)], b"431", id="many"),
        pytest.param([b"x-a: " + b"a" * 50_000] * 2, b"431", id="long"),
    ],
)
async def test_hostile_head_is_refused(
    sidecar: Any, stand: Stand, upstream: ScriptedUpstream, lines: list[bytes], status: bytes
) -> None:
    sidecar()

    line = await raw_status(stand, *lines)

    assert line.split()[1] == status
    assert upstream.requests == []


async def test_what_is_stored_belongs_to_the_owner_of_the_key(
    sidecar: Any, client: httpx2.AsyncClient
) -> None:
    sidecar()
    id = (await ask(client, bearer(ALICE))).json()["id"]
    conversation = (await client.post("/v1/conversations", headers=bearer(ALICE))).json()["id"]

    for path in (f"/v1/responses/{id}", f"/v1/conversations/{conversation}"):
        assert (await client.get(path, headers=bearer(ALICE))).status_code == 200
        assert (await client.get(path, headers=bearer(BOB))).status_code == 404
    goes_on = await ask(client, bearer(BOB), previous_response_id=id)
    assert goes_on.json()["error"]["code"] == "previous_response_not_found"


async def test_keys_of_one_owner_share_what_is_stored(
    sidecar: Any, client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(
        f'[keys.one]\nhash = "{to_sha256(b"one-key")}"\nowner = "team"\n'
        f'[keys.two]\nhash = "{to_sha256(b"two-key")}"\nowner = "team"\n'
    )
    sidecar(api_keys_file=str(file))
    id = (await ask(client, bearer("one-key"))).json()["id"]

    assert (await client.get(f"/v1/responses/{id}", headers=bearer("two-key"))).is_success
    assert (await client.get(f"/v1/responses/{id}", headers=bearer(ALICE))).status_code == 404


async def test_header_of_a_gateway_divides_what_a_key_owns(
    sidecar: Any, client: httpx2.AsyncClient
) -> None:
    sidecar(owner_header="x-tenant")
    id = (await ask(client, {**bearer(ALICE), "x-tenant": "a"})).json()["id"]
    path = f"/v1/responses/{id}"

    assert (await client.get(path, headers={**bearer(ALICE), "x-tenant": "a"})).is_success
    assert (await client.get(path, headers={**bearer(ALICE), "x-tenant": "b"})).status_code == 404
    assert (await client.get(path, headers={**bearer(BOB), "x-tenant": "a"})).status_code == 404
    assert (await client.get(path, headers=bearer(ALICE))).status_code == 401


@pytest.fixture
def limited(sidecar: Any, tmp_path: Path) -> Callable[..., Any]:
    """Put up a sidecar with a key for some models."""

    def start(table: str = 'models = ["small-*", "fast"]', **options: Any) -> Any:
        file = tmp_path / "keys.toml"
        file.write_text(f'[keys.carol]\nhash = "{to_sha256(b"carol-key")}"\n{table}\n')
        return sidecar(api_keys_file=str(file), **options)

    return start


CAROL = bearer("carol-key")


@pytest.mark.parametrize(
    ("model", "status"), [("small-1", 200), ("fast", 200), ("large", 404), ("x/small-1", 404)]
)
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
async def test_key_may_ask_only_its_models(
    limited: Any, client: httpx2.AsyncClient, model: str, status: int, path: str
) -> None:
    limited()
    body = {"model": model, "input": "Hi", "messages": []}

    answer = await client.post(path, json=body, headers=CAROL)

    assert answer.status_code == status
    if status == 404:
        assert answer.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b'{"messages": []}', 400),
        ("POST", "/v1/chat/completions", b'{"model": 5}', 400),
        ("POST", "/v1/chat/completions", b'["small-1"]', 400),
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b"\xff", 400),
        ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
        ("POST", "/v1/chat/completions", b'{"model": "small-1", "model": "large"}', 404),
        ("POST", "/v1/load_lora_adapter", b'{"model": "small-1"}', 403),
        ("POST", "/v1beta/models/large:generateContent", b'{"model": "small-1"}', 403),
        ("POST", "/sleep", b"", 403),
        ("DELETE", "/v1/files/1", b"", 403),
    ],
)
async def test_limited_key_passes_on_only_what_names_its_model(
    limited: Any,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    method: str,
    path: str,
    body: bytes,
    status: int,
) -> None:
    limited()

    answer = await client.request(method, path, content=body, headers=CAROL)

    assert answer.status_code == status
    assert upstream.requests == []


async def test_body_that_names_two_models_goes_on_with_the_one_that_was_checked(
    limited: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    limited()
    body = b'{"model": "large", "mod\\u0065l": "small-1", "messages": []}'

    await client.post("/v1/chat/completions", content=body, headers=CAROL)

    assert upstream.requests[0].body == b'{"model":"small-1","messages":[]}'


async def test_list_of_models_has_those_that_the_key_may_ask(
    limited: Any, client: httpx2.AsyncClient, put: Put, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "keys.toml"
    limited(f'models = ["fast", "a/{MODEL}"]')
    aliases = {"fast": MODEL, "slow": MODEL}
    put(make_sidecar, api_keys_file=str(file), routes={"a": route(upstream, aliases=aliases)})

    listed = (await client.get("/v1/models", headers=CAROL)).json()

    assert {model["id"] for model in listed["data"]} == {f"a/{MODEL}", "fast"}


@pytest.mark.parametrize(("days", "status"), [(1, 200), (-1, 401)])
@pytest.mark.parametrize("form", ["{:%Y-%m-%d}", "{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%dT%H:%M:%SZ}"])
async def test_expired_key_is_no_key(
    limited: Any, client: httpx2.AsyncClient, days: int, status: int, form: str
) -> None:
    moment = datetime.now(UTC) + timedelta(days=days * 2)
    limited(f"expires = {form.format(moment)}")

    answer = await ask(client, CAROL)

    assert answer.status_code == status
    if status == 401:
        assert "expired" in answer.json()["error"]["message"]


async def test_key_with_a_slow_hash_is_a_key_too(sidecar: Any, client: httpx2.AsyncClient) -> None:
    sidecar(api_keys=(*HASHES, f"dave={to_scrypt(b'hunter2')}"))

    statuses = [(await ask(client, bearer(key))).status_code for key in ("hunter2",) * 2]

    assert statuses == [200, 200]
    assert (await ask(client, bearer("hunter3"))).status_code == 401


async def test_new_key_is_of_use(sidecar: Any, client: httpx2.AsyncClient) -> None:
    key = new_key()
    sidecar(api_keys=(f"new={to_sha256(key.encode())}",))

    assert (await ask(client, bearer(key))).status_code == 200


async def test_websocket_wants_a_key(sidecar: Any, stand: Stand) -> None:
    sidecar()

    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(stand.url):
            pass
    async with open_socket(stand.url, headers={"authorization": f"Bearer {ALICE}"}) as socket:
        response = await socket.ask()

    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(refused.value.response.body)["error"]["code"] == "invalid_api_key"
    assert response["status"] == "completed"


async def test_websocket_is_held_to_the_models_of_its_key(limited: Any, stand: Stand) -> None:
    limited()

    async with open_socket(stand.url, headers={"authorization": "Bearer carol-key"}) as socket:
        refused = await socket.refused(model="large")
        response = await socket.ask(model="fast")

    assert refused["error"]["code"] == "model_not_found"
    assert response["status"] == "completed"


async def test_mounted_app_wants_a_key_for_its_own_paths(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello"))
    put(api_keys=HASHES, upstream=upstream.url)

    assert (await ask(client)).status_code == 401
    assert (await ask(client, bearer(BOB))).status_code == 200
    assert (await client.get("/elsewhere")).status_code == 404


@pytest.mark.parametrize("key", [ALICE, "sk-ra-wrong-0123456789", "k" * 2000])
async def test_no_key_is_logged_or_answered(
    sidecar: Any,
    client: httpx2.AsyncClient,
    stand: Stand,
    caplog: pytest.LogCaptureFixture,
    key: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    sidecar(api_keys=(*HASHES, f"dave={to_scrypt(b'hunter2')}"))

    answers = [
        await ask(client, bearer(key)),
        await client.get("/v1/models", headers={"x-api-key": key}),
        await client.get("/v1/responses/resp_1", headers={"api-key": key}),
    ]
    with suppress(InvalidStatus):
        async with open_socket(stand.url, headers={"authorization": f"Bearer {key}"}) as socket:
            await socket.ask()

    # What servers and clients write at this level is theirs; of ours, `serve` masks it.
    lines = [line.getMessage() for line in caplog.records if line.name.startswith("adapter")]
    said = "".join(lines) + "".join(str(answer.headers) + answer.text for answer in answers)
    assert key not in said
    assert HASHES[0].partition(":")[2] not in said
