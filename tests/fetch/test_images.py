"""Images fetched for a model server that fetches none: once each, a few at a time, within bounds."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from adapter.errors import InvalidRequestError
from adapter.fetch.base import ByteBudget, Fetched
from adapter.fetch.fetch import Fetcher
from adapter.fetch.guard import UrlPolicy
from adapter.fetch.images import MAX_IMAGES, inline_images
from adapter.types.chat import ChatMessage, ChatRequest
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n"
GIF = b"GIF89a"
PNG_URL, GIF_URL = "data:image/png;base64,iVBORw0KGgo=", "data:image/gif;base64,R0lGODlh"
A, B = "https://example.com/a", "https://example.com/b"


class Files:
    """Gives files by URL, and sees who is there at one time; stops at a gate, if there is one."""

    def __init__(self, files: Mapping[str, bytes], gate: asyncio.Event | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.under_way = 0
        self.most_under_way = 0
        self._files = files
        self._gate = gate

    async def get(self, url: str, *, param: str, budget: ByteBudget | None = None) -> Fetched:
        self.asked.append((url, param))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self._gate is not None:
                await self._gate.wait()
            return self._take(url, param, budget)
        finally:
            self.under_way -= 1

    def _take(self, url: str, param: str, budget: ByteBudget | None) -> Fetched:
        body = self._files.get(url)
        if body is None:
            raise InvalidRequestError("no such file", param=param)
        if budget is None or not budget.spend(len(body)):
            raise InvalidRequestError("too many bytes", param=param)
        return Fetched("text/html", body)


def part(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def chat_of(*urls: str) -> ChatRequest:
    return ChatRequest("m", (ChatMessage("user", [part(url) for url in urls]),), {})


async def test_images_come_inside_whatever_their_header_says() -> None:
    text = {"type": "text", "text": "Look"}
    chat = ChatRequest(
        "m",
        (
            ChatMessage("user", [text, part(A, detail="low"), part(PNG_URL)]),
            ChatMessage("user", [part(B), part(A)]),
        ),
        {"temperature": 0},
    )
    inlined = await inline_images(chat, Files({A: PNG, B: GIF}))

    assert inlined == ChatRequest(
        "m",
        (
            ChatMessage("user", [text, part(PNG_URL, detail="low"), part(PNG_URL)]),
            ChatMessage("user", [part(GIF_URL), part(PNG_URL)]),
        ),
        {"temperature": 0},
    )


async def test_request_without_such_images_comes_back_as_it_is() -> None:
    chat, files = chat_of(PNG_URL), Files({})

    assert await inline_images(chat, files) is chat
    assert files.asked == []


async def test_each_url_is_fetched_once_under_the_path_of_the_client() -> None:
    files = Files({A: PNG, B: GIF})
    await inline_images(chat_of(A, B, A), files, paths={A: "input[0].content[1].image_url"})

    assert files.asked == [(A, "input[0].content[1].image_url"), (B, "input")]


async def test_a_few_are_fetched_at_one_time() -> None:
    gate = asyncio.Event()
    urls = [f"{A}/{number}" for number in range(MAX_IMAGES)]
    files = Files(dict.fromkeys(urls, PNG), gate)
    inlining = asyncio.create_task(inline_images(chat_of(*urls), files))
    async with asyncio.timeout(5):
        while files.under_way < 4:  # noqa: ASYNC110  # turns of the loop, not time
            await asyncio.sleep(0)
        gate.set()
        await inlining

    assert files.most_under_way == 4
    assert len(files.asked) == MAX_IMAGES


async def test_too_many_images_are_refused_before_any_is_fetched() -> None:
    urls = [f"{A}/{number}" for number in range(MAX_IMAGES + 1)]
    files = Files({})
    with pytest.raises(InvalidRequestError) as caught:
        await inline_images(chat_of(*urls), files)

    assert caught.value.body()["error"] == {
        "message": "Invalid 'input': at most 20 images can be fetched for one request, "
        "found 21 URLs. Send the others as data URLs.",
        "type": "invalid_request_error",
        "param": "input",
        "code": "invalid_value",
    }
    assert files.asked == []


async def test_all_images_share_one_size() -> None:
    files = Files({A: PNG, B: PNG})

    assert await inline_images(chat_of(A, B), files, max_total_bytes=16)
    with pytest.raises(InvalidRequestError, match="too many bytes"):
        await inline_images(chat_of(A, B), files, max_total_bytes=15)


@pytest.mark.parametrize(
    "body", [b"", b"<svg/>", b"<html></html>", b'{"AccessKeyId": "AKIA"}'], ids=repr
)
async def test_what_is_no_image_is_refused_and_not_quoted(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await inline_images(chat_of(A), Files({A: body}), paths={A: "input[0].content[0]"})

    assert caught.value.body()["error"] == {
        "message": "Invalid 'input[0].content[0]': what this URL gives is not a PNG, JPEG, GIF, "
        "WebP or BMP image.",
        "type": "invalid_request_error",
        "param": "input[0].content[0]",
        "code": "unsupported_image_media_type",
    }


async def test_first_failure_is_the_error_and_ends_the_other_fetches() -> None:
    class OneFails(Files):
        async def get(self, url: str, *, param: str, budget: ByteBudget | None = None) -> Fetched:
            if url == B:
                raise InvalidRequestError("no such file", param=param)
            return await super().get(url, param=param, budget=budget)

    files = OneFails({}, asyncio.Event())
    with pytest.raises(InvalidRequestError) as caught:
        await inline_images(chat_of(A, B), files, paths={B: "input[7].content[0].image_url"})

    assert caught.value.param == "input[7].content[0].image_url"
    assert (files.most_under_way, files.under_way) == (1, 0)


async def test_cancelled_inlining_ends_its_fetches() -> None:
    files = Files({}, asyncio.Event())
    inlining = asyncio.create_task(inline_images(chat_of(A, B), files))
    async with asyncio.timeout(5):
        while files.under_way < 2:  # noqa: ASYNC110  # turns of the loop, not time
            await asyncio.sleep(0)
        inlining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await inlining

    assert files.under_way == 0


async def test_images_come_from_a_real_server() -> None:
    async with ScriptedUpstream() as server, asyncio.timeout(5):
        server.reply(Answer(headers={"content-type": "text/plain"}, chunks=[PNG]), to="/a.png")
        server.reply(Answer(chunks=[GIF]), to="/b.gif")
        base = server.url.removesuffix("/v1")
        policy = UrlPolicy(
            allow_http=True, allow_private=True, allowed_ports=(int(base.rpartition(":")[2]),)
        )
        chat = chat_of(f"{base}/a.png", f"{base}/b.gif")
        inlined = await inline_images(chat, Fetcher(policy))

    assert inlined == chat_of(PNG_URL, GIF_URL)
