"""Connections to one model server that are kept for the next request; it does not know what for.

The one that was used last is used next, so that those that are not needed grow old. Addresses are
tried as RFC 8305 (happy eyeballs) says, and names are looked up anew after a while.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohappyeyeballs
from yarl import URL

from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.connection import Connection

# Seconds that an unused connection is kept for the next request. Below the 60 s after which AWS's
# load balancers drop idle connections, some of them in silence. uvicorn (so vLLM and SGLang),
# llama.cpp and node close after 5 s: they say so, and a request that meets their FIN on the way
# is sent again (see `HttpCall`), so there is no need to give up reuse that early.
KEEPALIVE_SECONDS: Final = 55.0

# How long a name resolves to the same addresses, in seconds. Long enough to spare a burst of
# connections the lookups, short enough for a server that moves.
DNS_CACHE_SECONDS: Final = 10.0

# When to try the next address beside one that does not answer, in seconds (RFC 8305 §5).
_NEXT_ADDRESS_SECONDS: Final = 0.25

# What `getaddrinfo` returns: (host, port) to ways of reaching it.
Address = tuple[Any, Any, int, str, Any]
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class Pool:
    """Connections of one event loop.

    Args:
        origin: URL of the server.
        peer: its host and port, as errors name it.
        connect_timeout: seconds for a connection: a free place, DNS, TCP and TLS; None is for ever.
        max_connections: open at the same time; 0 is no limit.
        tls: for https; None trusts what the system trusts.
        resolve: looks names up; None asks the system.

    Attributes:
        loop: that it belongs to.
        resolved_at: when the name was last looked up, by the clock of the loop.
    """

    def __init__(
        self,
        origin: URL,
        peer: str,
        connect_timeout: float | None,
        *,
        max_connections: int = 0,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._origin = origin
        self._peer = peer
        self._connect_timeout = connect_timeout
        self._places = asyncio.Semaphore(max_connections) if max_connections else None
        self._tls = (tls or ssl.create_default_context()) if origin.scheme == "https" else None
        self._resolve = resolve or self._ask_system
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._addresses: Sequence[Address] = ()
        self.resolved_at = 0.0
        self._resolving = asyncio.Lock()

    async def take(self, *, fresh: bool = False) -> Connection:
        """Return a connection that is free, to be given back.

        Args:
            fresh: not one that was kept.

        Raises:
            UpstreamError: the server cannot be reached.
        """
        if fresh and self._idle:
            self._drop(self._idle.pop())  # in whose place it is
        elif self._places is None and (kept := self._take_kept()):
            return kept
        try:
            async with asyncio.timeout(self._connect_timeout):
                if self._places is not None:
                    await self._places.acquire()
                try:
                    kept = None if fresh else self._take_kept()
                    return kept or await self._connect()
                except BaseException:
                    self._leave_place()
                    raise
        except TimeoutError as exc:
            limit = f"{self._connect_timeout:g}"
            raise faults.CONNECT_TIMEOUT.error(self._peer, limit) from exc

    def give_back(self, connection: Connection) -> None:
        """Keep a connection that can serve again, and close any other."""
        self._leave_place()
        if connection.can_serve_again:
            connection.free()
            self._idle.append(connection)
            if self._sweeping is None:
                self._sweep_later()
        else:
            self._drop(connection)

    def close(self) -> None:
        """Close all connections; answers that are still being read break off."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in self._open:
            connection.break_off()
        self._open.clear()
        self._idle.clear()

    def _take_kept(self) -> Connection | None:
        oldest = self.loop.time() - KEEPALIVE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.kept_at > oldest:
                return connection
            self._drop(connection)
        return None

    def _leave_place(self) -> None:
        if self._places is not None:
            self._places.release()

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.break_off()

    def _sweep_later(self) -> None:
        self._sweeping = self.loop.call_later(KEEPALIVE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody has used for long: it stands at the left."""
        oldest = self.loop.time() - KEEPALIVE_SECONDS
        while self._idle and (not self._idle[0].is_open or self._idle[0].kept_at <= oldest):
            self._drop(self._idle.popleft())
        self._sweeping = None
        if self._idle:
            self._sweep_later()

    # New connections

    async def _connect(self) -> Connection:
        try:
            sock = await aiohappyeyeballs.start_connection(
                await self._lookup(), happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, loop=self.loop
            )
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection = await self._open_over(sock)
        except (OSError, ValueError) as exc:  # ValueError: of IDNA, and of TLS for odd names
            raise self._unreachable(exc) from exc
        self._open.add(connection)
        return connection

    async def _open_over(self, sock: socket.socket) -> Connection:
        try:
            _, connection = await self.loop.create_connection(
                lambda: Connection(self.loop),
                sock=sock,
                ssl=self._tls,
                server_hostname=self._origin.raw_host if self._tls is not None else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection

    async def _lookup(self) -> Sequence[Address]:
        async with self._resolving:  # a burst of connections asks once
            now = self.loop.time()
            if not self._addresses or now - self.resolved_at > DNS_CACHE_SECONDS:
                host, port = self._origin.raw_host, self._origin.port
                assert host is not None, "a base URL has a host"
                assert port is not None, "http and https have a port"
                try:
                    self._addresses = await self._resolve(host, port)
                except (OSError, ValueError) as exc:
                    raise faults.NAME_UNKNOWN.error(self._peer, reason_of(exc)) from exc
                self.resolved_at = now
            return self._addresses

    async def _ask_system(self, host: str, port: int) -> Sequence[Address]:
        return await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    def _unreachable(self, exc: Exception) -> UpstreamError:
        fault = faults.TLS_FAILED if isinstance(exc, ssl.SSLError) else faults.UNREACHABLE
        return fault.error(self._peer, reason_of(exc))


def reason_of(exc: BaseException) -> str:
    """Return the system's word for it; a parser's would quote what was received."""
    for name in ("verify_message", "reason", "strerror"):  # of TLS and Unicode, TLS, the system
        if text := getattr(exc, name, None):
            return str(text)
    return type(exc).__name__
