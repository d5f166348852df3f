"""Compressed requests over a real socket: what is taken, what is refused, and that bombs stay small.

Source: RFC 9110 §8.4.1 and §15.5.16 (415 names what is accepted).
"""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest

from tests.asgi.compressed import COMPRESS, raw_deflate
from tests.asgi.conftest import Stand, Start
from tests.asgi.recorder import Recorder
from tests.asgi.streams import REQUEST
from tests.servers.answers import json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

BODY = json.dumps(REQUEST | {"input": "Hi there. " * 500}).encode()
ALL = "gzip, deflate, br, zstd"


async def post(
    client: httpx2.AsyncClient, body: Any, *codings: str, path: str = "/v1/responses"
) -> httpx2.Response:
    headers = [("content-encoding", coding) for coding in codings]
    return await client.post(path, content=body, headers=headers)


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("coding", COMPRESS)
async def test_compressed_body_is_taken(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, coding: str
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await post(client, COMPRESS[coding](BODY), coding)

    assert answer.status_code == 200
    assert upstream.requests[0].json["messages"][-1]["content"] == "Hi there. " * 500


@pytest.mark.parametrize("coding", COMPRESS)
async def test_compressed_body_may_come_in_pieces(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, coding: str
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await post(client, in_pieces(COMPRESS[coding](BODY), 11), coding)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        pytest.param(["identity"], BODY, id="identity"),
        pytest.param([""], BODY, id="an empty name"),
        pytest.param(["GZIP"], COMPRESS["gzip"](BODY), id="in capitals"),
        pytest.param(["deflate"], raw_deflate(BODY), id="deflate without a header"),
        pytest.param(["gzip, br"], COMPRESS["br"](COMPRESS["gzip"](BODY)), id="two"),
        pytest.param(["gzip", "zstd"], COMPRESS["zstd"](COMPRESS["gzip"](BODY)), id="two headers"),
        pytest.param(
            ["gzip,identity , gzip,,gzip"],
            COMPRESS["gzip"](COMPRESS["gzip"](COMPRESS["gzip"](BODY))),
            id="three",
        ),
    ],
)
async def test_codings_are_undone_in_the_order_that_the_headers_say(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    codings: Sequence[str],
    body: bytes,
) -> None:
    start()
    upstream.reply(text_answer("Hello"))

    answer = await post(client, body, *codings)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("codings", "reason"),
    [
        (["compress"], "'compress' is not known here"),
        (["gzip, exi"], "'exi' is not known here"),
        (["x" * 100], f"'{'x' * 32}' is not known here"),
        (["gzip, gzip, gzip, gzip"], "expected at most 3 codings, got 4"),
    ],
)
async def test_unknown_coding_is_a_415_that_names_the_known_ones(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    codings: Sequence[str],
    reason: str,
) -> None:
    start()

    answer = await post(client, BODY, *codings)

    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == ALL
    assert answer.json() == {
        "error": {
            "message": f"Unsupported 'content-encoding': {reason}. Accepted: {ALL}.",
            "type": "invalid_request_error",
            "param": "content-encoding",
            "code": "unsupported_content_encoding",
        }
    }
    assert upstream.requests == []


@pytest.mark.parametrize("coding", ["br", "zstd"])
async def test_coding_whose_library_is_missing_is_a_415_that_names_the_extra(
    start: Start, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, coding: str
) -> None:
    start()
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed

    answer = await post(client, COMPRESS[coding](BODY), coding)

    assert answer.status_code == 415
    assert "responses-adapter[compression]" in answer.json()["error"]["message"]
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("body", "coding", "reason"),
    [
        pytest.param(BODY, "gzip", "it cannot be decoded", id="plain"),
        pytest.param(COMPRESS["gzip"](BODY), "zstd", "it cannot be decoded", id="another"),
        pytest.param(COMPRESS["gzip"](BODY)[:-5], "gzip", "it ends too early", id="cut"),
        pytest.param(COMPRESS["br"](BODY)[:-1], "br", "it ends too early", id="cut-br"),
        pytest.param(b"", "zstd", "it ends too early", id="empty"),
    ],
)
async def test_broken_body_is_a_400_that_says_so(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    body: bytes,
    coding: str,
    reason: str,
) -> None:
    start()

    answer = await post(client, body, coding)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_content_encoding"
    assert error["message"] == f"The request body is not valid {coding}: {reason}."
    assert upstream.requests == []


@pytest.mark.parametrize("coding", COMPRESS)
async def test_body_at_the_limit_is_taken_and_one_byte_more_is_not(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, coding: str
) -> None:
    start(max_body_bytes=len(BODY))
    upstream.reply(text_answer("Hello"))

    taken = await post(client, COMPRESS[coding](BODY), coding)
    refused = await post(client, COMPRESS[coding](BODY + b" "), coding)

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert refused.json()["error"]["code"] == "request_too_large"
    assert "when it is decoded" in refused.json()["error"]["message"]


@pytest.mark.parametrize("coding", COMPRESS)
async def test_bomb_is_refused_before_it_is_whole(
    start: Start, client: httpx2.AsyncClient, stand: Stand, coding: str
) -> None:
    """The rest of the body is sent only after the refusal: nobody waited for it."""
    bomb = COMPRESS[coding](b" " * 30_000_000)
    recorder = stand.app = Recorder(start(max_body_bytes=100_000))

    async def endless() -> AsyncIterator[bytes]:
        yield bomb[:-4]
        await recorder.answered.wait()
        yield bomb[-4:]

    answer = await post(client, endless(), coding)

    assert answer.status_code == 413
    assert len(bomb) < 100_000


@pytest.mark.parametrize("outer", ["gzip", "br"])
async def test_bomb_within_a_bomb_is_refused(
    start: Start, client: httpx2.AsyncClient, outer: str
) -> None:
    start(max_body_bytes=100_000)
    bomb = COMPRESS[outer](COMPRESS["gzip"](b" " * 30_000_000))

    answer = await post(client, bomb, f"gzip, {outer}")

    assert answer.status_code == 413


async def test_bomb_of_nothing_is_refused(start: Start, client: httpx2.AsyncClient) -> None:
    """What comes out between two codings counts as well, if nothing comes out at the end."""
    start(max_body_bytes=100_000)
    nothing = COMPRESS["zstd"](b"") * 200  # frames that hold nothing, but take room themselves
    bomb = COMPRESS["gzip"](nothing * 2000)

    answer = await post(client, bomb, "zstd, gzip")

    assert answer.status_code in (400, 413)


async def test_compressed_body_over_the_limit_as_sent_is_a_413(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start(max_body_bytes=50)

    answer = await post(client, COMPRESS["gzip"](BODY), "gzip")

    assert answer.status_code == 413
    assert "when it is decoded" not in answer.json()["error"]["message"]


async def test_compressed_body_is_passed_on_decoded_to_an_upstream_with_its_own_responses_api(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(routes={"own": {"upstream": upstream.url, "api": "responses", "models": ["m"]}})
    upstream.reply(json_answer(200, {"id": "resp_theirs"}), to="/v1/responses")

    answer = await post(client, COMPRESS["gzip"](BODY), "gzip")

    assert answer.json() == {"id": "resp_theirs"}
    assert upstream.requests[0].body == BODY
    assert "content-encoding" not in upstream.requests[0].headers
