"""Reads a streamed answer as strictly as the strictest client does: block by block, off the socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.servers.signals import WAIT_LIMIT_SECONDS

REQUEST = {"model": "m", "input": "Hi"}
DONE = "[DONE]"
KEEPALIVE_COMMENT = ": keep-alive"


class Stream:
    """One streamed answer.

    Attributes:
        blocks: what was read so far: events as objects, the end and comments as text.
        raw: the same as bytes.
    """

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self.blocks: list[Any] = []
        self.raw = b""
        self._cut = b""  # the beginning of a block: TCP knows no borders
        self._read = 0
        self._parts = answer.aiter_raw()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [block for block in self.blocks if isinstance(block, dict)]

    async def next(self) -> Any:
        """Return the next block.

        Raises:
            StopAsyncIteration: there is none.
        """
        async with asyncio.timeout(WAIT_LIMIT_SECONDS):
            while len(self.blocks) == self._read:
                self._take(await anext(self._parts))
        self._read += 1
        return self.blocks[self._read - 1]

    async def until(self, type: str) -> dict[str, Any]:
        """Return the next event of this type, passing over others."""
        while True:
            block = await self.next()
            if isinstance(block, dict) and block["type"] == type:
                return block

    async def rest(self) -> list[Any]:
        """Return all blocks that are still to come, to the end of the body."""
        start = self._read
        async with asyncio.timeout(WAIT_LIMIT_SECONDS):
            async for part in self._parts:
                self._take(part)
        self._read = len(self.blocks)
        return self.blocks[start:]

    def _take(self, part: bytes) -> None:
        self.raw += part
        whole, separator, self._cut = (self._cut + part).rpartition(b"\n\n")
        if separator:
            self.blocks += parse(whole + separator)


def parse(raw: bytes) -> list[Any]:
    """Return the blocks of a stream, or of any part that begins and ends between two."""
    assert b"\r" not in raw
    assert raw.endswith(b"\n\n")
    return [_parse_block(block) for block in raw.decode()[:-2].split("\n\n")]


def _parse_block(block: str) -> Any:
    if block.startswith(":"):
        return block
    if block == f"data: {DONE}":
        return DONE
    name, data = block.split("\n")
    event = json.loads(data.removeprefix("data: "))
    assert name == f"event: {event['type']}"
    return event


@asynccontextmanager
async def open_stream(
    client: httpx2.AsyncClient,
    *,
    headers: dict[str, str] | None = None,
    path: str = "/v1/responses",
    **fields: Any,
) -> AsyncIterator[Stream]:
    """Ask for a stream, and yield it when its headers are here."""
    body = REQUEST | {"stream": True} | fields
    async with client.stream("POST", path, json=body, headers=headers) as answer:
        yield Stream(answer)


async def read_stream(client: httpx2.AsyncClient, **options: Any) -> Stream:
    """Ask for a stream, and return it when it is over."""
    async with open_stream(client, **options) as stream:
        assert stream.answer.status_code == 200, await stream.answer.aread()
        await stream.rest()
    return stream


def types(events: list[Any]) -> list[str]:
    return [event["type"] if isinstance(event, dict) else event for event in events]


def text_of(events: list[Any]) -> str:
    return "".join(
        event["delta"]
        for event in events
        if isinstance(event, dict) and event["type"] == "response.output_text.delta"
    )
