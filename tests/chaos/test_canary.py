"""Secrets of all kinds, in every way of asking: they are in nothing that we write, answer or keep.

Source: issue 8, "Secrets". The narrower tests (`tests/asgi/test_secrets.py`, `tests/state/test_canary.py`)
say where a secret was lost; this one looks everywhere at once.
"""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter import ResponsesAPI
from adapter.asgi.access.hashes import to_sha256
from adapter.config import Settings
from tests.asgi.sockets import open_socket
from tests.chaos.conftest import Bench
from tests.chaos.fault import Fault, good_chunks, streamed
from tests.servers.answers import (
    Answer,
    Eof,
    Reset,
    json_answer,
    stream_answer,
    text_answer,
    tool_answer,
)
from tests.servers.requests import Request

pytestmark = pytest.mark.anyio

# One for each place that a secret can come from; the name tells which was lost.
CLIENT_KEY = "canary-client-key-0123456789"
OWN_KEY = "sk-ra-canary-own-key-0123456789"
UPSTREAM_KEY = "canary-upstream-key-0123456789"
ROUTE_HEADER = "canary-route-header-0123456789"
MCP_AUTHORIZATION = "canary-mcp-authorization-0123456789"
MCP_HEADER = "canary-mcp-header-0123456789"
MCP_QUERY = "canary-mcp-query-0123456789"
SEALING_KEY = "canary-sealing-key-0123456789"
STORE_PASSWORD = "canary-store-password-0123456789"
COOKIE = "canary-cookie-0123456789"
PROMPT = "canary-prompt-0123456789"
ANSWER = "canary-answer-0123456789"
SECRETS = (
    CLIENT_KEY,
    OWN_KEY,
    UPSTREAM_KEY,
    ROUTE_HEADER,
    MCP_AUTHORIZATION,
    MCP_HEADER,
    MCP_QUERY,
    SEALING_KEY,
    STORE_PASSWORD,
    COOKIE,
)
CONTENT = (PROMPT, ANSWER)  # may be kept and answered, but not logged
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}", "cookie": f"session={COOKIE}"}
# The test's own clients; and uvicorn, whose WebSockets tell their handshake at DEBUG: what our own
# command does about that is for `tests/cli`.
NOT_OURS = ("httpx2", "httpcore2", "websockets", "uvicorn")


def quoting(request: Request) -> Answer:
    """Refuse as a server does that quotes what it was given."""
    return json_answer(401, {"error": {"message": f"Bad key: {request.headers['authorization']}"}})


REPLIES: dict[str, Any] = {
    "good": text_answer(ANSWER, reasoning="Hm"),
    "quoting": quoting,
    "down": Answer(503),
    "reset": Answer(before=[Reset()]),
    "cut": stream_answer(*good_chunks()[:3], Eof()),
    "garbage": streamed(b"data: {nope\n\n"),
}


def tool(url: str) -> dict[str, Any]:
    return {
        "type": "mcp",
        "server_label": "tools",
        "server_url": f"{url}?token={MCP_QUERY}",
        "authorization": MCP_AUTHORIZATION,
        "headers": {"x-mcp-key": MCP_HEADER},
        "require_approval": "never",
    }


def everything_in(folder: Path) -> str:
    return b"".join(path.read_bytes() for path in folder.iterdir()).decode("latin-1")


def lost_in(text: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    return [secret for secret in secrets if secret in text]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """What was logged, at all levels, by us and what we use; the test's own clients log too."""
    caplog.set_level(logging.DEBUG)

    def text() -> str:
        ours = [each for each in caplog.records if not each.name.startswith(NOT_OURS)]
        lines = (f"{each.getMessage()} {each.exc_text or ''} {each.__dict__}" for each in ours)
        return "\n".join(lines)

    return text


@pytest.fixture
def settings(bench: Bench, tmp_path: Path) -> Settings:
    return bench.settings(
        Fault("none", Answer()),
        store=f"sqlite:///{tmp_path}/kept.db",
        upstream_api_key=UPSTREAM_KEY,
        sealing_keys=[SEALING_KEY],
        breaker_failures=0,
    )


async def ask_in_every_way(bench: Bench, headers: dict[str, str]) -> list[str]:
    """Return all that the client was told."""
    told: list[str] = []
    include = ["reasoning.encrypted_content"]
    body = {"model": "m", "input": PROMPT, "tools": [tool(bench.tools.url)], "include": include}
    for more in ({}, {"stream": True}, {"background": True}, {"background": True, "stream": True}):
        answer = await bench.client.post("/v1/responses", json=body | more, headers=headers)
        told.append(f"{answer.headers}{answer.text}")
        if "background" in more and answer.status_code == 200 and "stream" not in more:
            path = f"/v1/responses/{answer.json()['id']}"
            for query in ({"stream": "true"}, {}):
                log = await bench.client.get(path, params=query, headers=headers)
                told.append(f"{log.headers}{log.text}")
            told.append((await bench.client.get(f"{path}/input_items", headers=headers)).text)
    for path in ("compact", "input_tokens"):
        answer = await bench.client.post(f"/v1/responses/{path}", json=body, headers=headers)
        told.append(f"{answer.headers}{answer.text}")
    told.append((await bench.client.get("/v1/responses/resp_none", headers=headers)).text)
    told.append((await bench.client.get("/v1/responses/openapi.json", headers=headers)).text)
    async with open_socket(bench.url, headers=headers) as socket:
        await socket.send({"type": "response.create", **body})
        while True:
            event = await socket.next()
            told.append(str(event))
            if event["type"] in {"response.completed", "response.failed", "error"}:
                break
    return told


@pytest.mark.parametrize("reply", REPLIES)
async def test_nothing_shows_a_secret(
    bench: Bench, settings: Settings, tmp_path: Path, log: Any, reply: str
) -> None:
    bench.upstream.reply(*[tool_answer(("get_weather", {"city": "Paris"}))] * 2)
    bench.upstream.always(REPLIES[reply])
    app = ResponsesAPI(bench.upstream.url, settings=settings)
    async with bench.serving(app):
        told = await ask_in_every_way(bench, HEADERS)
        kept = everything_in(tmp_path)
    said = repr(app) + repr(settings) + str(settings)

    assert lost_in("".join(told)) == []
    assert lost_in(kept) == []
    assert lost_in(log(), SECRETS + CONTENT) == []
    assert lost_in(said) == []
    assert any(UPSTREAM_KEY in str(request.headers) for request in bench.upstream.requests)


async def test_own_keys_end_at_the_gate(bench: Bench, settings: Settings, log: Any) -> None:
    bench.upstream.always(REPLIES["good"])
    keys = (f"alice={to_sha256(OWN_KEY.encode())}",)
    app = ResponsesAPI(
        bench.upstream.url,
        settings=msgspec.structs.replace(settings, api_keys=keys, upstream_api_key=None),
    )
    async with bench.serving(app):
        told = await ask_in_every_way(bench, {"authorization": f"Bearer {OWN_KEY}"})
        told += await ask_in_every_way_refused(bench)

    assert lost_in("".join(told)) == []
    assert lost_in(log(), SECRETS + CONTENT) == []
    assert not any(OWN_KEY in str(request.headers) for request in bench.upstream.requests)


async def ask_in_every_way_refused(bench: Bench) -> list[str]:
    answer = await bench.client.post("/v1/responses", json={}, headers=HEADERS)
    assert answer.status_code == 401
    return [f"{answer.headers}{answer.text}"]


async def test_memory_keeps_no_secret_of_a_request_that_is_over(
    bench: Bench, settings: Settings
) -> None:
    """Objects of ours: the MCP session that is kept has to know its own."""
    bench.upstream.always(REPLIES["good"])
    app = ResponsesAPI(bench.upstream.url, settings=settings)
    async with bench.serving(app):
        body = {"model": "m", "input": PROMPT}
        await bench.client.post("/v1/responses", json=body, headers=HEADERS)
        bench.upstream.requests.clear()
        gc.collect()
        ours = [
            each for each in gc.get_objects() if str(type(each).__module__).startswith("adapter.")
        ]

        assert lost_in("".join(map(repr, ours)), (CLIENT_KEY, COOKIE)) == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{STORE_PASSWORD}@127.0.0.1:1/db",
        f"redis://:{STORE_PASSWORD}@127.0.0.1:1/0",
    ],
)
async def test_password_of_a_store_is_not_told(bench: Bench, log: Any, url: str) -> None:
    bench.upstream.always(REPLIES["good"])
    settings = bench.settings(Fault("none", Answer()), store=url)
    app = ResponsesAPI(bench.upstream.url, settings=settings)
    async with bench.serving(app):
        answer = await bench.client.get("/v1/responses/resp_none", headers=HEADERS)

    assert answer.status_code == 503
    assert lost_in(f"{answer.headers}{answer.text}") == []
    assert lost_in(log(), SECRETS + CONTENT) == []
    assert lost_in(repr(settings)) == []
