"""Images in chat requests: which are named by URL, what their bytes are, and putting others in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.decode import decode_request
from adapter.translate.media import (
    find_image_paths,
    find_image_urls,
    replace_image_urls,
    sniff_media_type,
    to_data_url,
)
from adapter.translate.request import to_chat_request
from adapter.types.chat import ChatMessage, ChatRequest
from adapter.types.request import ResponseRequest

A, B = "https://example.com/a.png", "http://example.com/b.png?x=1#y"
DATA = "data:image/png;base64,iVBORw0KGgo="
TEXT = {"type": "text", "text": f"See {A}"}


def image(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def chat_of(*messages: ChatMessage) -> ChatRequest:
    return ChatRequest("m", messages, {"temperature": 1})


CHAT = chat_of(
    ChatMessage("system", f"Look at {A}."),
    ChatMessage("user", [TEXT, image(B, detail="low"), image(DATA)]),
    ChatMessage("assistant", "I see."),
    ChatMessage("user", [image(A), image(B)]),
    ChatMessage("tool", "", tool_call_id="call_a"),
)


def test_urls_are_those_of_image_parts_each_once_in_order() -> None:
    assert find_image_urls(CHAT) == (B, A)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(image(DATA), id="data URL"),
        pytest.param(TEXT, id="text"),
        pytest.param({"type": "video_url", "video_url": {"url": A}}, id="video"),
        pytest.param({"type": "file", "file": {"file_data": A}}, id="file"),
        pytest.param({"type": "input_audio", "input_audio": {"data": A}}, id="audio"),
        pytest.param(image("ftp://example.com/a.png"), id="another scheme"),
    ],
)
def test_nothing_else_is_the_url_of_an_image(part: dict[str, Any]) -> None:
    assert find_image_urls(chat_of(ChatMessage("user", [part]))) == ()


def test_images_are_replaced_wherever_their_url_stands_and_keep_their_detail() -> None:
    replaced = replace_image_urls(CHAT, {B: "data:b"})

    assert replaced == ChatRequest(
        "m",
        (
            CHAT.messages[0],
            ChatMessage("user", [TEXT, image("data:b", detail="low"), image(DATA)]),
            CHAT.messages[2],
            ChatMessage("user", [image(A), image("data:b")]),
            CHAT.messages[4],
        ),
        {"temperature": 1},
    )


def test_request_whose_images_are_replaced_is_not_changed_itself() -> None:
    before = CHAT.encode()
    replace_image_urls(CHAT, {A: "data:a", B: "data:b"})

    assert CHAT.encode() == before


def test_messages_without_replaced_images_are_kept() -> None:
    replaced = replace_image_urls(CHAT, {A: "data:a"})

    assert [new is old for new, old in zip(replaced.messages, CHAT.messages, strict=True)] == [
        True,
        True,
        True,
        False,
        True,
    ]


def request_of(given: Any, **more: Any) -> ResponseRequest:
    return decode_request(msgspec.json.encode({"model": "m", "input": given, **more}))


def test_paths_lead_to_the_first_place_of_each_url() -> None:
    request = request_of(
        [
            {"role": "user", "content": "Hello"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": A},
                    {"type": "input_image", "image_url": A},
                    {"type": "input_image", "image_url": {"url": B}},
                ],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [
                    {"type": "input_image", "image_url": A},
                    {"type": "image_url", "image_url": {"url": f"{A}?2"}},
                ],
            },
        ]
    )

    assert find_image_paths(request) == {
        A: "input[1].content[1].image_url",
        B: "input[1].content[2].image_url",
        f"{A}?2": "input[3].output[1].image_url",
    }


def test_paths_cover_every_url_that_is_sent() -> None:
    """A part becomes a chat part in another place, but its URL stays."""
    request = request_of(
        [
            {"role": "user", "content": [{"type": "input_image", "image_url": A}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_image", "image_url": B}],
            },
        ]
    )
    chat = to_chat_request(request, Dialect(name="d", source="test")).chat

    assert set(find_image_urls(chat)) == set(find_image_paths(request)) == {A, B}


def test_paths_name_the_field_that_the_client_used() -> None:
    item = {"role": "user", "content": [{"type": "input_image", "image_url": A}]}
    request = ResponseRequest(model="m", input_items=Raw(msgspec.json.encode([item])))

    assert find_image_paths(request) == {A: "input_items[0].content[0].image_url"}


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"null",
        b'"text"',
        b"7",
        b"{}",
        b'[null, 7, "a", [], {}]',
        b'[{"content": "text"}, {"content": {"image_url": "a"}}, {"output": null}]',
        b'[{"content": [null, 7, {"image_url": 7}, {"image_url": {"url": 7}}, {"image_url": {}}]}]',
        b"[{",
        b"[" * 100_000,
        b'[{"content": ' + b"[" * 100_000,
    ],
    ids=range(11),
)
def test_input_of_another_shape_has_no_paths(given: bytes) -> None:
    assert find_image_paths(ResponseRequest(model="m", input=Raw(given))) == {}


PNG = b"\x89PNG\r\n\x1a\n"
BMP = b"BM" + bytes(12)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(PNG + b"\0\0\0\rIHDR", "image/png", id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", id="JPEG"),
        pytest.param(b"\xff\xd8\xff\xe1\x00\x10Exif", "image/jpeg", id="JPEG with Exif"),
        pytest.param(b"GIF87a\x01\x00", "image/gif", id="GIF of 1987"),
        pytest.param(b"GIF89a\x01\x00", "image/gif", id="GIF of 1989"),
        pytest.param(b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp", id="WebP"),
        pytest.param(BMP + b"\x28\0\0\0", "image/bmp", id="BMP"),
        pytest.param(BMP + b"\x7c\0\0\0", "image/bmp", id="BMP, version 5"),
        pytest.param(BMP + b"\x0c\0\0\0", "image/bmp", id="BMP of OS/2"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(PNG[:-1], None, id="half a signature"),
        pytest.param(b" " + PNG, None, id="not at the start"),
        pytest.param(b"RIFF\x10\0\0\0WAVEfmt ", None, id="sound"),
        pytest.param(b"RIFF", None, id="short RIFF"),
        pytest.param(b"BMW is a maker of cars in Munich", None, id="text like a BMP"),
        pytest.param(b"BM", None, id="short BMP"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, id="SVG"),
        pytest.param(b"<?xml version='1.0'?><svg/>", None, id="SVG as XML"),
        pytest.param(b"<!DOCTYPE html><html></html>", None, id="HTML"),
        pytest.param(b"%PDF-1.7", None, id="PDF"),
        pytest.param(b"II*\0", None, id="TIFF"),
        pytest.param(b"\0\0\0\x20ftypavif", None, id="AVIF"),
        pytest.param(b'{"AccessKeyId": "AKIA"}', None, id="JSON"),
    ],
)
def test_media_type_is_what_the_bytes_say(body: bytes, expected: str | None) -> None:
    assert sniff_media_type(body) == expected


@given(st.text())
def test_text_is_no_image(text: str) -> None:
    assert sniff_media_type(text.encode("utf-8", "replace")) is None


def test_data_url_holds_the_bytes() -> None:
    assert to_data_url("image/png", PNG) == DATA
