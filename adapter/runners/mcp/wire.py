"""HTTP as the SDK's transports are given it: bounded, guarded, and never raising.

An error of the network in one request would end the SDK's session and with it all other calls, and
of a status it tells nothing. So what fails is written into the `Exchange` of who waits, and the SDK
gets an empty answer with an error status, or an answer that ends.
"""

import logging
import re
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Final

import httpcore2
import httpx2
from aiohttp.abc import AbstractResolver

from adapter._version import __version__
from adapter.fetch.guard import UrlPolicy
from adapter.runners.base import McpServer
from adapter.runners.mcp.backend import GuardedBackend
from adapter.runners.mcp.exchange import Exchange, current
from adapter.runners.mcp.failures import (
    Failure,
    broken_off,
    http_failure,
    not_understood,
    too_large,
    unreachable,
)

logger = logging.getLogger(__name__)

# Seconds. What waits for an answer has limits of its own.
_CONNECT_SECONDS: Final = 10.0
_WRITE_SECONDS: Final = 30.0

# Of one session. uvicorn and node close after 5 s of rest.
_KEPT_CONNECTIONS: Final = 4
_KEEPALIVE_SECONDS: Final = 4.0

# What the SDK reads as one event of its SSE transport, in bytes; it offers no way to change it.
MAX_SSE_EVENT_BYTES: Final = 1024 * 1024

_EVENT_END: Final = re.compile(rb"\r?\n\r?\n")

# Headers that belong to the connection or the protocol; nobody's `headers` replace them.
_OURS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "last-event-id",
        "mcp-protocol-version",
        "mcp-session-id",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# What a request or a read can raise. ValueError: host names that IDNA refuses (UnicodeError).
_RAISED: Final = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    OSError,
    ValueError,
)

OnFailure = Callable[[Failure], None]


class Wire(httpx2.AsyncBaseTransport):
    """Sends the requests of one session.

    Args:
        pool: connections.
        origin: the only one to be spoken to, as (scheme, host, port).
        max_bytes: of one answer; of one event, where answers come as events of one long stream.
        on_failure: told of what ends the session, where all calls share one stream (SSE).
    """

    def __init__(
        self,
        pool: httpcore2.AsyncConnectionPool,
        origin: tuple[str, str, int | None],
        max_bytes: int,
        on_failure: OnFailure | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self._pool = pool
        self._origin = origin
        self._on_failure = on_failure

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = current() or Exchange()
        left = exchange.left if request.method == "POST" else None
        try:
            return await self._answer(request, exchange)
        finally:
            if left is not None:
                left.set()

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _answer(self, request: httpx2.Request, exchange: Exchange) -> httpx2.Response:
        if request.method == "POST":
            exchange.failure = None  # of an earlier one, such as a first try at another protocol
        try:
            answer = await self._send(request)
        except _RAISED as exc:
            logger.debug("a request to an MCP server failed: %s", type(exc).__name__)
            return self._failed(request, exchange, unreachable())
        headers = httpx2.Headers(answer.headers)
        if answer.status >= 300:
            self._note(request, exchange, http_failure(answer.status))
        elif headers.get("content-encoding", "identity").lower() != "identity":
            # It was not asked for, and 5 KB can decompress to 5 MB.
            await answer.aclose()
            return self._failed(request, exchange, not_understood("a compressed answer"))
        body = _Body(
            answer,
            self.max_bytes,
            lambda failure: self._break(exchange, failure),
            counts_events=request.method == "GET",
        )
        return httpx2.Response(answer.status, headers=headers, stream=body)

    async def _send(self, request: httpx2.Request) -> httpcore2.Response:
        url = request.url
        if (url.scheme, url.host, url.port) != self._origin:
            raise httpcore2.UnsupportedProtocol("another origin")
        assert isinstance(request.stream, AsyncIterable)
        return await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )

    def _note(self, request: httpx2.Request, exchange: Exchange, failure: Failure) -> None:
        exchange.failure = failure
        if self._on_failure is not None and request.method == "POST":
            # The SDK sends nothing more over SSE after this, and tells no one.
            self._on_failure(failure)

    def _break(self, exchange: Exchange, failure: Failure) -> None:
        exchange.doom(failure)
        if self._on_failure is not None:
            self._on_failure(failure)

    def _failed(
        self, request: httpx2.Request, exchange: Exchange, failure: Failure
    ) -> httpx2.Response:
        self._note(request, exchange, failure)
        return httpx2.Response(502)


class _Body(httpx2.AsyncByteStream):
    """An answer, which ends early where it is too long or breaks off."""

    def __init__(
        self,
        answer: httpcore2.Response,
        max_bytes: int,
        on_break: OnFailure,
        *,
        counts_events: bool,
    ) -> None:
        self._counts_events = counts_events
        self._answer = answer
        self._max_bytes = max_bytes
        self._on_break = on_break
        self._count = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.aiter_stream():
                if not self._has_room_for(chunk):
                    self._on_break(too_large(self._max_bytes))
                    return
                yield chunk
        except _RAISED as exc:
            logger.debug("an answer of an MCP server broke off: %s", type(exc).__name__)
            self._on_break(broken_off())

    async def aclose(self) -> None:
        await self._answer.aclose()

    def _has_room_for(self, chunk: bytes) -> bool:
        # A stream may last for hours; what it makes the SDK hold is one event.
        ended, *begun = _EVENT_END.split(chunk) if self._counts_events else [chunk]
        longest = max(self._count + len(ended), *map(len, begun), 0)
        self._count = len(begun[-1]) if begun else longest
        return longest <= self._max_bytes


class Http:
    """Makes the clients of sessions; they share a resolver and what TLS trusts.

    Args:
        policy: for servers that a client named; configured ones are the operator's word.
        resolver: of host names that a client named.
        max_bytes: of one answer.
        tls: for https.
    """

    def __init__(
        self,
        policy: UrlPolicy,
        resolver: AbstractResolver,
        *,
        max_bytes: int,
        tls: ssl.SSLContext,
    ) -> None:
        self.max_bytes = max_bytes
        self._policy = policy
        self._resolver = resolver
        self._tls = tls

    def client(self, server: McpServer, on_failure: OnFailure | None = None) -> httpx2.AsyncClient:
        """Return a client for one session.

        Args:
            server: the only one to be spoken to.
            on_failure: given for the SSE transport, where one stream carries all answers.
        """
        backend = None if server.is_configured else GuardedBackend(self._policy, self._resolver)
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=None,  # calls at one time are bounded, and have one each
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=backend,
        )
        url = httpx2.URL(server.url or "")
        limit = min(self.max_bytes, MAX_SSE_EVENT_BYTES) if on_failure else self.max_bytes
        return httpx2.AsyncClient(
            transport=Wire(pool, (url.scheme, url.host, url.port), limit, on_failure),
            headers=_headers(server),
            timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS, write=_WRITE_SECONDS),
            trust_env=False,  # neither netrc nor a proxy, which would look names up by itself
        )

    async def aclose(self) -> None:
        """Stop looking up names."""
        await self._resolver.close()


def _headers(server: McpServer) -> dict[str, str]:
    given = {name: text for name, text in server.headers.items() if name.lower() not in _OURS}
    return {
        "user-agent": f"responses-adapter/{__version__}",
        "accept-encoding": "identity",
        **given,
    }
