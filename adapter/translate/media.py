"""Images that a chat request names by URL, for servers that take them as data URLs alone.

Finding them and putting others in their place; fetching them is `adapter.fetch.images`. What an
image is, its first bytes tell: the header of who serves it proves nothing.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from adapter.types.chat import ChatMessage, ChatPart, ChatRequest
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

_WEB: Final = ("http://", "https://")

# SVG is not among them: it is a document with scripts and references, and no chat model reads it.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
# Sizes of the known headers behind that of a BMP file: "BM" alone may be the start of a text.
_BMP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})


def find_image_urls(chat: ChatRequest) -> tuple[str, ...]:
    """Return the http and https URLs of images, each once, in order."""
    urls = (_url_of(part) for message in chat.messages for part in _parts_of(message))
    return tuple(dict.fromkeys(url for url in urls if url.startswith(_WEB)))


def replace_image_urls(chat: ChatRequest, data_urls: Mapping[str, str]) -> ChatRequest:
    """Return the request with other URLs for images, where `data_urls` has one."""
    messages = tuple(_replaced(message, data_urls) for message in chat.messages)
    return msgspec.structs.replace(chat, messages=messages)


def find_image_paths(request: ResponseRequest) -> dict[str, str]:
    """Return where the client's own request names which image, by its URL.

    `input[0].content[1].image_url`, the first place for each. An image of a stored response has
    none. For messages only: what does not have the expected shape is passed over.
    """
    given = "input" if is_given(request.input) else "input_items"
    paths: dict[str, str] = {}
    for path, url in _walk(getattr(request, given), given):
        paths.setdefault(url, path)
    return paths


def sniff_media_type(body: bytes) -> str | None:
    """Return the media type of a PNG, JPEG, GIF, WebP or BMP image, or None for anything else."""
    for magic, media_type in _MAGIC:
        if body.startswith(magic):
            return media_type
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    if body.startswith(b"BM") and int.from_bytes(body[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    return None


def to_data_url(media_type: str, body: bytes) -> str:
    """Return the content as a URL (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(body).decode()}"


def _parts_of(message: ChatMessage) -> list[ChatPart]:
    return message.content if isinstance(message.content, list) else []


def _url_of(part: ChatPart) -> str:
    """Return the URL of an image part, which `translate.content` made; empty for other parts."""
    if part["type"] != "image_url":
        return ""
    url: str = part["image_url"]["url"]
    return url


def _replaced(message: ChatMessage, data_urls: Mapping[str, str]) -> ChatMessage:
    parts = _parts_of(message)
    if not any(_url_of(part) in data_urls for part in parts):
        return message
    content = [
        part | {"image_url": part["image_url"] | {"url": data_urls[url]}}
        if (url := _url_of(part)) in data_urls
        else part
        for part in parts
    ]
    return msgspec.structs.replace(message, content=content)


def _walk(given: msgspec.Raw, at: str) -> Iterator[tuple[str, str]]:
    try:
        items = msgspec.json.decode(given)
    except (msgspec.DecodeError, RecursionError):
        return
    for index, item in _objects(items):
        for key in ("content", "output"):
            for number, part in _objects(item.get(key)):
                image = part.get("image_url")
                url = image.get("url") if isinstance(image, dict) else image
                if isinstance(url, str):
                    yield f"{at}[{index}].{key}[{number}].image_url", url


def _objects(given: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(given, list):
        for index, each in enumerate(given):
            if isinstance(each, dict):
                yield index, each
