"""Sessions that are kept: one per server and credentials, as many as there is room for.

A session is shared by all who come with the same URL and the same headers; to the server they are
the same. What differs in a header differs here.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from adapter.runners.base import McpServer
from adapter.runners.mcp.connection import Connection
from adapter.runners.mcp.failures import Failure, McpFailedError

Identity = bytes
OnConnection = Callable[[Connection], None]
Make = Callable[[McpServer, OnConnection, OnConnection], Connection]

_FULL: Final = Failure("http_error", 503, "Too many sessions with MCP servers are open.")


class Identities:
    """Tells servers and credentials apart, without keeping them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, server: McpServer) -> Identity:
        """Return what is the same for the same place and the same credentials, and for no other."""
        headers = sorted((name.lower(), text) for name, text in server.headers.items())
        env = sorted(server.env.items())
        told = (server.url, headers, server.command, env, server.is_configured)
        return hashlib.blake2b(msgspec.json.encode(told), key=self._key, digest_size=32).digest()


class Pool:
    """Keeps sessions.

    Args:
        make: makes a connection, given who is told when it retires and when it is gone.
        max_sessions: that take requests; as many again may be ending.
    """

    def __init__(self, make: Make, max_sessions: int) -> None:
        self._make = make
        self._max_sessions = max_sessions
        self._kept: dict[Identity, Connection] = {}
        self._all: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._all)

    def get(self, identity: Identity, server: McpServer) -> Connection:
        """Return a connection that takes requests, as yet unopened maybe.

        Raises:
            McpFailedError: there are too many.
        """
        self._forget_other_loops()
        connection = self._kept.pop(identity, None)
        if connection is None:
            self._make_room(self._limit(server))
            connection = self._make(
                server, lambda gone: self._retired(identity, gone), self._all.discard
            )
            self._all.add(connection)
        self._kept[identity] = connection  # the last one used is the last one closed
        return connection

    async def aclose(self) -> None:
        """Close all sessions."""
        self._forget_other_loops()
        async with asyncio.TaskGroup() as group:
            for connection in list(self._all):
                group.create_task(connection.aclose())

    def _limit(self, server: McpServer) -> int:
        """Return how many sessions there may be for this one to be opened.

        Servers that clients name, and that may keep a session busy for as long as a call may take,
        leave a quarter of them to the operator's.
        """
        reserved = 0 if server.is_configured else self._max_sessions // 4
        return self._max_sessions - reserved

    def _make_room(self, limit: int) -> None:
        if len(self._kept) >= limit:
            idle = (connection for connection in self._kept.values() if connection.is_idle)
            if (oldest := next(idle, None)) is not None:
                oldest.retire()
        if len(self._kept) >= limit or len(self._all) >= 2 * limit:
            raise McpFailedError(_FULL)

    def _retired(self, identity: Identity, connection: Connection) -> None:
        if self._kept.get(identity) is connection:
            del self._kept[identity]

    def _forget_other_loops(self) -> None:
        """Drop what another loop has left, as each request of a Starlette `TestClient` may."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._kept.clear()
            self._all.clear()
