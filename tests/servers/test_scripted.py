"""The scripted upstream says what it is told to, byte for byte, and knows what its client did."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.servers.answers import (
    Answer,
    Eof,
    Hang,
    Pause,
    Reset,
    chunk,
    cut,
    json_answer,
    raw,
    stream_answer,
    text_answer,
)
from tests.servers.requests import Request
from tests.servers.scripted import Reply, ScriptedUpstream, scripted_upstream

pytestmark = pytest.mark.anyio

CHAT = "/chat/completions"
BODY = {"model": "scripted", "messages": []}


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture
async def client(upstream: ScriptedUpstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as http:
        yield http


async def send_raw(upstream: ScriptedUpstream, method: str = "POST") -> bytes:
    """Send one request and return all that comes until the server closes."""
    address = urlsplit(upstream.url)
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"{method} /v1{CHAT} HTTP/1.1\r\ncontent-length: 0\r\n\r\n".encode())
        try:
            return await reader.read(-1)
        finally:
            writer.close()


async def test_queued_answers_are_given_in_order(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(json_answer(200, 1), json_answer(429, 2, {"retry-after": "3"}))

    first, second = await client.post(CHAT, json=BODY), await client.post(CHAT, json=BODY)

    assert (first.status_code, first.json()) == (200, 1)
    assert (second.status_code, second.json(), second.headers["retry-after"]) == (429, 2, "3")


async def test_requests_are_kept_whole(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(text_answer("Hello"))

    await client.post(CHAT, json=BODY, headers={"X-Key": "value"})

    request = await upstream.request(0)
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["x-key"] == "value"
    assert request.json == BODY
    assert upstream.requests == [request]


async def test_answer_may_depend_on_the_request(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.always(lambda request: json_answer(200, request.json["messages"]))

    answer = await client.post(CHAT, json=BODY | {"messages": ["a"]})

    assert answer.json() == ["a"]


async def test_nothing_queued_is_a_clear_500(client: httpx2.AsyncClient) -> None:
    answer = await client.post(CHAT, json=BODY)

    assert answer.status_code == 500
    assert "no answer queued for POST /v1/chat/completions" in answer.text


async def test_other_paths_leave_the_queue_of_the_chat_alone(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(json_answer(200, "chat"))
    upstream.reply(json_answer(200, "here"), to="/v1/elsewhere")

    models, elsewhere = await client.get("/models"), await client.get("/elsewhere?a=1")
    chat = await client.post(CHAT, json=BODY)

    assert models.json()["data"][0]["id"] == "scripted"
    assert elsewhere.json() == "here"
    assert chat.json() == "chat"


async def test_every_bytes_step_is_one_http_chunk(upstream: ScriptedUpstream) -> None:
    upstream.reply(Answer(200, {"x-a": "b"}, [*cut(b"abc", 2), Eof()]))

    said = await send_raw(upstream)

    assert said == (
        b"HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n"
    )


async def test_raw_answer_is_sent_as_it_is(upstream: ScriptedUpstream) -> None:
    upstream.reply(raw(b"HTTP/1.1 299 ", b"Odd\r\n\r\n", b"\xff\x00"))

    said = await send_raw(upstream)

    assert said == b"HTTP/1.1 299 Odd\r\n\r\n\xff\x00"


async def test_body_may_end_with_the_connection(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(Answer(chunks=[b"all"], framing="close"))

    answer = await client.post(CHAT, json=BODY)

    assert answer.content == b"all"
    assert answer.headers["connection"] == "close"


async def test_head_request_gets_no_body(upstream: ScriptedUpstream) -> None:
    upstream.reply(json_answer(200, "body"))

    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
        answer = await client.head(CHAT)

    assert answer.headers["content-length"] == "6"
    assert answer.content == b""


async def test_pause_holds_the_rest_of_the_answer_until_released(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, done=True))

    async with client.stream("POST", CHAT, json=BODY) as answer:
        parts = answer.aiter_raw()
        first = await anext(parts)
        await pause.reached.wait()
        pause.release()
        rest = b"".join([part async for part in parts])

    assert b'"content":"a"' in first
    assert rest == b"data: [DONE]\n\n"


async def test_pause_before_the_answer_holds_its_status(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pause = Pause()
    upstream.reply(Answer(before=[pause]))

    asking = asyncio.create_task(client.post(CHAT, json=BODY))
    await pause.reached.wait()
    assert not asking.done()
    pause.release()

    assert (await asking).status_code == 200


async def test_eof_in_the_body_is_an_incomplete_read(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(stream_answer(chunk({"content": "a"}), Eof(), chunk({"content": "b"})))

    with pytest.raises(httpx2.RemoteProtocolError):
        await client.post(CHAT, json=BODY)


async def test_reset_breaks_the_connection(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(Answer(before=[Reset()]))

    with pytest.raises(httpx2.ReadError):
        await client.post(CHAT, json=BODY)
    request = await upstream.request(0)
    await request.completed.wait()

    assert not request.disconnected.is_set()


async def test_client_that_leaves_during_a_hang_is_noticed(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))

    async with client.stream("POST", CHAT, json=BODY) as answer:
        await anext(answer.aiter_raw())
        request = await upstream.request(0)
        assert not request.disconnected.is_set()
    await request.disconnected.wait()

    assert not request.completed.is_set()
    assert upstream.connections_open == 0


async def test_client_that_leaves_while_the_answer_is_written_is_noticed(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(Answer(chunks=[b"x" * 65536] * 1000))

    async with client.stream("POST", CHAT, json=BODY) as answer:
        await anext(answer.aiter_raw())
    request = await upstream.request(0)
    await request.disconnected.wait()

    assert not request.completed.is_set()


async def test_client_that_leaves_after_the_answer_did_not_disconnect(
    upstream: ScriptedUpstream,
) -> None:
    upstream.reply(text_answer("Hello"))

    async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
        await client.post(CHAT, json=BODY)
    request = await upstream.request(0)
    await request.completed.wait()

    assert not request.disconnected.is_set()


async def test_connection_is_kept_between_requests(
    upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.always(text_answer("Hello"))

    for _ in range(3):
        await client.post(CHAT, json=BODY)

    assert len(upstream.requests) == 3
    assert upstream.connections_opened == 1


async def test_leaving_ends_answers_that_hang() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.reply(Answer(before=[Hang()]))
        async with httpx2.AsyncClient(base_url=upstream.url, timeout=5) as client:
            asking = asyncio.create_task(client.post(CHAT, json=BODY))
            request = await upstream.request(0)
            await upstream.__aexit__(None, None, None)
            with pytest.raises(httpx2.TransportError):
                await asking

    assert not request.disconnected.is_set()


async def run_one_request(reply: Reply, method: str = "POST") -> None:
    async with ScriptedUpstream() as upstream:
        upstream.reply(reply)
        assert await send_raw(upstream, method) == b""


async def test_mistake_in_a_script_is_raised_at_the_end() -> None:
    def fail(_request: Request) -> Answer:
        raise LookupError("in the script")

    with pytest.raises(ExceptionGroup) as caught:
        await run_one_request(fail)

    assert caught.group_contains(LookupError, match="in the script")


async def test_bytes_that_are_no_request_are_raised_at_the_end() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_one_request(Answer(), method="PO ST")

    assert caught.group_contains(ValueError)


def test_upstream_in_a_thread_serves_a_blocking_client() -> None:
    pause = Pause()
    with scripted_upstream() as upstream:
        upstream.reply(stream_answer(chunk({"content": "a"}), pause))
        with httpx2.stream("POST", upstream.url + CHAT, json=BODY, timeout=5) as answer:
            pause.reached.wait_in_thread()
            pause.release()
            body = answer.read()

        assert body.endswith(b"data: [DONE]\n\n")
        assert upstream.request_in_thread(0).json == BODY
