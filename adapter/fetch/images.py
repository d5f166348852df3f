"""Images of a chat request, fetched and put in as data URLs, for servers that fetch none.

Each URL is fetched once, a few at a time, and all of them within one number and one size: a
request must not make this machine download more than it could have sent itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from adapter.errors import InvalidRequestError
from adapter.fetch.base import ByteBudget, Fetches
from adapter.translate.media import (
    find_image_urls,
    replace_image_urls,
    sniff_media_type,
    to_data_url,
)
from adapter.types.chat import ChatRequest

MAX_IMAGES: Final = 20

# Bytes of all images of a request together. OpenAI's limit for a request with images.
MAX_TOTAL_BYTES: Final = 50 * 1024 * 1024

# Of one request. What one client can open on others' servers, and hold of them in memory.
_FETCHES_AT_ONCE: Final = 4

_NO_PATHS: Final[Mapping[str, str]] = MappingProxyType({})


async def inline_images(
    chat: ChatRequest,
    fetcher: Fetches,
    *,
    paths: Mapping[str, str] = _NO_PATHS,
    max_images: int = MAX_IMAGES,
    max_total_bytes: int = MAX_TOTAL_BYTES,
) -> ChatRequest:
    """Return the request with its images inside.

    Args:
        chat: the request; without images by http or https URL, it comes back as it is.
        fetcher: what gets them.
        paths: where the client's request names which URL, for errors (`find_image_paths`); an
            error about any other names `input`.
        max_images: different URLs that are accepted.
        max_total_bytes: of all images, before they are encoded.

    Raises:
        InvalidRequestError: an image could not be fetched or is none, or they are too many.
    """
    urls = find_image_urls(chat)
    if not urls:
        return chat
    if len(urls) > max_images:
        raise InvalidRequestError(
            f"Invalid 'input': at most {max_images} images can be fetched for one request, "
            f"found {len(urls)} URLs. Send the others as data URLs.",
            code="invalid_value",
            param="input",
        )
    places = [(url, paths.get(url, "input")) for url in urls]
    return replace_image_urls(chat, await _fetch_all(places, fetcher, max_total_bytes))


async def _fetch_all(
    places: Sequence[tuple[str, str]], fetcher: Fetches, max_total_bytes: int
) -> dict[str, str]:
    free = asyncio.Semaphore(_FETCHES_AT_ONCE)
    budget = ByteBudget(max_total_bytes)

    async def fetch(url: str, param: str) -> str:
        async with free:
            fetched = await fetcher.get(url, param=param, budget=budget)
        media_type = sniff_media_type(fetched.body)
        if media_type is None:
            raise _no_image(param)
        return to_data_url(media_type, fetched.body)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(fetch(url, param)) for url, param in places}
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the first of them; it cancelled the others
    return {url: task.result() for url, task in tasks.items()}


def _no_image(param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid '{param}': what this URL gives is not a PNG, JPEG, GIF, WebP or BMP image.",
        code="unsupported_image_media_type",
        param=param,
    )
