"""A client of the WebSocket mode that holds every answer to the rule book."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from adapter.stream.grammar import check
from tests.asgi.streams import REQUEST
from tests.servers.signals import WAIT_LIMIT_SECONDS

LAST = {"response.completed", "response.incomplete", "response.failed"}


class Socket:
    """One connection.

    Attributes:
        connection: the connection itself.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, frame: Mapping[str, Any] | str | bytes) -> None:
        """Send a frame: an object as JSON."""
        await self.connection.send(
            frame if isinstance(frame, str | bytes) else json.dumps(dict(frame))
        )

    async def create(self, **fields: Any) -> None:
        """Ask for a response."""
        await self.send({"type": "response.create", **REQUEST, **fields})

    async def next(self) -> dict[str, Any]:
        """Return the next frame, which must be one JSON object as text."""
        async with asyncio.timeout(WAIT_LIMIT_SECONDS):
            text = await self.connection.recv()
        assert isinstance(text, str)
        frame = json.loads(text)
        assert isinstance(frame, dict)
        return frame

    async def until(self, type: str, lane: str | None = None) -> dict[str, Any]:
        """Return the next event of this type and lane, passing over others."""
        while True:
            event = await self.next()
            if event["type"] == type and event.get("stream_id") == lane:
                return event

    async def turn(self) -> list[dict[str, Any]]:
        """Return the events of the response that begins now, on the lane without a name."""
        (events,) = (await self.turns(1))[None]
        return events

    async def turns(self, count: int) -> dict[str | None, list[list[dict[str, Any]]]]:
        """Return the events of so many responses, which may run side by side, by their lane."""
        ended: dict[str | None, list[list[dict[str, Any]]]] = {}
        running: dict[str | None, list[dict[str, Any]]] = {}
        while count:
            event = await self.next()
            lane = event.get("stream_id")
            running.setdefault(lane, []).append(event)
            if event["type"] in LAST:
                events = running.pop(lane)
                assert check(events) == []
                ended.setdefault(lane, []).append(events)
                count -= 1
        assert running == {}
        return ended

    async def ask(self, **fields: Any) -> dict[str, Any]:
        """Ask for a response, and return it when it has ended."""
        await self.create(**fields)
        response: dict[str, Any] = (await self.turn())[-1]["response"]
        return response

    async def refused(self, **fields: Any) -> dict[str, Any]:
        """Ask for a response that is refused, and return the frame that says so."""
        await self.create(**fields)
        return await self.error()

    async def error(self) -> dict[str, Any]:
        """Return the next frame, which must be an error that is not part of a response."""
        frame = await self.next()
        assert frame["type"] == "error"
        assert "sequence_number" not in frame
        assert {"type", "code", "message", "param"} <= frame["error"].keys()
        return frame

    async def closed(self) -> int | None:
        """Return the code that the server closes with, when it has; frames before it are lost."""
        with suppress(ConnectionClosedError):  # any code but that of a normal end
            async with asyncio.timeout(WAIT_LIMIT_SECONDS):
                async for _ in self.connection:
                    pass
        return self.connection.close_code


@asynccontextmanager
async def open_socket(
    url: str,
    *,
    path: str = "/v1/responses",
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Socket]:
    """Connect to a server.

    Args:
        url: of the server, `http://…`.
        path: of the WebSocket.
        headers: more headers of the handshake.
        options: of the `websockets` client.
    """
    async with connect(
        url.replace("http", "ws", 1) + path,
        additional_headers=headers,
        open_timeout=WAIT_LIMIT_SECONDS,
        close_timeout=WAIT_LIMIT_SECONDS,
        compression=None,
        max_size=None,
        **options,
    ) as connection:
        yield Socket(connection)
